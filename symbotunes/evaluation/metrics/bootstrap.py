"""Confidence intervals of figures that are computed from sums over pieces.

What is resampled must be independent: families of pieces. Tokens, windows and settings of one tune
are similar to each other, so intervals over them would be far too narrow. Efron
and Tibshirani, "An Introduction to the Bootstrap", 1993; Davison and Hinkley, "Bootstrap Methods
and their Application", 1997, section 3.8, on data in clusters.

Not `scipy.stats.bootstrap`, whose percentiles are the same, because its interval is NaN as soon as
one draw is (such as a ratio whose denominator is 0 in that draw), and because it keeps all draws of
all pieces in memory.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from symbotunes.errors import require_whole_number

LEAST_UNITS = 10  # of fewer, resampling says too little: intervals are not given
Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]  # sums ``[R, K]`` -> figures ``[R]``, NaN where undefined


@dataclass(frozen=True)
class Interval:
    """A figure and the ends of its confidence interval, NaN where none is given."""

    value: float
    low: float
    high: float

    @property
    def is_defined(self) -> bool:
        """Whether there is a figure; one that divides by zero is undefined."""
        return bool(np.isfinite(self.value))

    @property
    def has_ends(self) -> bool:
        """Whether an interval is given; of fewer than `LEAST_UNITS` units it is not."""
        return bool(np.isfinite([self.low, self.high]).all())

    @property
    def leaves_out_zero(self) -> bool | None:
        """Whether both ends have the same sign; ``None`` if no interval is given."""
        return self.low * self.high > 0 if self.has_ends else None

    def as_dict(self) -> dict[str, float | None]:
        """Plain values for JSON; ``None`` where there is none."""
        return {
            name: float(number) if np.isfinite(number) else None
            for name, number in (("value", self.value), ("low", self.low), ("high", self.high))
        }


@dataclass(frozen=True)
class Bootstrap:
    """How units are resampled: with replacement, as many as there are.

    Figures over the same number of units use the same draws, so that models can be compared piece
    by piece.

    Attributes:
        resamples: number of draws, R.
        confidence: share of them between the ends of an interval.
        seed: of the draws.
        units: ``[N]`` the unit of each row, such as its family; ``None`` if each row is a unit.

    Raises:
        ValueError: if a value is out of range.
    """

    resamples: int = 1000
    confidence: float = 0.95
    seed: int = 0
    units: NDArray[np.int64] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        require_whole_number("resamples", self.resamples)
        if not 0 < self.confidence < 1:
            raise ValueError(f"confidence={self.confidence} must lie between 0 and 1")

    def over(self, units: ArrayLike | None) -> "Bootstrap":
        """The same settings for other units."""
        return replace(self, units=None if units is None else np.asarray(units, np.int64))

    def at(self, rows: ArrayLike) -> "Bootstrap":
        """The same settings for some of the rows, given by index or as a mask."""
        return self if self.units is None else self.over(self.units[np.asarray(rows)])

    @property
    def count(self) -> int | None:
        """Number of units; ``None`` if each row is one."""
        return None if self.units is None else len(np.unique(self.units))

    def interval(self, rows: ArrayLike, statistic: Statistic) -> Interval:
        """The figure of all rows and its percentile interval, if there are `LEAST_UNITS` units.

        Args:
            rows: ``[N, K]``, what each of N pieces adds to K sums, or ``[N]`` for one sum.
            statistic: the figure as a function of the sums.

        Raises:
            ValueError: if the number of rows is not that of `units`.
        """
        table = np.asarray(rows, np.float64)
        table = self._by_unit(table[:, None] if table.ndim == 1 else table)
        if not len(table):
            return Interval(np.nan, np.nan, np.nan)
        if len(table) < LEAST_UNITS:
            return Interval(float(statistic(table.sum(0, keepdims=True))[0]), np.nan, np.nan)
        figures = statistic(np.vstack([table.sum(0), self._sums(table)]))
        drawn = figures[1:][np.isfinite(figures[1:])]
        if not len(drawn):
            return Interval(float(figures[0]), np.nan, np.nan)
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(drawn, [tail, 1 - tail])
        return Interval(float(figures[0]), float(low), float(high))

    def mean(self, values: ArrayLike) -> Interval:
        """Mean over pieces of one value per piece."""
        column = np.asarray(values, np.float64)
        return self.interval(np.stack([column, np.ones_like(column)], axis=1), ratio)

    def _by_unit(self, table: Floats) -> Floats:
        """``[units, K]`` sums of the rows of each unit."""
        if self.units is None:
            return table
        if len(table) != len(self.units):
            raise ValueError(f"{len(table)} rows, but {len(self.units)} of them have a unit")
        order = np.argsort(self.units, kind="stable")
        units = self.units[order]
        starts = np.flatnonzero(np.diff(units, prepend=units[0] - 1)) if len(units) else units
        return np.add.reduceat(table[order], starts) if len(units) else table

    def _sums(self, table: Floats) -> Floats:
        """``[R, K]``: the sums of every draw."""
        random = np.random.default_rng(self.seed)
        count = len(table)
        draws = [
            np.bincount(random.integers(count, size=count), minlength=count) @ table
            for _ in range(self.resamples)
        ]
        return np.stack(draws)


def ratio(sums: Floats) -> Floats:
    """First sum divided by the second; NaN where the second is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sums[:, 1] > 0, sums[:, 0] / sums[:, 1], np.nan)
