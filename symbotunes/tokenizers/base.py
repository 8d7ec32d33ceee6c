"""What every tokenizer is: the one bridge between pieces of music and ids."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import symusic

Piece = TypeVar("Piece")


class Unencodable(ValueError):
    """A piece that a tokenizer cannot express.

    Attributes:
        reason: a short phrase that receipts count, the same for all pieces with the same trouble.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


@dataclass(frozen=True)
class Vocabulary:
    """The only thing a model knows about the music it models.

    Attributes:
        size: number of distinct ids, special tokens included; ids are ``0 .. size - 1``.
        bos: id that opens every piece.
        eos: id that closes every piece; generation stops on it.
    """

    size: int
    bos: int
    eos: int


@dataclass(frozen=True)
class Rendition:
    """Tokens turned back into music, and what is wrong with them.

    Attributes:
        score: the notes, ready to be played.
        abc: ABC notation, where the tokens stand for it.
        problems: remarks in words; empty for well-formed music.
        bars: number of bars whose length can be judged, where tokens know bars.
        right_bars: how many of them have the length that the meter asks for.
    """

    score: symusic.Score
    abc: str | None = None
    problems: tuple[str, ...] = ()
    bars: int | None = None
    right_bars: int | None = None


class Tokenizer(ABC, Generic[Piece]):
    """Maps a piece to token strings, token strings to ids, and back.

    The vocabulary exists once `fit` or `load_state` has been called. Two phases, strings before
    ids, let a vocabulary be fitted without reading every piece twice.

    Attributes:
        SCHEMA: raised whenever `tokenize` changes its answer, so that old caches are not read.
        FORMAT: the kind of piece it reads, compared with ``Corpus.FORMAT``.
    """

    SCHEMA: ClassVar[int]
    FORMAT: ClassVar[str]

    @abstractmethod
    def tokenize(self, piece: Piece) -> list[str]:
        """The piece as token strings, without the tokens that open and close it.

        Raises:
            Unencodable: if the piece cannot be expressed, with a reason fit for a receipt.
        """

    @abstractmethod
    def fit(self, corpus: Iterable[Sequence[str]]) -> None:
        """Choose the vocabulary, given the token strings of every training piece."""

    @abstractmethod
    def encode(self, tokens: Sequence[str]) -> list[int]:
        """Ids of token strings, one to one, without ``bos`` and ``eos``.

        Raises:
            Unencodable: if a token is not in the vocabulary.
        """

    @abstractmethod
    def decode(self, ids: Sequence[int]) -> list[str]:
        """Token strings of ids; ``bos`` and ``eos`` are left out."""

    @abstractmethod
    def render(self, tokens: Sequence[str], title: str, *, number: int = 1) -> Rendition:
        """The music that token strings stand for, however imperfect they are; never raises.

        Args:
            tokens: as `decode` gives them.
            title: for people.
            number: of the piece in its set, counted from 1.
        """

    @abstractmethod
    def prompt(self, text: str) -> list[int]:
        """Ids of a beginning that a user typed, without ``bos``.

        Raises:
            ValueError: one line that names what cannot be read and the nearest that can.
        """

    def prompt_from(self, path: Path, bars: int) -> list[int]:  # noqa: ARG002
        """Ids of the first bars of a file, without ``bos``; tokenizers that can read one override.

        Args:
            path: of a kind that the tokenizer knows.
            bars: how many, an upbeat not counted.

        Raises:
            ValueError: one line that says why the file is no beginning.
        """
        raise ValueError(f"the model's tokens cannot go on from a {path.suffix or 'nameless'} file")

    def token_class(self, token: str) -> str:  # noqa: ARG002  (a tokenizer that knows overrides it)
        """What kind of token it is, in a word such as ``pitch``: reports count losses by it.

        Pieces that agree in their ``meter`` and ``key`` tokens are of one kind.
        """
        return "token"

    @property
    @abstractmethod
    def vocabulary(self) -> Vocabulary:
        """Sizes and special ids; raises ``RuntimeError`` before `fit` or `load_state`."""

    @property
    def fitted(self) -> bool:
        """Whether the vocabulary is known."""
        try:
            return self.vocabulary.size > 0
        except RuntimeError:
            return False

    @abstractmethod
    def state(self) -> Mapping[str, Any]:
        """Plain values (JSON) from which `load_state` restores the vocabulary."""

    @abstractmethod
    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` returned."""
