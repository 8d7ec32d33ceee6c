"""Files in parts: browsers can only jump within sound that is served in ranges of bytes."""

import re

from starlette.requests import Request
from starlette.responses import Response

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def ranged(request: Request, content: bytes, media_type: str, headers: dict[str, str]) -> Response:
    """A response with all of a file, or the range that is asked for (RFC 9110, section 14).

    Args:
        request: with a header ``Range`` or not; several ranges count as none.
        content: of the file.
        media_type: of the file.
        headers: further ones.
    """
    headers = {**headers, "Accept-Ranges": "bytes"}
    match = _RANGE.fullmatch(request.headers.get("range", ""))
    if match is None or match.groups() == ("", ""):
        return Response(content, 200, headers, media_type)
    first, last = match.groups()
    size = len(content)
    if first:
        start, end = int(first), min(size, int(last) + 1 if last else size)
    else:
        start, end = max(0, size - int(last)), size
    if start >= end:
        return Response(b"", 416, {**headers, "Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return Response(content[start:end], 206, headers, media_type)
