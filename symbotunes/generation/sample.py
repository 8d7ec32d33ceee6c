"""One sample of a model, ready to be rendered."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import symusic


@dataclass(frozen=True)
class Sample:
    """A piece that a model wrote, and what is known of it.

    Attributes:
        name: stem of its files.
        title: for people.
        score: the notes.
        abc: ABC notation, where the model writes it.
        tokens: number of tokens, prompt included.
        nll_nats: negative log-likelihood of the generated tokens under the model, in nats; ``None``
            where the model has no likelihood.
        generated: number of tokens that `nll_nats` sums over.
        finished: whether the model ended the piece itself.
        seed: from which it was drawn.
        notes: remarks for the reader, such as what is wrong with the ABC.
        bars: bars whose length can be judged.
        right_bars: how many of them have the length that the meter asks for.
    """

    name: str
    title: str
    score: symusic.Score
    abc: str | None
    tokens: int
    nll_nats: float | None
    generated: int
    finished: bool
    seed: int
    notes: tuple[str, ...] = ()
    bars: int | None = None
    right_bars: int | None = None

    @property
    def nats_per_token(self) -> float | None:
        """Mean surprise of the model by its own sample; 0 for an empty one, ``None`` if unknown."""
        if self.nll_nats is None:
            return None
        return self.nll_nats / self.generated if self.generated else 0.0


@dataclass(frozen=True)
class Composition:
    """Samples that were made by one plan, and what a listener should know of them.

    Attributes:
        samples: in the order of the page.
        facts: how they were made.
        said: what was found in the user's files, for the console and the page.
        strip: piano rolls to see side by side, each a label and its score; empty for none.
    """

    samples: tuple[Sample, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    strip: tuple[tuple[str, symusic.Score], ...] = ()
