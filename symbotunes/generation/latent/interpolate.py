"""A path from one window to another through latent space."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import symusic
import torch
from torch import Tensor

from symbotunes.errors import require_whole_number
from symbotunes.generation.latent.inputs import Source, read_windows
from symbotunes.generation.latent.plan import LatentPlan, Training
from symbotunes.generation.latent.player import LatentPlayer
from symbotunes.generation.latent.slerp import slerp
from symbotunes.generation.sample import Composition, Sample
from symbotunes.music.midi.tracks import TrackName
from symbotunes.tokenizers.windows import Windows


@dataclass(frozen=True, kw_only=True)
class InterpolatePlan(LatentPlan):
    """A path from one window to another, along the arc between their posterior means.

    All points are decoded with the same random numbers, so that changes from one to the next are
    due to the latent vector.

    Attributes:
        a: MIDI or ABC file with the beginning of the path.
        b: file with its end.
        steps: number of points, including both ends.
        a_track: name or number of the track of `a` that is read; ``None``: those that the model
            reads.
        a_bars: bars of `a` as engraved, such as ``5-6``; ``None``: all.
        a_window: which window of them, counted from 1.
        b_track: as `a_track`, of `b`.
        b_bars: as `a_bars`, of `b`.
        b_window: as `a_window`, of `b`.
    """

    NAME: ClassVar[str] = "interpolate"
    COUNTS: ClassVar[tuple[str, ...]] = ("a_window", "b_window")

    a: str
    b: str
    steps: int = 13
    a_window: int = 1
    b_window: int = 1
    a_track: TrackName | None = None
    a_bars: Any = None
    b_track: TrackName | None = None
    b_bars: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_whole_number("sample.steps", self.steps, least=2)
        _ = self._sources

    @property
    def _sources(self) -> dict[str, Source]:
        return {
            "a": Source.of("sample.a", self.a, self.a_track, self.a_bars),
            "b": Source.of("sample.b", self.b, self.b_track, self.b_bars),
        }

    def play(self, player: LatentPlayer, seed: int, training: Training | None) -> Composition:  # noqa: ARG002
        numbers = {"a": self.a_window, "b": self.b_window}
        files = {
            name: (read_windows(source, player.tokenizer), numbers[name])
            for name, source in self._sources.items()
        }
        ends = [file.select(number)[0] for file, number in files.values()]
        means = player.means(ends)
        fractions = torch.linspace(0, 1, self.steps)
        path = slerp(means[0], means[1], fractions)
        (number,) = self.seeds_of(seed, 1)  # of all points
        seeds = [number] * self.steps
        written = player.write(path, seeds, self.temperature)
        points = player.samples(path, written, self._names(fractions), seeds)
        titles = [("input_a", "Input A"), ("input_b", "Input B")]
        first, last = player.samples(means, ends, titles, [number, number])
        labels = ["A", *(f"{fraction:.2f}" for fraction in fractions.tolist()), "B"]
        scores = [sample.score for sample in (first, *points, last)]
        return Composition(
            (_joined(player.tokenizer, points, number), first, *points, last),
            {**self.facts, "points": str(self.steps)},
            {
                key: words
                for name, (file, number) in files.items()
                for key, words in file.describe(name, number).items()
            },
            tuple(zip(labels, scores, strict=True)),
        )

    def _names(self, fractions: Tensor) -> list[tuple[str, str]]:
        return [
            (f"point_{number:02d}", f"Point {number}: {100 * fraction:.0f} % of the way to B")
            for number, fraction in enumerate(fractions.tolist(), start=1)
        ]


def _joined(tokenizer: Windows, points: Sequence[Sample], seed: int) -> Sample:
    """All points one after the other, as one piece."""
    length = tokenizer.bars * 4 * points[0].score.ticks_per_quarter
    whole = points[0].score.copy()
    for index, point in enumerate(points[1:], start=1):
        for track, more in zip(whole.tracks, point.score.tracks, strict=True):
            track.notes.extend(_later(more, index * length))
    return Sample(
        name="interpolation",
        title="The whole path",
        score=whole,
        abc=None,
        tokens=sum(point.tokens for point in points),
        nll_nats=sum(point.nll_nats or 0.0 for point in points),
        generated=sum(point.generated for point in points),
        finished=True,
        seed=seed,
    )


def _later(track: Any, ticks: int) -> list[symusic.Note]:
    return [
        symusic.Note(note.time + ticks, note.duration, note.pitch, note.velocity)
        for note in track.notes
    ]
