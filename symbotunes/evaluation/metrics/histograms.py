"""How alike two sets of notes are, as histograms."""

from collections.abc import Sequence

import numpy as np

from symbotunes.evaluation.metrics.bootstrap import Bootstrap, Floats, Interval
from symbotunes.evaluation.metrics.figure import Figure

OVERLAP = Figure(
    "overlap",
    "overlapping area",
    "Area that two histograms of notes share: 1 for the same distribution, 0 for disjoint ones. "
    "Both sets are compared with training windows; intervals come from resampling the set.",
    "higher",
    decimals=3,
    source="Yang and Lerch 2020",
)


def overlapping_area(
    pieces: Sequence[Sequence[int]], others: Sequence[Sequence[int]], bootstrap: Bootstrap
) -> Interval:
    """Area shared by the histograms of two sets, from 0 to 1; Yang and Lerch 2020.

    Both have one bin per whole number and are not smoothed. NaN if a set is empty. The interval
    comes from resampling the first set.

    Args:
        pieces: whole numbers of at least 0, by piece.
        others: the same of the set to compare with.
        bootstrap: how pieces are resampled.
    """
    bins = 1 + max((value for piece in (*pieces, *others) for value in piece), default=0)
    table = counts(pieces, bins)
    reference = counts(others, bins).sum(0)
    total = reference.sum()

    def area(sums: Floats) -> Floats:
        sizes = sums.sum(1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            shared = np.minimum(sums / sizes, reference / total).sum(1)
        return np.asarray(shared, np.float64)

    return bootstrap.interval(table, area)


def counts(pieces: Sequence[Sequence[int]], bins: int) -> Floats:
    """``[N, bins]`` how often each piece has each number."""
    rows = [np.bincount(np.asarray(piece, np.int64), minlength=bins) for piece in pieces]
    return np.asarray(rows, np.float64).reshape(len(pieces), bins)
