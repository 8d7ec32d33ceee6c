"""One file from one address, resumed where an earlier attempt stopped.

The requests are made by requests. urllib3's ``Retry`` is not used, because it repeats a request,
while what breaks here is the body of a long download: the next attempt asks for the rest of it.
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
_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}  # status codes that may be gone a moment later

# Called with the bytes on disk and the bytes of the whole file, if known.
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
    """The server says that the bytes on disk are not the beginning of its file."""


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
class _Note:
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
        draft: what an earlier attempt left is resumed; a note about it lies beside it.
        size: bytes of the published file, if known.
        verified_later: whether a wrong byte will be noticed: then a part may be resumed from
            another address, or from one that names no version.
        patience: with the server.
        report: is told the progress.

    Raises:
        TransferError: if it is not whole; `draft` keeps what came.
        OSError: if the disk refuses it.
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
            raise TransferError(f"offers {total:,} bytes, published are {size:,}", again=False)
        first = _next(response)
        if not offset:
            _refuse_page(response, first)
            draft.unlink(missing_ok=True)  # the note that follows is not about its bytes
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
    """The answer whose body is still to be read."""
    import requests  # takes 0.15 s, which a corpus on the disk should not cost

    if not url.startswith(("http://", "https://")):
        raise TransferError("not an http address", again=False)
    # A compressed body has other offsets than the file.
    headers = {"User-Agent": "symbotunes", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if validator:
            headers["If-Range"] = validator
    try:
        response = requests.get(url, headers=headers, stream=True, timeout=timeout)
    except requests.RequestException as error:
        # Of an address that requests cannot use it says so by a ValueError.
        raise TransferError(_reason(error), again=not isinstance(error, ValueError)) from error
    if response.ok:
        response.raw.enforce_content_length = False  # `transfer` counts, and says how many came
        return response
    response.close()
    if response.status_code == 416:
        raise UnfitPart("the part on disk does not fit the file", again=True)
    again = response.status_code in _TRANSIENT
    raise TransferError(f"HTTP {response.status_code} {response.reason}", again=again)


def _reason(error: BaseException) -> str:
    """The first cause: "Connection refused" lies below three exceptions of the libraries."""
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
        raise TransferError("the server sent another range than asked for", again=False)
    return offset, int(match[2]) if match[2] != "*" else None


def _validator(response: Response) -> str:
    """What If-Range may compare: a strong ETag, else the date."""
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
    """Append what comes; returns the bytes on disk."""
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
    """What has come, without waiting for a whole chunk as `Response.iter_content` does."""
    from urllib3.exceptions import HTTPError

    try:
        chunk: bytes = response.raw.read1(CHUNK_BYTES, decode_content=False)
    except (HTTPError, OSError) as error:
        raise TransferError(f"the connection broke ({_reason(error)})", again=True) from error
    return chunk


def _refuse_page(response: Response, head: bytes) -> None:
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

    def count(self, received: int) -> None:
        """Raise `TransferError` at the end of a window in which too little came."""
        self.bytes += received
        passed = time.monotonic() - self.since
        if passed < self.patience.window:
            return
        if self.bytes < self.patience.min_speed * passed:
            raise TransferError(f"only {self.bytes / passed:,.0f} bytes a second", again=False)
        self.since, self.bytes = time.monotonic(), 0
