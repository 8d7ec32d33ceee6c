"""Tests of differences that are paired, and their correction for several of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

DIGITS = 9  # differences of means that agree so far are equal


def signed_rank(differences: ArrayLike) -> float:
    """The two-sided p-value of Wilcoxon's signed-rank test, exact also where ranks are tied.

    Zeros are left out, and equal sizes share their mean rank. Under the null hypothesis, each rank
    is positive or negative with equal chances: the sums of positive ranks are counted, over all
    signs. Wilcoxon, "Individual Comparisons by Ranking Methods", Biometrics Bulletin 1, 1945.

    Not ``scipy.stats.wilcoxon``, whose exact values assume that there are no ties, which ratings
    always have; its permutations take a tenth of a second for ten pairs.

    Args:
        differences: ``[N]`` of pairs; NaN are left out.
    """
    values = np.round(np.asarray(differences, np.float64), DIGITS)
    values = values[np.isfinite(values) & (values != 0)]
    if not len(values):
        return 1.0
    doubled = _doubled_ranks(np.abs(values))
    chances = np.ones(1)
    for rank in doubled.tolist():  # the distribution of the sum, one rank after another
        longer = np.zeros(len(chances) + rank)
        longer[: len(chances)] += chances / 2
        longer[rank:] += chances / 2
        chances = longer
    total, positive = int(doubled.sum()), int(doubled[values > 0].sum())
    tail = min(positive, total - positive)
    return float(min(1.0, 2 * chances[: tail + 1].sum()))


def _doubled_ranks(sizes: NDArray[np.float64]) -> NDArray[np.int64]:
    """Twice the mean rank of each size, a whole number."""
    _, inverse, counts = np.unique(sizes, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray(2 * last - counts + 1, np.int64)[inverse]


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected so that the chance of any false difference among them is at most as named.

    The smallest of N is multiplied by N, the next by N - 1 and so on; none becomes smaller than one
    before it. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal
    of Statistics 6, 1979.
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    steps = np.maximum.accumulate(np.asarray(p_values, np.float64)[order] * factors)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(steps, 1.0)
    return [float(value) for value in corrected]
