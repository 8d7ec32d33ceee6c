"""What every dataset is: a corpus that yields pieces and says where they come from."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from symbotunes.errors import UserError


class DatasetError(UserError):
    """A dataset that cannot be read at all; the message says what to do."""


@dataclass(frozen=True)
class Dropped:
    """A piece that was found but cannot be used.

    Attributes:
        id: where it was found.
        reason: a short phrase that receipts count.
    """

    id: str
    reason: str


class Corpus(ABC):
    """Where pieces come from; it knows neither tokens nor batches.

    Attributes:
        FORMAT: kind of piece, compared with what the first transform reads (``abc`` or ``midi``).
    """

    FORMAT: ClassVar[str]

    @abstractmethod
    def files(self) -> list[Path]:
        """Every file that `pieces` reads, in a fixed order.

        Raises:
            DatasetError: if there is nothing to read, saying what to do.
        """

    @abstractmethod
    def pieces(self) -> Iterator[Any | Dropped]:
        """All pieces in a fixed order; what cannot be read comes as `Dropped`."""

    def checksum(self) -> str:
        """SHA-256 over names and bytes of all files, hexadecimal."""
        return checksum(self.files())


def checksum(files: Iterable[Path]) -> str:
    """SHA-256 over names and bytes of the files in the order given, hexadecimal."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
