"""How the studio is started."""

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from symbotunes.errors import UserError

PORTS = 2**16


@dataclass(frozen=True, kw_only=True)
class StudioSettings:
    """Where the studio listens, and what it offers.

    Attributes:
        host: address of the interface.
        port: 0: a free one.
        remote: whether `host` may be an interface that other machines reach.
        open: whether the page is opened in a browser.
        models: further models for the menu: checkpoints, folders, or ``hub:owner/name``.
        session: folder of an earlier session to go on with; ``None``: a new one.

    Raises:
        UserError: if a value is out of range, or other machines would reach the studio.
    """

    host: str = "127.0.0.1"
    port: int = 0
    remote: bool = False
    open: bool = False
    models: Sequence[str] = ()
    session: str | None = None

    def __post_init__(self) -> None:
        is_number = isinstance(self.port, int) and not isinstance(self.port, bool)
        if not is_number or not 0 <= self.port < PORTS:
            raise UserError(f"play.port={self.port}: must be a whole number from 0 to {PORTS - 1}")
        if isinstance(self.models, str):
            raise UserError(f"play.models={self.models}: must be a list, such as [PATH]")
        if not self.remote and not is_loopback(self.host):
            raise UserError(
                f"play.host={self.host}: other machines could reach the studio there; "
                "set play.remote=true if they may, on a network that you trust"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """What the studio may be called in addresses, besides numbers of `remote` interfaces."""
        local = ("127.0.0.1", "localhost", "[::1]")
        return (*local, self.host, socket.gethostname()) if self.remote else local


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an interface."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
