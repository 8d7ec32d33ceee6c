"""What every tokenizer is: the one bridge between pieces of music and ids."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import symusic
from numpy.typing import NDArray

from symbotunes.music.abc.tokens import Phrase
from symbotunes.music.grid.melody import MelodyClasses

Piece = TypeVar("Piece")
Ids = NDArray[np.integer[Any]]  # [T], or [T, F] where a time step has F numbers
# One example as token strings, or any number of examples as token strings or as ids.
Tokenized = Sequence[str] | Sequence[Sequence[str]] | Sequence[Ids]


NO_ID = -1  # in place of ``bos`` and ``eos`` where nothing opens or closes an example


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
        bos: id that opens every piece, or `NO_ID`.
        eos: id that closes every piece; generation stops on it; or `NO_ID`.
    """

    size: int
    bos: int
    eos: int


@dataclass(frozen=True)
class GrammarCheck:
    """How many errors a tokenizer's grammar finds; each class says what is one.

    Attributes:
        errors: at most about one per token; more where signs are missing.
        tokens: that were read, special ones left out, merged ones taken apart.
    """

    errors: int
    tokens: int


@dataclass(frozen=True)
class Rendition:
    """Tokens turned back into music, and what is wrong with them.

    Attributes:
        score: the notes, ready to be played.
        abc: ABC notation, where the tokens stand for it.
        problems: remarks in words; empty for well-formed music.
        bars: number of bars whose length can be judged, where tokens know bars.
        right_bars: how many of them have the length that the meter asks for.
        phrase: what was parsed, where the tokens stand for ABC, so that nobody parses it again.
        grammar: errors in the tokens; ``None`` where any tokens are right. Bars of the wrong length
            are none.
    """

    score: symusic.Score
    abc: str | None = None
    problems: tuple[str, ...] = ()
    bars: int | None = None
    right_bars: int | None = None
    phrase: Phrase | None = None
    grammar: GrammarCheck | None = None


class Tokenizer(ABC, Generic[Piece]):
    """Maps a piece to token strings, token strings to ids, and back; or a piece to ids at once.

    A `TextTokenizer` with an open vocabulary gives token strings and chooses its ids in `fit`; two
    phases, strings before ids, let it be fitted without reading every piece twice. A closed
    vocabulary gives ids. Byte-pair
    merges and the like are a third kind: ids that `fit_ids` learns from and `recode` changes.
    The vocabulary exists once `fit`, `fit_ids` or `load_state` has been called, or from the start.

    Attributes:
        SCHEMA: raised whenever `tokenize` changes its answer, so that old caches are not read.
        FORMAT: the kind of piece it reads, compared with ``Corpus.FORMAT``.
        FIELDS: numbers per time step, F.
        FRAMED: whether models read ``bos`` before an example and ``eos`` after it; windows of fixed
            length have neither.
        RECODES: whether `recode` has something to do.
        STATE: keys of `state`, by which weights from elsewhere are told to fit; ``None``: any.
    """

    SCHEMA: ClassVar[int]
    FORMAT: ClassVar[str]
    FIELDS: ClassVar[int] = 1
    FRAMED: ClassVar[bool] = True
    RECODES: bool = False
    STATE: ClassVar[tuple[str, ...] | None] = None

    @property
    def text(self) -> "TextTokenizer[Piece] | None":
        """The same tokenizer, where its ids are written as token strings."""
        return None

    @property
    def steps(self) -> int | None:
        """T, where all examples are windows of one length."""
        return None

    @property
    def pitch_classes(self) -> MelodyClasses | None:
        """What ids stand for, where each is the class of a melody's step."""
        return None

    @abstractmethod
    def tokenize(self, piece: Piece) -> Tokenized:
        """The examples of a piece, without the tokens that open and close them.

        Runs in worker processes, before and after the vocabulary is known: it must not depend on
        it.

        Raises:
            Unencodable: if the piece cannot be expressed, with a reason fit for a receipt.
        """

    def fit(self, counts: Mapping[str, int]) -> None:  # noqa: B027  (closed ones need none)
        """Choose the vocabulary, given how often each token string occurs in training examples."""

    def fit_ids(self, examples: Iterable[Ids]) -> None:  # noqa: B027  (most need none)
        """Learn from the ids of all training examples, where `RECODES` says so."""

    def recode(self, ids: Ids) -> Ids:
        """What `fit_ids` learned, applied to one example."""
        return ids

    def bar_starts(self, ids: Ids) -> NDArray[np.int64]:
        """Where bars begin in an example without ``bos`` and ``eos``: indices, rising.

        What precedes the first of them is the head that holds for all bars, such as the meter.

        Raises:
            NotImplementedError: by tokenizers that do not know bars.
        """
        raise NotImplementedError

    @abstractmethod
    def render_ids(self, ids: Ids, title: str, *, number: int = 1) -> Rendition:
        """The music that ids stand for, without ``bos`` and ``eos``; never raises.

        Args:
            ids: of one example.
            title: for people.
            number: of the piece in its set, counted from 1.
        """

    @property
    @abstractmethod
    def vocabulary(self) -> Vocabulary:
        """Sizes and special ids; raises ``RuntimeError`` while there is none."""

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


class TextTokenizer(Tokenizer[Piece]):
    """A tokenizer whose ids are written as strings, one to one, which can be read and prompted by.

    Attributes:
        MOVES_TO_C: whether `tokenize` moves every tune to the tonic C.
    """

    MOVES_TO_C: bool = False

    @property
    def text(self) -> "TextTokenizer[Piece]":
        return self

    @property
    def abc_tokens(self) -> Sequence[str] | None:
        """What every id is called, where ids are tokens of ABC that the grammar knows."""
        return None

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

    def render_ids(self, ids: Ids, title: str, *, number: int = 1) -> Rendition:
        return self.render(self.decode(ids.tolist()), title, number=number)

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


def examples_in(tokenized: Any) -> list[Any]:
    """The examples that a tokenizer gave: one as token strings, or many of either kind."""
    if isinstance(tokenized, np.ndarray):
        return list(tokenized)
    examples = list(tokenized)
    return [examples] if examples and isinstance(examples[0], str) else examples
