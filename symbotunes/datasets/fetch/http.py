"""One file from one address, resumed where an earlier attempt stopped.

The requests library makes the requests. urllib3's ``Retry`` is not used, because it repeats whole
requests, whereas here the body of a long download breaks off: the next attempt asks for the rest.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from requests import Response

CHUNK_BYTES = 2**18
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")
_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}  # status codes of errors that may be temporary

# Called with the bytes on disk and the bytes of the whole file, if known.
Report = Callable[[int, int | None], None]


class TransferError(Exception):
    """A transfer that did not succeed.

    Attributes:
        again: whether another attempt at the same address may succeed.
    """

    def __init__(self, message: str, *, again: bool) -> None:
        super().__init__(message)
        self.again = again


class UnfitPart(TransferError):
    """The server says that the bytes on disk are not the beginning of its file."""


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server.

    Attributes:
        timeout: seconds without a byte after which a connection counts as dead.
        window: seconds over which the speed is judged.
        min_speed: bytes per second below which a server counts as too slow.
        attempts: how often in a row an address may fail without sending at least as much as one
            timeout at `min_speed` would.
        pause: seconds before the second attempt; doubled before each further one.
    """

    timeout: float = 30.0
    window: float = 60.0
    min_speed: float = 1024.0
    attempts: int = 4
    pause: float = 1.0


@dataclass(frozen=True)
class _Note:
    """What is known about the complete file, of which a part is on disk.

    Attributes:
        url: where the part came from.
        validator: strong ETag or date that names this version of the file, or empty.
        total: bytes of the complete file, if known.
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
    """Make one attempt to leave the complete file at `draft`.

    Args:
        url: http or https.
        draft: a part left by an earlier attempt is resumed; a note about it is kept next to it.
        size: bytes of the published file, if known.
        verified_later: whether a wrong byte will be noticed; if so, a part may be resumed from
            another address, or from one that identifies no version.
        patience: how long to wait for the server.
        report: called with the progress.

    Raises:
        TransferError: if the file is not complete; `draft` keeps what was received.
        OSError: if it cannot be written.
    """
    note_path = draft.with_name(f"{draft.name}.json")
    note = _read_note(note_path) if draft.is_file() else None
    same = note is not None and note.url == url and note.validator != ""
    offset = draft.stat().st_size if note and (same or verified_later) else 0
    if note and offset and offset == (size or note.total):
        return
    validator = note.validator if note and same else ""
    try:
        response = _get(url, offset, validator, patience.timeout)
    except UnfitPart:
        draft.unlink()
        raise
    with response:
        offset, total = _extent(response, offset)
        if size is not None and total is not None and total != size:
            raise TransferError(f"offers {total:,} bytes, but {size:,} were published", again=False)
        first = _next(response)
        if not offset:
            _refuse_page(response, first)
            draft.unlink(missing_ok=True)  # the note written next is not about its bytes
        note_path.write_text(json.dumps(asdict(_Note(url, _validator(response), total))))
        received = _receive(response, first, draft, total, patience, report)
    expected = size if size is not None else total
    if expected is not None and received != expected:
        raise TransferError(f"{received:,} of {expected:,} bytes arrived", again=True)


def _read_note(path: Path) -> _Note | None:
    try:
        return _Note(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _get(url: str, offset: int, validator: str, timeout: float) -> Response:
    """The response, with its body still to be read."""
    import requests  # takes 0.15 s, which a corpus on disk should not cost

    if not url.startswith(("http://", "https://")):
        raise TransferError("not an http address", again=False)
    # Offsets in a compressed body are not those of the file.
    headers = {"User-Agent": "symbotunes", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if validator:
            headers["If-Range"] = validator
    try:
        response = requests.get(url, headers=headers, stream=True, timeout=timeout)
    except requests.RequestException as error:
        # For an address that it cannot use, requests raises a subclass of ValueError.
        raise TransferError(_reason(error), again=not isinstance(error, ValueError)) from error
    if response.ok:
        response.raw.enforce_content_length = (
            False  # `transfer` counts, and reports how many arrived
        )
        return response
    response.close()
    if response.status_code == 416:
        raise UnfitPart("the part on disk does not fit the file", again=True)
    again = response.status_code in _TRANSIENT
    raise TransferError(f"HTTP {response.status_code} {response.reason}", again=again)


def _reason(error: BaseException) -> str:
    """The original cause: the libraries wrap "Connection refused" in three exceptions."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return str(error).strip() or type(error).__name__


def _extent(response: Response, offset: int) -> tuple[int, int | None]:
    """Where in the file the body begins, and how many bytes the file has."""
    if response.status_code != 206:
        # The server ignores ranges, or the file has changed.
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdigit() else None
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if not match or match[1] is None or int(match[1]) != offset:
        raise TransferError("the server sent a different range than requested", again=False)
    return offset, int(match[2]) if match[2] != "*" else None


def _validator(response: Response) -> str:
    """A value for If-Range to compare: a strong ETag, else the date; may be empty."""
    etag = response.headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return etag
    return response.headers.get("Last-Modified", "")


def _receive(
    response: Response,
    first: bytes,
    draft: Path,
    total: int | None,
    patience: Patience,
    report: Report,
) -> int:
    """Append what the server sends; returns the number of bytes on disk."""
    watch = _SpeedWatch(patience)
    chunk = first
    with draft.open("ab") as file:
        received = file.tell()
        while chunk:
            file.write(chunk)
            received += len(chunk)
            report(received, total)
            watch.count(len(chunk))
            chunk = _next(response)
    return received


def _next(response: Response) -> bytes:
    """What has arrived, without waiting for a full chunk as `Response.iter_content` does."""
    from urllib3.exceptions import HTTPError

    try:
        chunk: bytes = response.raw.read1(CHUNK_BYTES, decode_content=False)
    except (HTTPError, OSError) as error:
        raise TransferError(f"the connection broke ({_reason(error)})", again=True) from error
    return chunk


def _refuse_page(response: Response, head: bytes) -> None:
    """Refuse HTML: no published file is HTML, so this is an error page or a login page."""
    text = head.lstrip()[:100].lower()
    is_declared = "text/html" in response.headers.get("Content-Type", "")
    if text.startswith((b"<!doctype html", b"<html")) or (is_declared and text.startswith(b"<")):
        raise TransferError("the server sent a web page instead of the file", again=False)


class _SpeedWatch:
    """Detects a server that sends so slowly that the transfer would never end."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self.since = time.monotonic()
        self.bytes = 0

    def count(self, received: int) -> None:
        """Count bytes; raises `TransferError` after a window in which too few arrived."""
        self.bytes += received
        seconds = time.monotonic() - self.since
        if seconds < self.patience.window:
            return
        if self.bytes < self.patience.min_speed * seconds:
            raise TransferError(f"only {self.bytes / seconds:,.0f} bytes per second", again=False)
        self.since, self.bytes = time.monotonic(), 0
