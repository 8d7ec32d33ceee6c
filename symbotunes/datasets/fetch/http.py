"""One file from one address, continued where an earlier attempt stopped."""

import http.client
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

CHUNK_BYTES = 2**18
_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")
_GONE_FOR_NOW = {408, 425, 429, 500, 502, 503, 504}

# Called with the bytes at hand and the bytes in all, if known.
Report = Callable[[int, int | None], None]


class TransferError(Exception):
    """A transfer that did not succeed.

    Attributes:
        again: whether the same address may do better at another attempt.
    """

    def __init__(self, message: str, *, again: bool) -> None:
        super().__init__(message)
        self.again = again


class UnfitPart(TransferError):
    """The server says that the part at hand belongs to no file of its own."""


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for.

    Attributes:
        timeout: seconds without a byte after which a connection counts as dead.
        window: seconds over which the speed is judged.
        min_speed: bytes per second below which a server counts as too slow.
        attempts: how often in a row an address may fail without giving at least what comes in one
            timeout at that speed.
        pause: seconds before the second attempt; doubled before each further one.
    """

    timeout: float = 30.0
    window: float = 60.0
    min_speed: float = 1024.0
    attempts: int = 4
    pause: float = 1.0


@dataclass(frozen=True)
class _Draft:
    """What is known of the whole file of which a part is on disk.

    Attributes:
        url: where the part came from.
        validator: strong ETag or date that names this version of the file, or empty.
        total: bytes of the whole, if known.
    """

    url: str
    validator: str
    total: int | None


def transfer(
    url: str,
    draft: Path,
    *,
    size: int | None,
    verified_later: bool,
    patience: Patience,
    report: Report,
) -> None:
    """Leave the whole file at `draft`, one attempt.

    Args:
        url: http or https.
        draft: what an earlier attempt left is continued; a note about it lies beside it.
        size: bytes of the published file, if known.
        verified_later: whether a wrong byte will be noticed: then a part may be continued from
            another address, or from one that names no version.
        patience: with the server.
        report: is told the progress.

    Raises:
        TransferError: if it is not whole; `draft` keeps what came.
        OSError: if the disk refuses it.
    """
    note = draft.with_name(f"{draft.name}.json")
    known = _read_note(note) if draft.is_file() else None
    begun = draft.stat().st_size if known else 0
    same = known is not None and known.url == url and known.validator != ""
    if not begun or not (same or verified_later):
        begun, known = 0, None
    if known and begun == (size or known.total):
        return
    validator = known.validator if known and same else ""
    try:
        response = _open(url, begun, validator, patience.timeout)
    except UnfitPart:
        draft.unlink()
        raise
    with response:
        begun, total = _place(response, begun)
        if size is not None and total is not None and total != size:
            raise TransferError(f"offers {total:,} bytes, published are {size:,}", again=False)
        first = _next(response)
        if not begun:
            _refuse_page(response, first)
            draft.unlink(missing_ok=True)  # the note that follows is not of its bytes
        note.write_text(json.dumps(asdict(_Draft(url, _validator(response), total))))
        arrived = _receive(response, first, draft, total, patience, report)
    expected = size if size is not None else total
    if expected is not None and arrived != expected:
        raise TransferError(f"{arrived:,} of {expected:,} bytes arrived", again=True)


def _read_note(note: Path) -> _Draft | None:
    try:
        return _Draft(**json.loads(note.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _open(url: str, begun: int, validator: str, timeout: float) -> http.client.HTTPResponse:
    if not url.startswith(("http://", "https://")):
        raise TransferError("not an http address", again=False)
    headers = {"User-Agent": "symbotunes"}
    if begun:
        headers["Range"] = f"bytes={begun}-"
        if validator:
            headers["If-Range"] = validator
    try:
        request = urllib.request.Request(url, headers=headers)
        response = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:
            raise UnfitPart("the part at hand does not fit the file", again=True) from error
        again = error.code in _GONE_FOR_NOW
        raise TransferError(f"HTTP {error.code} {error.reason}", again=again) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise TransferError(_reason(error), again=not isinstance(error, ValueError)) from error
    assert isinstance(response, http.client.HTTPResponse)
    return response


def _reason(error: Exception) -> str:
    """A short cause; a timeout and a refused connection hide inside other errors."""
    cause = getattr(error, "reason", error)
    return str(cause).strip() or type(cause).__name__


def _place(response: http.client.HTTPResponse, begun: int) -> tuple[int, int | None]:
    """Where the bytes that follow belong, and how many there are in all."""
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isdigit() else None
    if response.status != 206:
        return 0, total  # the server ignores ranges, or the file is another than before
    found = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if not found or found[1] is None or int(found[1]) != begun:
        raise TransferError("the server sent another range than asked for", again=False)
    return begun, int(found[2]) if found[2] != "*" else None


def _validator(response: http.client.HTTPResponse) -> str:
    """What If-Range may compare: a strong ETag, else the date."""
    etag = str(response.headers.get("ETag", ""))
    if etag and not etag.startswith("W/"):
        return etag
    return str(response.headers.get("Last-Modified", ""))


def _receive(
    response: http.client.HTTPResponse,
    first: bytes,
    draft: Path,
    total: int | None,
    patience: Patience,
    report: Report,
) -> int:
    """Append what comes; returns the bytes at hand."""
    watch = _SpeedWatch(patience)
    chunk = first
    with draft.open("ab") as file:
        at = file.tell()
        while chunk:
            file.write(chunk)
            at += len(chunk)
            report(at, total)
            watch.count(len(chunk))
            chunk = _next(response)
    return at


def _next(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(CHUNK_BYTES)  # what has come, without waiting for a whole chunk
    except (OSError, http.client.HTTPException) as error:
        raise TransferError(f"the connection broke ({_reason(error)})", again=True) from error


def _refuse_page(response: http.client.HTTPResponse, head: bytes) -> None:
    """No published file here is HTML: a page tells people of an error or of a login."""
    text = head.lstrip()[:100].lower()
    called_so = "text/html" in response.headers.get("Content-Type", "")
    if text.startswith((b"<!doctype html", b"<html")) or (called_so and text.startswith(b"<")):
        raise TransferError("a web page came instead of the file", again=False)


class _SpeedWatch:
    """Notices a server that sends, but so slowly that it never ends."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self.since = time.monotonic()
        self.bytes = 0

    def count(self, arrived: int) -> None:
        """Raise `TransferError` at the end of a window in which too little came."""
        self.bytes += arrived
        passed = time.monotonic() - self.since
        if passed < self.patience.window:
            return
        if self.bytes < self.patience.min_speed * passed:
            raise TransferError(f"only {self.bytes / passed:,.0f} bytes a second", again=False)
        self.since, self.bytes = time.monotonic(), 0
