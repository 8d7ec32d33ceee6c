"""What listeners found: means with intervals, and which differences are more than chance."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.evaluation.listening.questions import NAMES, OVERALL
from symbotunes.evaluation.listening.ratings import Key, Listener
from symbotunes.evaluation.listening.significance import holm, signed_rank
from symbotunes.evaluation.metrics.bootstrap import Bootstrap, Interval

LEAST_UNITS = 5  # listeners and rounds: of fewer, no interval is given
COLUMNS = (OVERALL, *NAMES)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """How ratings of two sources differ.

    Attributes:
        first: name of a source; of two, the one whose mean is higher overall.
        second: name of the other.
        question: of the ratings, or `OVERALL`.
        mean: of the first minus the second, over all rounds that a listener heard.
        listeners: who heard both.
        by_listeners: p-value of the signed ranks of the listeners' mean differences.
        by_rounds: that of the rounds' mean differences.
        p: the larger one, corrected by Holm's method within its family.
    """

    first: str
    second: str
    question: str
    mean: Interval
    listeners: int
    by_listeners: float
    by_rounds: float
    p: float = 1.0

    @property
    def larger(self) -> float:
        """The larger p-value: both other listeners and other pieces must be expected to agree."""
        return max(self.by_listeners, self.by_rounds)


@dataclass(frozen=True)
class Results:
    """The results of a test.

    Attributes:
        sources: names, as in the key.
        listeners: number of listeners.
        ratings: number of pieces rated, by source.
        rounds: number of rounds of which anyone rated a piece.
        means: by source, then by question and `OVERALL`.
        overall: the differences of `OVERALL` between any two sources.
        by_question: those of every question.
        alpha: chance of a false difference in each of both families.
    """

    sources: Sequence[str]
    listeners: int
    ratings: Mapping[str, int]
    rounds: int
    means: Mapping[str, Mapping[str, Interval]]
    overall: Sequence[Difference]
    by_question: Sequence[Difference]
    alpha: float

    @property
    def sentences(self) -> list[str]:
        """What was found, for readers."""
        found = [one for one in self.overall if one.p <= self.alpha]
        lines = []
        for one in found:
            names = (one.first, one.second) if one.mean.value > 0 else (one.second, one.first)
            better, worse = names  # where not all heard both, the means may say otherwise
            lines.append(
                f"{better} is rated {abs(one.mean.value):.2f} points higher than {worse} "
                f"(p = {one.p:.2g})"
            )
        undecided = len(self.overall) - len(found)
        if undecided:
            pairs = "pair of sources" if undecided == 1 else "pairs of sources"
            lines.append(f"No difference is established for {undecided} {pairs}")
        return lines

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "listeners": self.listeners,
            "rounds": self.rounds,
            "ratings": dict(self.ratings),
            "alpha": self.alpha,
            "means": {
                source: {name: interval.as_dict() for name, interval in means.items()}
                for source, means in self.means.items()
            },
            "differences": [
                {
                    "first": one.first,
                    "second": one.second,
                    "question": one.question,
                    **one.mean.as_dict(),
                    "listeners": one.listeners,
                    "p_by_listeners": one.by_listeners,
                    "p_by_rounds": one.by_rounds,
                    "p": one.p,
                }
                for one in (*self.overall, *self.by_question)
            ],
        }


def measure(key: Key, listeners: Sequence[Listener], bootstrap: Bootstrap) -> Results:
    """The results of all ratings.

    Args:
        key: of the test.
        listeners: with their ratings.
        bootstrap: number of draws, confidence and seed of intervals.
    """
    cube = cube_of(key, listeners)
    heard = np.isfinite(cube[..., 0])  # [listeners, rounds, sources]
    with np.errstate(invalid="ignore"):
        overall = np.nansum(cube[..., 0], (0, 1)) / heard.sum((0, 1))
    pairs = list(itertools.combinations(np.argsort(-overall, kind="stable").tolist(), 2))
    differences = {
        question: [
            _difference(key.sources, first, second, question, cube[..., column], bootstrap)
            for first, second in pairs
        ]
        for column, question in enumerate(COLUMNS)
    }
    return Results(
        sources=key.sources,
        listeners=len(listeners),
        ratings=dict(zip(key.sources, heard.sum((0, 1)).tolist(), strict=True)),
        rounds=int(heard.any((0, 2)).sum()),
        means={
            source: {
                question: crossed_interval(cube[:, :, index, column], bootstrap)
                for column, question in enumerate(COLUMNS)
            }
            for index, source in enumerate(key.sources)
        },
        overall=_corrected(differences[OVERALL]),
        by_question=_corrected([one for name in NAMES for one in differences[name]]),
        alpha=1 - bootstrap.confidence,
    )


def cube_of(key: Key, listeners: Sequence[Listener]) -> Floats:
    """``[listeners, rounds, sources, COLUMNS]`` answers, NaN where a piece was not rated."""
    rounds = 1 + max(number for _, number in key.pieces.values())
    cube = np.full((len(listeners), rounds, len(key.sources), len(COLUMNS)), np.nan)
    for index, listener in enumerate(listeners):
        for rating in listener.ratings:
            source, number = key.pieces[rating.piece]
            answers = [float(rating.answers[name]) for name in NAMES]
            place = index, number, key.sources.index(source)
            cube[place] = [float(np.mean(answers)), *answers]
    return cube


def crossed_interval(table: Floats, bootstrap: Bootstrap) -> Interval:
    """The mean of a table and its interval, with listeners and rounds both drawn anew.

    Ratings of one listener are alike, and so are those of one piece, so that neither alone may be
    resampled. Each draw takes as many rows and as many columns as there are, with replacement; a
    cell counts as often as its row times its column. Such intervals are rather too wide than too
    narrow. Owen, "The Pigeonhole Bootstrap", Annals of Applied Statistics 1, 2007.

    Args:
        table: ``[listeners, rounds]``, NaN where there is nothing.
        bootstrap: number of draws, confidence and seed.
    """
    table = table[np.isfinite(table).any(1)][:, np.isfinite(table).any(0)]
    known = np.isfinite(table).astype(np.float64)
    if not known.sum():
        return Interval(np.nan, np.nan, np.nan)
    values = np.nan_to_num(table)
    mean = float(values.sum() / known.sum())
    if min(table.shape) < LEAST_UNITS:
        return Interval(mean, np.nan, np.nan)
    random = np.random.default_rng(bootstrap.seed)
    rows, columns = (
        random.multinomial(count, np.full(count, 1 / count), bootstrap.resamples).astype(np.float64)
        for count in table.shape
    )
    counts = ((rows @ known) * columns).sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = ((rows @ values) * columns).sum(1) / counts
    tail = (1 - bootstrap.confidence) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return Interval(mean, float(low), float(high))


def _difference(
    sources: Sequence[str],
    first: int,
    second: int,
    question: str,
    ratings: Floats,
    bootstrap: Bootstrap,
) -> Difference:
    """The difference of two sources in ``[listeners, rounds, sources]`` ratings."""
    table = ratings[..., first] - ratings[..., second]
    return Difference(
        first=sources[first],
        second=sources[second],
        question=question,
        mean=crossed_interval(table, bootstrap),
        listeners=int(np.isfinite(table).any(1).sum()),
        by_listeners=signed_rank(_means(table)),
        by_rounds=signed_rank(_means(table.T)),
    )


def _means(table: Floats) -> Floats:
    """The mean of what is known of each row; NaN of rows of which nothing is."""
    known = np.isfinite(table).sum(1)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(table, 1) / known, np.float64)


def _corrected(differences: Sequence[Difference]) -> list[Difference]:
    corrected = holm([one.larger for one in differences])
    return [replace(one, p=p) for one, p in zip(differences, corrected, strict=True)]


def least_units(pairs: int, alpha: float) -> int:
    """The fewest listeners, and rounds, of which the test can establish one of some differences.

    If all N differ the same way, the p-value is 2 / 2 ** N, of which Holm's method first takes the
    number of pairs.
    """
    units = 1
    while 2.0 ** (1 - units) * pairs > alpha:
        units += 1
    return units
