"""The interface of tokenizers, which convert pieces of music to ids and back."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import symusic
from numpy.typing import NDArray

from symbotunes.music.abc.tokens import Phrase
from symbotunes.music.chorale.layout import VoiceLayout
from symbotunes.music.excerpt import Excerpt
from symbotunes.music.grid.melody import MelodyClasses
from symbotunes.music.performance.events import EventLayout

Piece = TypeVar("Piece")
Ids = NDArray[np.integer[Any]]  # [T], or [T, F] where a time step has F numbers
# One example as token strings, or any number of examples as token strings or as ids.
Tokenized = Sequence[str] | Sequence[Sequence[str]] | Sequence[Ids]


NO_ID = -1  # in place of ``bos`` and ``eos`` if examples have neither


class Unencodable(ValueError):
    """A piece that a tokenizer cannot express.

    Attributes:
        reason: a short phrase, the same for all pieces with the same problem, so that receipts can
            count it.
        detail: what it is about, such as the value that was read; may be empty.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Vocabulary:
    """All that a model knows about its tokens.

    Attributes:
        size: number of distinct ids, special tokens included; ids are ``0 .. size - 1``.
        bos: id at the beginning of every piece, or `NO_ID`.
        eos: id at the end of every piece, at which generation stops; or `NO_ID`.
        opening: where pieces have no ``bos``, the ordinary id after which generation begins;
            `NO_ID` for windows, which are not continued.
        used: ascending ranges of the ids that occur, if others never do, so that a network can do
            without their embeddings; ``None``: all ids.
    """

    size: int
    bos: int
    eos: int
    opening: int = NO_ID
    used: tuple[range, ...] | None = None

    @property
    def rows(self) -> int:
        """How many ids occur: the length of a table with a row for each of them."""
        return self.size if self.used is None else sum(map(len, self.used))

    def occurs(self, ids: Ids) -> NDArray[np.bool_]:
        """Which ids occur, in an array of the same shape."""
        if self.used is None:
            return (ids >= 0) & (ids < self.size)
        inside = np.zeros(ids.shape, np.bool_)
        for part in self.used:
            inside |= (ids >= part.start) & (ids < part.stop)
        return inside

    @property
    def first(self) -> int:
        """The id that a model reads before it writes anything: ``bos``, or `opening`."""
        return self.opening if self.bos == NO_ID else self.bos

    def framed(self, ids: Ids) -> Ids:
        """An example with ``bos`` before and ``eos`` after it, if there are such ids."""
        before, after = ([index] if index != NO_ID else [] for index in (self.bos, self.eos))
        return np.concatenate([np.array(before, np.int64), ids, np.array(after, np.int64)])


@dataclass(frozen=True)
class GrammarCheck:
    """Number of errors that a tokenizer's grammar finds; each tokenizer defines what is an error.

    Attributes:
        errors: about one per token at most; more where signs are missing.
        tokens: number of tokens, without special ones; merged ones count as their parts.
    """

    errors: int
    tokens: int


@dataclass(frozen=True)
class Rendition:
    """Music decoded from tokens, and what is wrong with it.

    Attributes:
        score: the notes.
        abc: ABC notation, if the tokens stand for it.
        problems: remarks for people; empty for well-formed music.
        bars: number of bars whose length can be judged, if tokens have bars.
        right_bars: how many of them have the length that the meter requires.
        phrase: the parsed tokens, if they stand for ABC, so that they need not be parsed again.
        grammar: errors in the tokens, not counting bars of the wrong length; ``None`` if any tokens
            are allowed.
    """

    score: symusic.Score
    abc: str | None = None
    problems: tuple[str, ...] = ()
    bars: int | None = None
    right_bars: int | None = None
    phrase: Phrase | None = None
    grammar: GrammarCheck | None = None


class Tokenizer(ABC, Generic[Piece]):
    """Maps a piece to token strings, token strings to ids, and back; or a piece to ids directly.

    A `TextTokenizer` with an open vocabulary returns token strings and chooses its ids in `fit`;
    the two phases, strings before ids, allow fitting without reading every piece twice. A closed
    vocabulary returns ids. Byte pairs are a third kind: ids that `fit_ids` learns from and `recode`
    merges. The vocabulary exists from the start, or once `fit`, `fit_ids` or `load_state` has been
    called.

    Attributes:
        SCHEMA: version of `tokenize`, increased whenever its results change, so that old caches are
            not used.
        FORMAT: the kind of piece it reads, compared with ``Corpus.FORMAT``.
        FIELDS: numbers per time step, F.
        FRAMED: whether models read ``bos`` before an example and ``eos`` after it, as far as there
            are these; windows of fixed length and excerpts have neither.
        TRIPLETS: whether examples are triplets of `symbotunes.music.arrival`, which can be cut into
            blocks.
        RECODES: whether `recode` changes ids.
        STATE: keys of `state`, by which published weights are checked to fit; ``None``: any.
        keys: of a collection whose tunes are moved to C, with how many have each; samples are moved
            back to one of them. Empty if that is not known.
        added: tokens that steps after the tokenizer declare. Their ids follow its own, which they
            do not change; its methods neither return nor read them.
    """

    SCHEMA: ClassVar[int]
    FORMAT: ClassVar[str]
    FIELDS: ClassVar[int] = 1
    FRAMED: ClassVar[bool] = True
    TRIPLETS: ClassVar[bool] = False
    RECODES: bool = False
    STATE: ClassVar[tuple[str, ...] | None] = None
    keys: Mapping[str, int] = MappingProxyType({})
    added: tuple[str, ...] = ()

    @property
    def text(self) -> "TextTokenizer[Piece] | None":
        """This tokenizer, if its ids have token strings; else ``None``."""
        return None

    @property
    def steps(self) -> int | None:
        """T, if all examples are windows of the same length; else ``None``."""
        return None

    @property
    def events(self) -> EventLayout | None:
        """Which ids stand for which performance events, if ids are such events; else ``None``."""
        return None

    @property
    def voices(self) -> VoiceLayout | None:
        """Which ids stand for what four voices sing, if each id is a note slot; else ``None``."""
        return None

    @property
    def pitch_classes(self) -> MelodyClasses | None:
        """The pitches of ids, if each id is a class of a melody step; else ``None``."""
        return None

    @abstractmethod
    def tokenize(self, piece: Piece) -> Tokenized:
        """The examples of a piece, without ``bos`` and ``eos``.

        Runs in worker processes, before and after the vocabulary is known, so it must not depend on
        the vocabulary.

        Raises:
            Unencodable: if the piece cannot be expressed, with a reason for the receipt.
        """

    def remarks(self, piece: Piece) -> Sequence[str]:  # noqa: ARG002
        """What receipts count of a piece that `tokenize` accepts: what is doubtful about it."""
        return ()

    def fit(self, counts: Mapping[str, int]) -> None:  # noqa: B027  (closed ones need none)
        """Choose the vocabulary, given how often each token string occurs in training examples."""

    def fit_ids(self, examples: Iterable[Ids]) -> None:  # noqa: B027  (most need none)
        """Learn from the ids of all training examples; called if `RECODES`."""

    def recode(self, ids: Ids) -> Ids:
        """Apply what `fit_ids` learned to one example."""
        return ids

    def bar_starts(self, ids: Ids) -> NDArray[np.int64]:
        """Where bars begin in an example without ``bos`` and ``eos``: ascending indices.

        Whatever precedes the first applies to all bars, such as the meter.

        Raises:
            NotImplementedError: if the tokens have no bars.
        """
        raise NotImplementedError

    def split_bars(self, ids: Ids) -> list[Ids]:  # noqa: ARG002
        """Cut an example into signs and music.

        Returns:
            An odd number of parts: those at even indices hold bar signs, meter and key, and may be
            empty; those at odd indices hold the music of a bar, or of the part of it before or
            after a repeat sign. End to end they stand for the example.

        Raises:
            NotImplementedError: if the tokens have no bars.
        """
        raise NotImplementedError(type(self).__name__)

    def begins_note(self, ids: Ids) -> NDArray[np.bool_] | None:  # noqa: ARG002
        """``[T]`` whether each id begins a note, so that cuts can avoid silence.

        ``None`` if the tokenizer does not tell; its examples are then cut anywhere.
        """
        return None

    @abstractmethod
    def render_ids(self, ids: Ids, title: str, *, number: int = 1) -> Rendition:
        """Decode ids without ``bos`` and ``eos``; never raises.

        Args:
            ids: of one example.
            title: shown to people.
            number: of the piece in its set, counted from 1.
        """

    @property
    @abstractmethod
    def vocabulary(self) -> Vocabulary:
        """Size and special ids; raises ``RuntimeError`` if there is none yet."""

    @property
    def model_vocabulary(self) -> Vocabulary:
        """`vocabulary` and the ids of `added` tokens: what a network is built for."""
        own = self.vocabulary
        if not self.added:
            return own
        size = own.size + len(self.added)
        used = None if own.used is None else (*own.used, range(own.size, size))
        return replace(own, size=size, used=used)

    def added_id(self, token: str) -> int:
        """The id of an `added` token.

        Raises:
            ValueError: if it was not added.
        """
        return self.vocabulary.size + self.added.index(token)

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
    """A tokenizer whose ids correspond to strings, one to one; models can be prompted with them.

    Attributes:
        MOVES_TO_C: whether `tokenize` moves every tune to the tonic C.
        KEEPS_CHANGES: whether its tunes may change meter and key.
    """

    MOVES_TO_C: bool = False
    KEEPS_CHANGES: bool = False

    @property
    def text(self) -> "TextTokenizer[Piece]":
        return self

    @property
    def abc_tokens(self) -> Sequence[str] | None:
        """The token of every id, if these are ABC tokens of the grammar; else ``None``."""
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
        """Decode token strings, even if they are not well-formed; never raises.

        Args:
            tokens: as returned by `decode`.
            title: shown to people.
            number: of the piece in its set, counted from 1.
        """

    def render_ids(self, ids: Ids, title: str, *, number: int = 1) -> Rendition:
        return self.render(self.decode(ids.tolist()), title, number=number)

    @abstractmethod
    def prompt(self, text: str) -> list[int]:
        """Ids of a prompt that a user typed, without ``bos``.

        Raises:
            ValueError: one line that names what cannot be read, and the nearest known token.
        """

    def prompt_from(
        self,
        path: Path,
        bars: int | Excerpt,  # noqa: ARG002
        track: str | int | None = None,  # noqa: ARG002
    ) -> list[int]:
        """Ids of some bars of a file, without ``bos``; by default no file can be read.

        Args:
            path: of a file in a format that the tokenizer reads.
            bars: how many from the beginning, not counting an upbeat, or which.
            track: name or number of the only track that is read; ``None``: all.

        Raises:
            ValueError: one line that says why the file cannot be a prompt.
        """
        raise ValueError(f"the model cannot continue a {path.suffix or 'nameless'} file")

    def token_class(self, token: str) -> str:  # noqa: ARG002
        """The class of a token, a word such as ``pitch``, by which reports group losses.

        Pieces with the same ``meter`` and ``key`` tokens are of the same kind.
        """
        return "token"


def examples_in(tokenized: Any) -> list[Any]:
    """The examples in the result of `Tokenizer.tokenize`, as a list."""
    if isinstance(tokenized, np.ndarray):
        return list(tokenized)
    examples = list(tokenized)
    return [examples] if examples and isinstance(examples[0], str) else examples
