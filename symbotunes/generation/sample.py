"""One sample of a model, ready to be rendered."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import symusic


@dataclass(frozen=True)
class Sample:
    """A piece that a model wrote, and facts about it.

    Attributes:
        name: stem of its files.
        title: shown to people.
        score: the notes.
        abc: ABC notation, if the model writes it.
        tokens: number of tokens, prompt included.
        nll_nats: negative log-likelihood of the generated tokens under the model, in nats; ``None``
            where the model has no likelihood.
        generated: number of tokens that `nll_nats` sums over.
        finished: whether the model ended the piece itself.
        seed: with which it was sampled.
        notes: remarks for the reader, such as what is wrong with the ABC.
        bars: number of bars whose length can be judged.
        right_bars: how many of them have the length that the meter requires.
        masked: mean probability, under the model, of the tokens that a constraint forbade; ``None``
            without one.
        in_key: share of the notes that belong to the key; ``None`` if it is not known.
        marked_bars: numbers of written bars that pages color, counted from 0 between bar signs.
        marked_ticks: when they are heard: beginnings and ends.
        given: by track, which notes were given and not written, of MIDI; empty if there are none.
        mirex: what continues a prompt of MIREX's generation task, in its JSON; ``None`` for others.
        ids: of the tokens, prompt included, in the key in which the model wrote; empty where they
            are not compared with training tunes.
        likeness: what it shares with a training tune, in words; empty if that is not known.
        from_user: whether it is music of the user and not of a model, so that nothing is known of
            tokens, likelihood and seed.
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
    masked: float | None = None
    in_key: float | None = None
    marked_bars: tuple[int, ...] = ()
    marked_ticks: tuple[tuple[int, int], ...] = ()
    given: tuple[tuple[bool, ...], ...] = ()
    mirex: str | None = None
    from_user: bool = False
    ids: tuple[int, ...] = ()
    likeness: str = ""

    @classmethod
    def of_people(cls, title: str, score: symusic.Score, abc: str | None = None) -> "Sample":
        """Music that no model wrote; its files have no name yet."""
        return cls(
            name="",
            title=title,
            score=score,
            abc=abc,
            tokens=0,
            nll_nats=None,
            generated=0,
            finished=True,
            seed=0,
            from_user=True,
        )

    @property
    def nats_per_token(self) -> float | None:
        """Mean negative log-likelihood of the sample; 0 if it is empty, ``None`` if unknown."""
        if self.nll_nats is None:
            return None
        return self.nll_nats / self.generated if self.generated else 0.0


@dataclass(frozen=True)
class Composition:
    """The result of a plan: its samples, and facts about them.

    Attributes:
        samples: in the order of the page.
        facts: how they were made, shown to people.
        inputs: descriptions of the user's files, by name, for the console and the page.
        strip: labels and scores of piano rolls to show side by side; empty for none.
        tempo: of the prompt or input, in quarters per minute; ``None`` if it says nothing.
    """

    samples: tuple[Sample, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    strip: tuple[tuple[str, symusic.Score], ...] = ()
    tempo: float | None = None
