"""What any model of windows can be measured by: its windows beside those of the data."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.cache.encoded import Encoded
from symbotunes.errors import UserError
from symbotunes.evaluation.latent.findings import Notes
from symbotunes.evaluation.metrics.bootstrap import Bootstrap, Interval, ratio
from symbotunes.evaluation.metrics.copying import Copies, copies
from symbotunes.evaluation.metrics.histograms import overlapping_area
from symbotunes.evaluation.plan import EvaluationPlan
from symbotunes.generation.latent.player import Player
from symbotunes.tokenizers.base import Ids


@dataclass(frozen=True)
class WindowSubject:
    """What is evaluated.

    Attributes:
        player: the model.
        encoded: the prepared corpus.
        plan: what is measured.
        seed: of every choice and draw.
    """

    player: Player
    encoded: Encoded
    plan: EvaluationPlan
    seed: int

    @property
    def bootstrap(self) -> Bootstrap:
        """How pieces are drawn anew."""
        return self.plan.bootstrap(self.seed)

    def windows(self, split: str, most: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Windows ``[N, T]`` or ``[N, T, F]`` of a split, and the piece that each is of ``[N]``.

        Raises:
            UserError: if the split is empty.
        """
        examples = self.encoded.examples(split)
        if not len(examples):
            raise UserError(f"the {split} split is empty; evaluate.split or dataset may change it")
        if len(examples) > most:
            random = np.random.default_rng(self.seed)
            examples = np.sort(random.choice(examples, most, replace=False))
        ids, lengths = self.encoded.gather(examples)
        steps = self.player.tokenizer.steps
        return ids.reshape(len(lengths), steps, *ids.shape[1:]), self.encoded.owners[
            examples
        ].astype(np.int64)

    def seeds(self, count: int) -> list[int]:
        """One for each window."""
        return [self.seed + index for index in range(count)]


def write_windows(subject: WindowSubject, temperature: float) -> dict[str, list[Ids]]:
    """New windows of every prior that the model has, by the prior's name."""
    player, seeds = subject.player, subject.seeds(subject.plan.prior)
    return {
        name: player.write(player.prior(seeds, fitted=fitted), seeds, temperature)
        for name, fitted in player.priors.items()
    }


def measure_prior(subject: WindowSubject, temperature: float) -> tuple[Notes, ...]:
    """Pitches, intervals and durations of what is written and held out, beside the data's."""
    return measure_notes(subject, write_windows(subject, temperature))


def measure_notes(
    subject: WindowSubject, written: Mapping[str, Sequence[Ids]]
) -> tuple[Notes, ...]:
    """Pitches, intervals and durations of given and held-out windows, beside the data's."""
    player, plan = subject.player, subject.plan
    sets: dict[str, Sequence[Any] | NDArray[Any]]
    sets = {"training": subject.windows("train", plan.prior)[0]}
    if plan.split != "train":
        sets[f"held out ({plan.split})"] = subject.windows(plan.split, plan.prior)[0]
    sets |= written
    found = {name: _statistics(player, windows) for name, windows in sets.items()}
    data = found["training"]
    return tuple(
        Notes(
            name=statistic,
            overlaps={
                name: overlapping_area(each[statistic], pieces, subject.bootstrap)
                for name, each in found.items()
                if name != "training"
            },
            values={
                name: tuple(value for piece in each[statistic] for value in piece)
                for name, each in found.items()
            },
        )
        for statistic, pieces in data.items()
    )


@dataclass(frozen=True)
class Copying:
    """How much of windows stands in training windows.

    Attributes:
        written: figures of what the model wrote.
        held_out: figures of as many held-out windows.
        remark: on what was looked at, or empty.
    """

    written: Mapping[str, Interval]
    held_out: Mapping[str, Interval]
    remark: str


def measure_copies(
    subject: WindowSubject, written: Sequence[Ids], held_out: Sequence[Ids] | NDArray[Any]
) -> Copying:
    """Copies of training windows among written and held-out ones, token by token."""
    plan = subject.plan
    training, _ = subject.windows("train", plan.windows)
    flat = [each.reshape(-1) for each in (*written, *held_out)]
    found = copies([each.reshape(-1) for each in training], flat)
    size = training[0].size
    ours, theirs = (
        _copy_figures(part, size, subject)
        for part in (found[: len(written)], found[len(written) :])
    )
    remark = ""
    if len(training) < (known := len(subject.encoded.examples("train"))):
        remark = f"copies are looked up in {len(training):,} of {known:,} training windows"
    return Copying(ours, theirs, remark)


def _copy_figures(
    found: Sequence[Copies], size: int, subject: WindowSubject
) -> dict[str, Interval]:
    bootstrap = subject.bootstrap
    runs = [each.longest for each in found]
    return {
        "seen_ngrams": bootstrap.interval([each.seen(subject.plan.ngram) for each in found], ratio),
        "longest_copy": bootstrap.mean(runs),
        "copied_share": bootstrap.mean([run / size for run in runs]),
    }


def distinct_share(windows: Sequence[Ids] | NDArray[Any], bootstrap: Bootstrap) -> Interval:
    """Share of windows that are the first of their kind in the set."""
    seen: set[bytes] = set()
    first: list[float] = []
    for ids in windows:
        content = np.ascontiguousarray(ids, np.int64).tobytes()
        first.append(float(content not in seen))
        seen.add(content)
    return bootstrap.mean(first)


def _statistics(
    player: Player, windows: Sequence[Any] | NDArray[Any]
) -> Mapping[str, list[list[int]]]:
    """By statistic, its values in each window."""
    found: dict[str, list[list[int]]] = {}
    for ids in windows:
        score = player.tokenizer.score(ids)
        step = score.ticks_per_quarter // 4
        for name, track in zip(player.net.tracks, score.tracks, strict=True):
            notes = sorted(track.notes, key=lambda note: note.start)
            pitches = [note.pitch for note in notes]
            found.setdefault(f"{name}: pitch", []).append(pitches)
            if not track.is_drum:  # every hit is as long as the next, and nothing leaps
                leaps = [abs(b - a) for a, b in itertools.pairwise(pitches)]
                durations = [note.duration // step for note in notes]
                found.setdefault(f"{name}: semitones to the next", []).append(leaps)
                found.setdefault(f"{name}: sixteenths", []).append(durations)
    return found
