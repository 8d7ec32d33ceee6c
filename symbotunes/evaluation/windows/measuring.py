"""Measures for any model of windows: its windows compared with those of the data."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.cache.encoded import Encoded
from symbotunes.errors import UserError
from symbotunes.evaluation.latent.findings import Notes
from symbotunes.evaluation.metrics.bootstrap import Bootstrap, Interval
from symbotunes.evaluation.metrics.copying import copies
from symbotunes.evaluation.metrics.histograms import overlapping_area
from symbotunes.evaluation.metrics.tunes import Tunes, grammar_errors, well_formed
from symbotunes.evaluation.plan import EvaluationPlan
from symbotunes.evaluation.twins import window_twins
from symbotunes.generation.latent.player import Player
from symbotunes.generation.seeds import sample_seeds
from symbotunes.tokenizers.base import GrammarCheck, Ids


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
        """How generated windows, which are independent of each other, are resampled."""
        return self.plan.bootstrap(self.seed)

    def examples(self, split: str, most: int) -> NDArray[np.int64]:
        """Windows of a split by index, a random choice of them if there are more.

        Raises:
            UserError: if the split is empty.
        """
        examples = self.encoded.examples(split)
        if not len(examples):
            raise UserError(f"the {split} split is empty; evaluate.split or dataset may change it")
        if len(examples) > most:
            random = np.random.default_rng(self.seed)
            examples = np.sort(random.choice(examples, most, replace=False))
        return examples

    def windows(self, split: str, most: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Windows ``[N, T]`` or ``[N, T, F]`` of a split, and their families ``[N]``.

        Raises:
            UserError: if the split is empty.
        """
        examples = self.examples(split, most)
        ids, lengths = self.encoded.gather(examples)
        steps = self.player.tokenizer.steps
        families = self.encoded.families(examples)
        return ids.reshape(len(lengths), steps, *ids.shape[1:]), families

    def seeds(self, count: int) -> list[int]:
        """One seed per window."""
        return sample_seeds(self.seed, count)


def write_windows(subject: WindowSubject, temperature: float) -> dict[str, list[Ids]]:
    """New windows of every prior that the model has, by the prior's name."""
    player, seeds = subject.player, subject.seeds(subject.plan.prior)
    return {
        name: player.write(player.prior(seeds, fitted=fitted), seeds, temperature)
        for name, fitted in player.priors.items()
    }


def measure_prior(subject: WindowSubject, temperature: float) -> tuple[Notes, ...]:
    """Pitches, intervals and durations of new and held-out windows, against training ones."""
    return measure_notes(subject, write_windows(subject, temperature))


def measure_notes(
    subject: WindowSubject, written: Mapping[str, Sequence[Ids]]
) -> tuple[Notes, ...]:
    """Pitches, intervals and durations of given and held-out windows, against training ones."""
    player, plan = subject.player, subject.plan
    sets: dict[str, Sequence[Any] | NDArray[Any]]
    sets = {"training": subject.windows("train", plan.prior)[0]}
    draws = dict.fromkeys(written, subject.bootstrap)
    if plan.split != "train":
        name = f"held out ({plan.split})"
        sets[name], families = subject.windows(plan.split, plan.prior)
        draws[name] = subject.bootstrap.over(families)
    sets |= written
    statistics = {name: _statistics(player, windows) for name, windows in sets.items()}
    data = statistics["training"]
    return tuple(
        Notes(
            name=statistic,
            overlaps={
                name: overlapping_area(values[statistic], pieces, draws[name])
                for name, values in statistics.items()
                if name != "training"
            },
            values={
                name: tuple(value for piece in values[statistic] for value in piece)
                for name, values in statistics.items()
            },
        )
        for statistic, pieces in data.items()
    )


def with_copies(
    subject: WindowSubject,
    written: Sequence[Ids],
    held_out: tuple[Sequence[Ids] | NDArray[Any], NDArray[np.int64]],
    *,
    absent: str = "",
) -> tuple[Tunes, Tunes, tuple[str, ...]]:
    """Written and held-out windows with what they share with training windows, token by token.

    Args:
        subject: the model with its windows.
        written: what the model wrote.
        held_out: windows of the data, to compare with, and the family of each.
        absent: why figures that only tunes have do not apply.

    Returns:
        Both sets, and remarks on what was looked at.
    """
    plan = subject.plan
    training, _ = subject.windows("train", plan.windows)
    others, families = held_out
    flat = [ids.reshape(-1) for ids in (*written, *others)]
    shared = copies([ids.reshape(-1) for ids in training], flat)
    count = len(written)
    sets = [
        Tunes(
            flat[part],
            shared[part],
            plan.ngram,
            subject.bootstrap.over(units),
            grammar=_checks(subject.player, windows),
            absent=absent,
        )
        for part, windows, units in (
            (slice(count), written, None),
            (slice(count, None), others, families),
        )
    ]
    known = len(subject.encoded.examples("train"))
    remarks = []
    if len(training) < known:
        remarks.append(f"copies are looked up in {len(training):,} of {known:,} training windows")
    if plan.split != "train":
        twins = window_twins(subject.player.tokenizer, subject.encoded, np.asarray(others))
        remarks.append(
            f"of {len(others):,} held-out windows, {twins.exact.sum():,} are training windows note "
            f"for note, {twins.in_some_key.sum():,} in some key"
        )
    return sets[0], sets[1], tuple(remarks)


def measure_grammar(
    subject: WindowSubject, written: Mapping[str, Sequence[Ids]]
) -> dict[str, dict[str, Interval]]:
    """Grammar errors of written windows, by set and figure; empty where any numbers are right."""
    found = {}
    for name, windows in written.items():
        checks = _checks(subject.player, windows)
        if checks is not None:
            tunes = Tunes(windows, [], subject.plan.ngram, subject.bootstrap, grammar=checks)
            found[name] = {
                "grammar_errors": grammar_errors(tunes),
                "well_formed": well_formed(tunes),
            }
    return found


def _checks(player: Player, windows: Sequence[Ids] | NDArray[Any]) -> list[GrammarCheck] | None:
    """The grammar errors of every window; ``None`` where any numbers are right."""
    checks = [player.tokenizer.check(ids) for ids in windows]
    known = [check for check in checks if check is not None]
    return known if len(known) == len(checks) else None


def _statistics(
    player: Player, windows: Sequence[Any] | NDArray[Any]
) -> Mapping[str, list[list[int]]]:
    """By statistic, its values in each window."""
    statistics: dict[str, list[list[int]]] = {}
    for ids in windows:
        score = player.tokenizer.score(ids)
        step = score.ticks_per_quarter // 4
        for name, track in zip(player.net.tracks, score.tracks, strict=True):
            notes = sorted(track.notes, key=lambda note: note.start)
            pitches = [note.pitch for note in notes]
            statistics.setdefault(f"{name}: pitch", []).append(pitches)
            if not track.is_drum:  # hits all have the same length, and have no intervals
                leaps = [abs(b - a) for a, b in itertools.pairwise(pitches)]
                durations = [note.duration // step for note in notes]
                statistics.setdefault(f"{name}: semitones to the next", []).append(leaps)
                statistics.setdefault(f"{name}: sixteenths", []).append(durations)
    return statistics
