"""A tune as it was found: ABC text and where it comes from."""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from symbotunes.music.abc.normalize import NormalTune, Root
from symbotunes.music.abc.reader import ParsedTune
from symbotunes.music.abc.tokens import Phrase

if TYPE_CHECKING:
    from symbotunes.music.abc.normalize import NormalTune, Root
    from symbotunes.music.abc.reader import ParsedTune
    from symbotunes.music.abc.tokens import Phrase


@dataclass(frozen=True)
class AbcTune:
    r"""One tune in ABC notation, headers included, with its provenance.

    It is parsed and normalized when that is first asked for, and once: its content, its tokens and
    its notes are made of the same parsed items. These are no part of its value, and do not travel
    to other processes.

    Attributes:
        id: unique within its corpus, for example ``ryansMammoth/7thRegimentReel.abc#1``.
        text: the ABC source of this tune alone, line ends normalised to ``\n``.
        title: first ``T:`` field, or empty.
        collection: folder or book that it was found in.
        rhythm: ``R:`` field, or empty.
        origin: ``O:`` field, or empty.
        tokens: of the folk-rnn kind, where the corpus is published as tokens; they are taken as
            they are. Empty for all others.
        split: the split that the tune must go to; ``None`` lets its content decide.
        family: content of the tune that this one is a version of; empty if it is none.
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

    def content(self) -> bytes:
        """The tune as tokens on C: the same for the same tune in another key or under another name.

        Raises:
            AbcError: if the text cannot be read.
        """
        return " ".join(self.tokens_in("C")).encode()

    def tokens_in(self, root: "Root") -> tuple[str, ...]:
        """The tune as normalized tokens, see `normalise`; published tokens as they are.

        Args:
            root: ``C`` moves the tonic to the nearest C and keeps the mode; ``keep`` keeps the key.

        Raises:
            AbcError: if the text cannot be read.
        """
        return self.tokens or self._normal(root).tokens

    def phrase_in(self, root: "Root") -> "Phrase":
        """What the tokens of `tokens_in` stand for.

        Raises:
            AbcError: if the text cannot be read.
        """
        return self._published if self.tokens else self._normal(root).phrase

    # The reader needs this module's AbcError, so what it gives cannot be imported above.

    @cached_property
    def parsed(self) -> "ParsedTune":
        """The text as it is notated.

        Raises:
            AbcError: if it cannot be read.
        """
        from symbotunes.music.abc.reader import parse

        return parse(self.text)

    @cached_property
    def _plain(self) -> "Phrase":
        from symbotunes.music.abc.normalize import plain_form

        return plain_form(self.parsed)

    @cached_property
    def _published(self) -> "Phrase":
        from symbotunes.music.abc.phrases import parse_tokens

        return parse_tokens(self.tokens)

    @cached_property
    def _by_root(self) -> "dict[Root, NormalTune]":
        return {}

    def _normal(self, root: "Root") -> "NormalTune":
        from symbotunes.music.abc.normalize import spell

        if root not in self._by_root:
            self._by_root[root] = spell(self._plain, root)
        return self._by_root[root]

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: what was parsed is larger than the text, and soon parsed again."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
