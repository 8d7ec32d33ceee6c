"""A tune as published: its ABC text and provenance."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.normalize import NormalTune, Root, plain_form, spell
from symbotunes.music.abc.phrases import parse_tokens
from symbotunes.music.abc.place import Place
from symbotunes.music.abc.reader import ParsedTune, parse
from symbotunes.music.abc.tokens import Phrase

CHANGES = ("changes meter inside", "changes key inside")  # reasons of tunes that can be kept


class _Reading:
    """What is parsed from a tune; each part on first use."""

    def __init__(self, text: str, tokens: tuple[str, ...]) -> None:
        self.text = text
        self.tokens = tokens
        self._by_root: dict[Root, NormalTune] = {}

    def is_of(self, text: str, tokens: tuple[str, ...]) -> bool:
        """Whether it was parsed from these."""
        return self.text is text and self.tokens is tokens

    @cached_property
    def parsed(self) -> ParsedTune:
        """The text as it is notated."""
        return parse(self.text)

    @cached_property
    def plain(self) -> Phrase:
        """The part of the normal form that is the same for every root."""
        return plain_form(self.parsed)

    @cached_property
    def plain_with_changes(self) -> Phrase:
        """The same, with the meters and keys to which the tune changes."""
        try:
            return self.plain
        except AbcError as error:
            if error.reason not in CHANGES:
                raise
        return plain_form(parse(self.text, changes=True))

    @cached_property
    def published(self) -> Phrase:
        """The phrase of published tokens, which are used as they are."""
        return parse_tokens(self.tokens)

    def normal(self, root: Root, *, changes: bool) -> NormalTune:
        """The normal form."""
        plain = self.plain_with_changes if changes else self.plain
        if root not in self._by_root:
            self._by_root[root] = spell(plain, root)
        return self._by_root[root]

    def __reduce__(self) -> tuple[type, tuple[str, tuple[str, ...]]]:
        """Pickle without what was parsed, which is larger than the text."""
        return _Reading, (self.text, self.tokens)


@dataclass(frozen=True)
class AbcTune:
    r"""One tune in ABC notation, headers included, with its provenance.

    It is parsed and normalized on first use, and only once: its content, its tokens and its notes
    come from the same parsed items, even if its labels are replaced (`dataclasses.replace`). These
    do not count in comparisons, and are not pickled for other processes.

    Attributes:
        id: unique within its corpus, for example ``ryansMammoth/7thRegimentReel.abc#1``.
        text: the ABC source of this tune alone, line ends normalized to ``\n``.
        title: first ``T:`` field, or empty.
        collection: folder or book that contains it.
        rhythm: ``R:`` field, or empty.
        origin: ``O:`` field, or empty.
        tokens: Folk-RNN tokens, if the corpus is published as tokens; they are used as they are.
            Empty for all other corpora.
        split: the split that the tune must go to; ``None`` lets ``loader.split`` decide.
        family: content of the tune that a step made this one of; empty if it was found as it is.
        work: the source's own name of the work, which all its versions share; empty if it has none.
        only: ``train`` or ``held-out`` for a version that is of use on that side alone, or empty.
        place: where it stands in its file, for messages; ``None`` if it is not from an ABC file.
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
    only: str = ""
    place: Place | None = field(default=None, repr=False, compare=False)
    # Callers leave this as None; `__post_init__` then sets it.
    _reading: _Reading = field(default=cast("_Reading", None), repr=False, compare=False)

    def __post_init__(self) -> None:
        """Keep what was parsed if this is the same music under other labels."""
        if self._reading is None or not self._reading.is_of(self.text, self.tokens):
            object.__setattr__(self, "_reading", _Reading(self.text, self.tokens))

    def content(self) -> bytes:
        """The tune as tokens on C: equal for the same tune in another key or under another name.

        Changes of meter and key are among them, whether models are given them or not.

        Raises:
            AbcError: if the text cannot be read.
        """
        return " ".join(self.tokens_in("C", changes=True)).encode()

    def tokens_in(self, root: Root, *, changes: bool = False) -> tuple[str, ...]:
        """The tune as normalized tokens, see `normalize`; published tokens are returned unchanged.

        Args:
            root: ``C`` moves the tonic to the nearest C and keeps the mode; ``keep`` keeps the key.
            changes: whether meter and key may change inside it.

        Raises:
            AbcError: if the text cannot be read.
        """
        return self.tokens or self._reading.normal(root, changes=changes).tokens

    def phrase_in(self, root: Root, *, changes: bool = False) -> Phrase:
        """The phrase that the tokens of `tokens_in` stand for.

        Raises:
            AbcError: if the text cannot be read.
        """
        if self.tokens:
            return self._reading.published
        return self._reading.normal(root, changes=changes).phrase

    @property
    def parsed(self) -> ParsedTune:
        """The text as it is notated.

        Raises:
            AbcError: if it cannot be read.
        """
        return self._reading.parsed
