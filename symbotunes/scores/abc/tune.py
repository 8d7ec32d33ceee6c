"""A tune as it was found: ABC text and where it comes from."""

from dataclasses import dataclass


class AbcError(ValueError):
    """ABC that cannot be read, or that says too little to be played.

    Attributes:
        reason: a short phrase that receipts count, the same for all tunes with the same trouble.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


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
    """

    id: str
    text: str
    title: str = ""
    collection: str = ""
    rhythm: str = ""
    origin: str = ""
    tokens: tuple[str, ...] = ()
