"""What can be asked of a trained latent model; ``conf/sample`` has a file for each plan."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import symusic
import torch
from torch import Tensor

from symbotunes.data.cache.encoded import Encoded
from symbotunes.errors import UserError
from symbotunes.generation.latent.attributes import attribute_values, attribute_vector
from symbotunes.generation.latent.inputs import Found, read_windows
from symbotunes.generation.latent.player import Player
from symbotunes.generation.latent.slerp import slerp
from symbotunes.generation.sample import Composition, Sample
from symbotunes.tokenizers.base import Ids, Tokenizer
from symbotunes.tokenizers.windows import Windows

PRIORS = {
    "fitted": "half way between neighbouring training windows",
    "normal": "the standard normal distribution",
}
Training = Callable[[], Encoded]  # the data that a model was trained on, read when they are needed


@dataclass(frozen=True, kw_only=True)
class LatentPlan(ABC):
    """What all plans share.

    Attributes:
        temperature: above 1 more surprising, below 1 safer; 0 always takes the likeliest.
        batch_size: windows written side by side.
        weights: what the weights are rounded to while it writes, ``bfloat16``; ``None``: exact.
        out: folder for the files; ``None`` is the run's own.

    Raises:
        UserError: if a value is out of range.
    """

    NAME: ClassVar[str]
    COUNTS: ClassVar[tuple[str, ...]] = ()  # fields that are whole numbers of at least 1

    temperature: float = 0.5
    batch_size: int = 64
    weights: str | None = None
    out: str | None = None

    def __post_init__(self) -> None:
        for name in ("batch_size", *self.COUNTS):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise UserError(f"sample.{name}={value}: must be a whole number of at least 1")
        if not self.temperature >= 0:
            raise UserError(f"sample.temperature={self.temperature}: must be at least 0")
        if self.weights not in (None, "bfloat16"):
            raise UserError(f"sample.weights={self.weights}: a latent model has bfloat16, or null")

    def compose(
        self,
        net: object,
        tokenizer: Tokenizer[Any],
        seed: int,
        on_step: Callable[[int], None] | None = None,
        training: Training | None = None,
    ) -> Composition:
        """Write what the plan says; the same seed writes the same.

        Args:
            net: the trained network.
            tokenizer: the one that it was trained with.
            seed: of the first sample.
            on_step: called with the number of steps written so far.
            training: gives the data that the network was trained on.

        Raises:
            UserError: if the network has no latent space, or an input cannot be read.
        """
        purpose = f"sample={self.NAME}"
        player = Player(net, tokenizer, purpose, self.batch_size, on_step, self.weights)
        return self.play(player, seed, training)

    @abstractmethod
    def play(self, player: Player, seed: int, training: Training | None) -> Composition:
        """What `compose` does, once the model is known to be fit."""

    @property
    def facts(self) -> dict[str, str]:
        """How samples are drawn, for people."""
        facts = {"temperature": f"{self.temperature:g}"}
        return {**facts, "weights rounded to": self.weights} if self.weights else facts


@dataclass(frozen=True, kw_only=True)
class PriorPlan(LatentPlan):
    """New windows: latent vectors drawn at random, written out.

    Attributes:
        num: how many; sample ``i`` depends on ``seed + i`` alone.
        prior: ``fitted`` draws vectors as training windows lie, ``normal`` from the model's prior.
    """

    NAME: ClassVar[str] = "prior"
    COUNTS: ClassVar[tuple[str, ...]] = ("num",)

    num: int = 4
    prior: str = "fitted"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.prior not in PRIORS:
            raise UserError(f"sample.prior={self.prior}: choose {' or '.join(PRIORS)}")

    @property
    def facts(self) -> dict[str, str]:
        return {**super().facts, "prior": PRIORS[self.prior]}

    def play(self, player: Player, seed: int, training: Training | None) -> Composition:  # noqa: ARG002
        seeds = [seed + index for index in range(self.num)]
        z = player.prior(seeds, fitted=self.prior == "fitted")
        names = [(f"sample_{index:02d}", f"Sample {index}") for index in range(1, self.num + 1)]
        windows = player.write(z, seeds, self.temperature)
        facts = self.facts
        if self.prior == "fitted" and not player.net.knows_windows:
            facts["prior"] = f"{PRIORS['normal']}; these weights keep no training windows"
        return Composition(tuple(player.samples(z, windows, names, seeds)), facts)


@dataclass(frozen=True, kw_only=True)
class ReconstructPlan(LatentPlan):
    """Windows of a file, and what the model makes of them: written from their posterior means.

    Attributes:
        input: MIDI or ABC file.
        window: the first window that is taken, counted from 1.
        num: how many windows at most.
    """

    NAME: ClassVar[str] = "reconstruct"
    COUNTS: ClassVar[tuple[str, ...]] = ("window", "num")

    input: str
    window: int = 1
    num: int = 4

    def play(self, player: Player, seed: int, training: Training | None) -> Composition:  # noqa: ARG002
        found = read_windows(Path(self.input), player.tokenizer, "sample.input")
        given = found.chosen(self.window, self.num)
        seeds = [seed + index for index in range(len(given))]
        z = player.means(given)
        written = player.write(z, seeds, self.temperature)
        names = [f"window {self.window + index}" for index in range(len(given))]
        originals = player.samples(
            z, given, [(_file("input", name), f"Input, {name}") for name in names], seeds
        )
        notes = [(agreement(*pair),) for pair in zip(given, written, strict=True)]
        titles = [(_file("reconstruction", name), f"Reconstruction, {name}") for name in names]
        copies = player.samples(z, written, titles, seeds, notes)
        samples = tuple(each for pair in zip(originals, copies, strict=True) for each in pair)
        said = {"input": found.says(self.window, self.num)}
        return Composition(samples, self.facts, said)


@dataclass(frozen=True, kw_only=True)
class InterpolatePlan(LatentPlan):
    """A path from one window to another, along the arc between their posterior means.

    All of its points are written by the same random numbers, so that what changes from one to the
    next is due to the latent vector.

    Attributes:
        a: MIDI or ABC file in which the path begins.
        b: the one in which it ends.
        steps: points of the path, both ends included.
        a_window: which window of `a`, counted from 1.
        b_window: which window of `b`.
    """

    NAME: ClassVar[str] = "interpolate"
    COUNTS: ClassVar[tuple[str, ...]] = ("a_window", "b_window")

    a: str
    b: str
    steps: int = 13
    a_window: int = 1
    b_window: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.steps, int) or self.steps < 2:
            raise UserError(f"sample.steps={self.steps}: must be a whole number of at least 2")

    def play(self, player: Player, seed: int, training: Training | None) -> Composition:  # noqa: ARG002
        files = {
            "a": (read_windows(Path(self.a), player.tokenizer, "sample.a"), self.a_window),
            "b": (read_windows(Path(self.b), player.tokenizer, "sample.b"), self.b_window),
        }
        ends = [found.chosen(number)[0] for found, number in files.values()]
        means = player.means(ends)
        shares = torch.linspace(0, 1, self.steps)
        path = slerp(means[0], means[1], shares)
        seeds = [seed] * self.steps
        written = player.write(path, seeds, self.temperature)
        points = player.samples(path, written, self._names(shares), seeds)
        titles = [("input_a", "Input A"), ("input_b", "Input B")]
        first, last = player.samples(means, ends, titles, [seed, seed])
        labels = ["A", *(f"{share:.2f}" for share in shares.tolist()), "B"]
        scores = [each.score for each in (first, *points, last)]
        return Composition(
            (_joined(player.tokenizer, points, seed), first, *points, last),
            {**self.facts, "points": str(self.steps)},
            {name: found.says(number) for name, (found, number) in files.items()},
            tuple(zip(labels, scores, strict=True)),
        )

    def _names(self, shares: Tensor) -> list[tuple[str, str]]:
        return [
            (f"point_{place:02d}", f"Point {place}: {100 * share:.0f} % of the way to B")
            for place, share in enumerate(shares.tolist(), start=1)
        ]


@dataclass(frozen=True, kw_only=True)
class AttributePlan(LatentPlan):
    """Windows that get more or less of an attribute: their latent vectors move along its direction.

    Attributes:
        attribute: which one, see `symbotunes.music.grid.attributes.ATTRIBUTES`.
        strengths: how far, in multiples of the difference between rich and poor windows.
        input: MIDI or ABC file whose windows are moved; ``None``: new ones, of the prior.
        window: the first window of `input` that is taken, counted from 1.
        num: windows to move.
        most: training windows that the direction is computed of.
    """

    NAME: ClassVar[str] = "attribute"
    COUNTS: ClassVar[tuple[str, ...]] = ("window", "num", "most")

    attribute: str = "note_density"
    strengths: Sequence[float] = (-2, -1, 0, 1, 2)
    input: str | None = None
    window: int = 1
    num: int = 1
    most: int = 20_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if not len(self.strengths):
            raise UserError("sample.strengths needs at least one number, such as [-1,0,1]")

    def play(self, player: Player, seed: int, training: Training | None) -> Composition:
        said, start, bases = self._start(player, seed)
        attribute_values([np.zeros(1, int)], player.tokenizer, self.attribute)  # errors come first
        if training is None:
            raise UserError("sample=attribute needs the training data, which are not at hand here")
        vector = attribute_vector(player, training(), self.attribute, self.most, seed)
        strengths = torch.tensor(self.strengths, dtype=start.dtype, device=start.device)
        z = (start[:, None] + strengths[:, None] * vector).flatten(0, 1)  # [num * strengths, Z]
        seeds = [each for each in bases for _ in self.strengths]
        windows = player.write(z, seeds, self.temperature)
        labels = [
            (index, strength) for index in range(1, len(bases) + 1) for strength in self.strengths
        ]
        word = self.attribute.replace("_", " ")
        names = [
            (
                f"sample_{index:02d}_{1 + place % len(self.strengths)}",
                f"Sample {index}, {word} {strength:+g}",
            )
            for place, (index, strength) in enumerate(labels)
        ]
        values = attribute_values(windows, player.tokenizer, self.attribute)
        notes = [(f"{word} of this window: {value:.2f}",) for value in values]
        samples = tuple(player.samples(z, windows, names, seeds, notes))
        strip = tuple(
            (f"{strength:+g}", each.score)
            for (_, strength), each in zip(labels, samples, strict=True)
        )
        return Composition(samples, {**self.facts, "attribute": word}, said, strip)

    def _start(self, player: Player, seed: int) -> tuple[dict[str, str], Tensor, list[int]]:
        """What was found in the input, the vectors ``[num, Z]`` to be moved, and their seeds."""
        if self.input is None:
            seeds = [seed + index for index in range(self.num)]
            return {}, player.prior(seeds, fitted=True), seeds
        found: Found = read_windows(Path(self.input), player.tokenizer, "sample.input")
        windows = found.chosen(self.window, self.num)
        seeds = [seed + index for index in range(len(windows))]
        return {"input": found.says(self.window, self.num)}, player.means(windows), seeds


def agreement(given: Ids, written: Ids) -> str:
    """How many steps of a window are as they were, in words."""
    same = given == written
    right = int((same.all(-1) if same.ndim > 1 else same).sum())
    return f"{right} of {len(given)} steps as in the input"


def _file(kind: str, name: str) -> str:
    return f"{kind}_{int(name.split()[-1]):02d}"


def _joined(tokenizer: Windows, points: Sequence[Sample], seed: int) -> Sample:
    """All points one after the other, as one piece."""
    length = tokenizer.bars * 4 * points[0].score.ticks_per_quarter
    whole = points[0].score.copy()
    for place, point in enumerate(points[1:], start=1):
        for track, more in zip(whole.tracks, point.score.tracks, strict=True):
            track.notes.extend(_later(more, place * length))
    return Sample(
        name="interpolation",
        title="The whole path",
        score=whole,
        abc=None,
        tokens=sum(point.tokens for point in points),
        nll_nats=sum(point.nll_nats for point in points),
        generated=sum(point.generated for point in points),
        finished=True,
        seed=seed,
    )


def _later(track: Any, ticks: int) -> list[symusic.Note]:
    return [
        symusic.Note(note.time + ticks, note.duration, note.pitch, note.velocity)
        for note in track.notes
    ]
