"""Who may ask the studio: its own page alone.

Any page that a browser shows can send requests to 127.0.0.1. Three checks keep them out: the token
in the address, which others do not know; ``Host``, which tells a foreign name that was pointed at
this machine (DNS rebinding); and ``Origin``, which tells the page that asks.
"""

import hmac
import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST = 20 * 2**20  # bytes of a request
TOKEN, HEADER = "token", "x-token"  # in addresses, which links and media have alone; in requests
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Door:
    """Who is let in.

    Attributes:
        token: that requests must bring.
        names: hosts under which the studio may be asked.
        remote: whether any number of an interface may be one too.
    """

    token: str
    names: Collection[str]
    remote: bool = False

    def refusal(self, headers: Headers, query: QueryParams, *, open_to_all: bool) -> str:
        """Why a request is refused, in a line; empty if it is not.

        Args:
            headers: of the request.
            query: of its address.
            open_to_all: whether no token is needed, as for the page's own styles and scripts.
        """
        host = headers.get("host", "")
        if not self._is_ours(host):
            return "The studio is not called by this name; open the address that it printed."
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return "Another page asks; only the studio's own page may."
        if headers.get("sec-fetch-site") == "cross-site":
            return "Another page asks; only the studio's own page may."
        given = headers.get(HEADER) or query.get(TOKEN) or ""
        if not open_to_all and not hmac.compare_digest(given.encode(), self.token.encode()):
            return "The token is missing or wrong; open the address that the studio printed."
        return ""

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
            bracketed = f"[{name}]" if ":" in name else name
        except ValueError:
            return False
        if {name, bracketed} & {known.lower() for known in self.names}:
            return True
        return self.remote and _is_number(name)


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class TooLarge(Exception):
    """A request has more bytes than are read.

    Args:
        largest: number of bytes that are.
    """

    def __init__(self, largest: int) -> None:
        megabytes = largest / 2**20
        super().__init__(f"This is more than the {megabytes:g} MB that the studio reads at once.")


class Guard:
    """The checks around an application, which also limit requests and set headers.

    Args:
        app: the application.
        door: who is let in.
        free: beginning of the paths that need no token.
        largest: bytes of a request that are read.
    """

    def __init__(self, app: ASGIApp, door: Door, free: str, largest: int = LARGEST) -> None:
        self.app = app
        self.door = door
        self.free = free
        self.largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # web sockets
            return
        answer = self._refusal(scope)
        sending = _with_headers(send)
        if answer is not None:
            await answer(scope, receive, sending)
            return
        await self.app(scope, self._limited(receive), sending)

    def _refusal(self, scope: Scope) -> Response | None:
        headers, query = Headers(scope=scope), QueryParams(scope["query_string"])
        path = str(scope["path"])
        is_free = path.startswith(self.free)
        if why := self.door.refusal(headers, query, open_to_all=is_free):
            if path.startswith("/api/"):
                return JSONResponse({"error": why}, 403)
            return PlainTextResponse(why + "\n", 403)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self.largest:
            return self._too_large()
        return None

    def _too_large(self) -> Response:
        return JSONResponse({"error": str(TooLarge(self.largest))}, 413, {"Connection": "close"})

    def _limited(self, receive: Receive) -> Receive:
        """As `receive`, but it raises `TooLarge` once more has come than is read."""
        total = 0

        async def limited() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self.largest:
                raise TooLarge(self.largest)
            return message

        return limited


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
