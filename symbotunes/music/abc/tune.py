"""A tune as it was found: ABC text and where it comes from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AbcTune:
    r"""One tune in ABC notation, headers included, with its provenance.

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
        # The reader needs this module's AbcError, so it cannot be imported before it.
        from symbotunes.music.abc.normalize import normalise
        from symbotunes.music.abc.reader import parse

        return " ".join(self.tokens or normalise(parse(self.text), "C")).encode()
