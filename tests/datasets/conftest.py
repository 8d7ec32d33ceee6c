"""A web server that misbehaves on purpose, and music small enough to look at."""

import io
import tarfile
import threading
import time
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import symusic


@dataclass
class Site:
    """A page of the server: how it answers, and what it was asked.

    ``cuts`` holds, request by request, after how many bytes the connection breaks.
    """

    data: bytes = b""
    etag: str = '"v1"'
    ranges: bool = True
    chunked: bool = False
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)  # of the first requests; then 200
    length: int | None = None  # what Content-Length claims, if not the truth
    kind: str = "application/octet-stream"
    byte_pause: float = 0.0  # seconds after every byte
    delay: float = 0.0  # seconds before the first
    asked: list[dict[str, str]] = field(default_factory=list)
    sent: int = 0

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(dict(request.headers))
        status = self.statuses.pop(0) if self.statuses else 200
        if status != 200:
            request.send_error(status)
            return
        start = self._start(request)
        if start >= len(self.data) > 0:
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{len(self.data)}")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        time.sleep(self.delay)
        self._head(request, start)
        body = self.data[start:]
        if self.chunked:
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        if self.cuts:
            body = body[: self.cuts.pop(0)]
            request.close_connection = True
        self._body(request, body)

    def _start(self, request: BaseHTTPRequestHandler) -> int:
        asked = request.headers.get("Range")
        same = request.headers.get("If-Range", self.etag) == self.etag
        if not (asked and self.ranges and same):
            return 0
        return int(asked.removeprefix("bytes=").rstrip("-"))

    def _head(self, request: BaseHTTPRequestHandler, start: int) -> None:
        request.send_response(206 if start else 200)
        request.send_header("Content-Type", self.kind)
        if self.etag:
            request.send_header("ETag", self.etag)
        if start:
            end = len(self.data)
            request.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
        if self.chunked:
            request.send_header("Transfer-Encoding", "chunked")
        else:
            length = len(self.data) - start if self.length is None else self.length
            request.send_header("Content-Length", str(length))
        request.end_headers()

    def _body(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        pieces = [body[i : i + 1] for i in range(len(body))] if self.byte_pause else [body]
        for piece in pieces:
            request.wfile.write(piece)
            request.wfile.flush()
            self.sent += len(piece)
            time.sleep(self.byte_pause)


class Server:
    """Sites by name; `url` gives the address of one."""

    def __init__(self) -> None:
        self.sites: dict[str, Site] = {}
        sites = self.sites

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                try:
                    sites[self.path.lstrip("/")].answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.block_on_close = False
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def site(self, name: str, data: bytes = b"", **how) -> Site:
        self.sites[name] = Site(data, **how)
        return self.sites[name]

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/{name}"


@pytest.fixture
def server():
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture
def midi_bytes():
    """A MIDI file of quarters with these pitches."""

    def make(*pitches: int, tempo: float = 120.0, ticks: int = 480, program: int = 0) -> bytes:
        score = symusic.Score(ticks)
        score.tempos.append(symusic.Tempo(0, tempo))
        track = symusic.Track(program=program)
        for place, pitch in enumerate(pitches):
            track.notes.append(symusic.Note(place * ticks, ticks, pitch, 90))
        score.tracks.append(track)
        return score.dumps_midi()

    return make


@pytest.fixture
def tar_of():
    """A .tar.gz of names and contents; a TarInfo instead of bytes goes in as it is."""

    def make(members: dict[str, bytes | tarfile.TarInfo]) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            for name, content in members.items():
                if isinstance(content, tarfile.TarInfo):
                    archive.addfile(content)
                    continue
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        return buffer.getvalue()

    return make


@pytest.fixture
def zip_of():
    """A .zip of names and contents; names may be ZipInfo."""

    def make(members: dict[str | zipfile.ZipInfo, bytes]) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return buffer.getvalue()

    return make
