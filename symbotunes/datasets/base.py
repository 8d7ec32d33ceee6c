"""What every dataset is: a corpus that yields pieces and says where they come from."""

import hashlib
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from symbotunes.errors import UserError

# C0 and C1 controls, and those of the direction of text.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class DatasetError(UserError):
    """A dataset that cannot be read at all; the message says what to do."""


@dataclass(frozen=True)
class Dropped:
    """A piece that the corpus contains but that cannot be used.

    Attributes:
        id: where it was found.
        reason: a short phrase that receipts count.
        value: what the reason is about, such as the word that could not be read; may be empty.
    """

    id: str
    reason: str
    value: str = ""


TRAINING, HELD_OUT = "train", "held-out"  # sides, for versions that only one of them may use


class Piece(Protocol):
    """One piece of music with its provenance, in whatever notation."""

    @property
    def id(self) -> str:
        """Unique within its corpus."""

    @property
    def title(self) -> str:
        """Shown to people; may be empty."""

    @property
    def collection(self) -> str:
        """Book or folder that contains it; may be empty."""

    @property
    def split(self) -> str | None:
        """The split that the piece must go to; ``None`` lets `loader.split` decide."""

    @property
    def family(self) -> bytes:
        """Content of the piece that a step derived this one from; empty if no step did."""

    @property
    def work(self) -> str:
        """The source's name for the work, shared by all its versions; empty if it has none."""

    @property
    def only(self) -> str:
        """`TRAINING` or `HELD_OUT` for a version that only one side may use; empty for both."""

    def content(self) -> bytes:
        """Its normalized notes: equal for the same music, whatever else the file contains.

        Raises:
            ValueError: with a ``reason``, if the notes cannot be read.
        """


def split_key(piece: Piece) -> bytes:
    """Content of the piece that a step derived this one from, or its own.

    Splits by content are drawn from it; splits by family put pieces that share it into one family.

    Raises:
        ValueError: with a ``reason``, if the notes cannot be read.
    """
    return piece.family or piece.content()


class Corpus(ABC):
    """Where pieces come from; it knows neither tokens nor batches.

    A corpus is pickled and sent to worker processes, each of which reads some of the files, so its
    attributes are plain values.

    Every argument of a corpus is declared as one of five kinds, since a checkpoint names them too
    and may not decide all of them: see `symbotunes.checkpoints.arguments`.

    Attributes:
        FORMAT: kind of piece, compared with what the first transform reads (``abc`` or ``midi``).
        WRITES: arguments that name where files are downloaded or unpacked to.
        FETCHES: arguments that say whether, from where and what is downloaded.
        READS: arguments that name the user's files or folders, which are only read.
        CHOICES: arguments that are numbers or words, and name no files.
        PARTS: arguments that hold further corpora or steps.
    """

    FORMAT: str
    WRITES: ClassVar[tuple[str, ...]] = ()
    FETCHES: ClassVar[tuple[str, ...]] = ()
    READS: ClassVar[tuple[str, ...]] = ()
    CHOICES: ClassVar[tuple[str, ...]] = ()
    PARTS: ClassVar[tuple[str, ...]] = ()

    @property
    def name(self) -> str:
        """What people call it: a folder or file of the user's own by its name, others by class."""
        path = getattr(self, "path", None) if "path" in self.READS else None
        return (printable(Path(path).name) if path else "") or type(self).__name__

    @abstractmethod
    def files(self) -> list[Path]:
        """Every file of the corpus, in a fixed order; downloaded and unpacked first if needed.

        Raises:
            DatasetError: if there is nothing to read, saying what to do.
        """

    @abstractmethod
    def read(self, path: Path) -> Iterator[Piece | Dropped]:
        """The pieces of one of the `files`, in a fixed order; broken ones come as `Dropped`."""

    def pieces(self) -> Iterator[Piece | Dropped]:
        """All pieces, file by file."""
        for path in self.files():
            yield from self.read(path)

    @property
    def validates(self) -> bool:
        """Whether it has its own validation pieces, so that none are held out from the others."""
        return False

    def is_at_hand(self) -> bool:
        """Whether `files` needs no download; a corpus with `WRITES` checks what is on disk."""
        return not self.WRITES

    def owns(self, path: Path) -> bool:
        """Whether a path is one of the `files`; subclasses decide without listing them."""
        return path in self.files()

    def checksum(self) -> str:
        """What changes whenever the files do, wherever they lie: SHA-256, hexadecimal.

        It covers their bytes, their names and the names of the folders that they are in.
        """
        return checksum(self.files())


def checksum(files: Iterable[Path], root: Path | None = None) -> str:
    """SHA-256 over names and bytes of the files in the order given, hexadecimal.

    Args:
        files: the files.
        root: names begin below this folder; ``None``: with the folder of each file.
    """
    digest = hashlib.sha256()
    for path in files:
        name = path.relative_to(path.parent.parent if root is None else root)
        digest.update(os.fsencode(name))
        try:
            digest.update(sha256_of(path).encode())
        except OSError:  # reading the file reports why it is left out
            digest.update(b"unreadable")
    return digest.hexdigest()


def printable(name: str) -> str:
    r"""A name from a stranger's file as text that is safe to show, whatever bytes it has on disk.

    What UTF-8 cannot encode, and characters that control terminals or the direction of text, are
    written as escapes such as ``\x1b``.
    """
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return _CONTROLS.sub(lambda match: ascii(match[0])[1:-1], text)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal; memory does not grow with the file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
