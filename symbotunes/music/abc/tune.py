"""A tune as it was found: ABC text and where it comes from."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, cast

from symbotunes.music.abc.normalize import NormalTune, Root
from symbotunes.music.abc.reader import ParsedTune
from symbotunes.music.abc.tokens import Phrase

if TYPE_CHECKING:
    from symbotunes.music.abc.normalize import NormalTune, Root
    from symbotunes.music.abc.reader import ParsedTune
    from symbotunes.music.abc.tokens import Phrase


class _Reading:
    """What is parsed of a tune, each thing when it is first asked for.

    The reader needs this module's AbcError, so what it gives cannot be imported above.
    """

    def __init__(self, text: str, tokens: tuple[str, ...]) -> None:
        self.text = text
        self.tokens = tokens
        self._by_root: dict[Root, NormalTune] = {}

    def is_of(self, text: str, tokens: tuple[str, ...]) -> bool:
        """Whether these are what it was parsed of."""
        return self.text is text and self.tokens is tokens

    @cached_property
    def parsed(self) -> "ParsedTune":
        """The text as it is notated."""
        from symbotunes.music.abc.reader import parse

        return parse(self.text)

    @cached_property
    def plain(self) -> "Phrase":
        """The part of its normal form that is the same for every root."""
        from symbotunes.music.abc.normalize import plain_form

        return plain_form(self.parsed)

    @cached_property
    def published(self) -> "Phrase":
        """What tokens stand for that are taken as they are."""
        from symbotunes.music.abc.phrases import parse_tokens

        return parse_tokens(self.tokens)

    def normal(self, root: "Root") -> "NormalTune":
        """The normal form."""
        from symbotunes.music.abc.normalize import spell

        if root not in self._by_root:
            self._by_root[root] = spell(self.plain, root)
        return self._by_root[root]

    def __reduce__(self) -> tuple[type, tuple[str, tuple[str, ...]]]:
        """Pickled without what was parsed, which is larger than the text."""
        return _Reading, (self.text, self.tokens)


@dataclass(frozen=True)
class AbcTune:
    r"""One tune in ABC notation, headers included, with its provenance.

    It is parsed and normalized when that is first asked for, and once: its content, its tokens and
    its notes are made of the same parsed items, also those of the same text under other labels
    (`dataclasses.replace`). These are no part of its value, and do not travel to other processes.

    Attributes:
        id: unique within its corpus, for example ``ryansMammoth/7thRegimentReel.abc#1``.
        text: the ABC source of this tune alone, line ends normalized to ``\n``.
        title: first ``T:`` field, or empty.
        collection: folder or book that it was found in.
        rhythm: ``R:`` field, or empty.
        origin: ``O:`` field, or empty.
        tokens: of the folk-rnn kind, where the corpus is published as tokens; they are taken as
            they are. Empty for all others.
        split: the split that the tune must go to; ``None`` lets ``loader.split`` decide.
        family: content of the tune that a step made this one of; empty if it was found as it is.
        work: the source's own name of the work, which all its versions share; empty if it has none.
    """

    id: str
    text: str
    title: str = ""
    collection: str = ""
    rhythm: str = ""
    origin: str = ""
    tokens: tuple[str, ...] = ()
    split: str | None = None
    family: bytes = b""
    work: str = ""
    # None is for callers alone: `__post_init__` sees to it that there is one.
    _reading: _Reading = field(default=cast("_Reading", None), repr=False, compare=False)

    def __post_init__(self) -> None:
        """Take over what was parsed, if this is the same music under other labels."""
        if self._reading is None or not self._reading.is_of(self.text, self.tokens):
            object.__setattr__(self, "_reading", _Reading(self.text, self.tokens))

    def content(self) -> bytes:
        """The tune as tokens on C: the same for the same tune in another key or under another name.

        Raises:
            AbcError: if the text cannot be read.
        """
        return " ".join(self.tokens_in("C")).encode()

    def tokens_in(self, root: "Root") -> tuple[str, ...]:
        """The tune as normalized tokens, see `normalize`; published tokens as they are.

        Args:
            root: ``C`` moves the tonic to the nearest C and keeps the mode; ``keep`` keeps the key.

        Raises:
            AbcError: if the text cannot be read.
        """
        return self.tokens or self._reading.normal(root).tokens

    def phrase_in(self, root: "Root") -> "Phrase":
        """What the tokens of `tokens_in` stand for.

        Raises:
            AbcError: if the text cannot be read.
        """
        return self._reading.published if self.tokens else self._reading.normal(root).phrase

    @property
    def parsed(self) -> "ParsedTune":
        """The text as it is notated.

        Raises:
            AbcError: if it cannot be read.
        """
        return self._reading.parsed
