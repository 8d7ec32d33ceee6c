"""What a sweep says of its settings: shares of the variance, and means over seeds.

docs/sweeps.md gives the formulas.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

Settings = Mapping[str, str]
SEED = "seed"
FEWEST_JOBS = 4  # for shares of the variance
MOST_GROUPS = 4  # of a number that has another value in almost every job
FEWEST_SEEDS = 3  # for an interval: that of two is twelve times as wide as their difference
# Quantiles of Student's t at 97.5 % for 1, 2, ... degrees of freedom. Not scipy's, which nothing
# else here needs.
T_QUANTILES = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


@dataclass(frozen=True)
class Share:
    """How much of the variance of results goes with one setting.

    Attributes:
        key: the setting.
        share: variance of the means of its groups, divided by the variance of all, 0 to 1.
        by_chance: mean of that share if the results were shuffled among the jobs.
        groups: values, or ranges of values, that jobs were grouped by.
    """

    key: str
    share: float
    by_chance: float
    groups: int


@dataclass(frozen=True)
class Shares:
    """The shares of all settings, the largest first.

    Attributes:
        shares: those of settings with enough jobs for each value.
        interactions: what is left, if the jobs are a full grid; otherwise ``None``, because the
            shares of settings that vary together overlap.
        jobs: number of jobs with a result.
    """

    shares: tuple[Share, ...]
    interactions: float | None
    jobs: int


@dataclass(frozen=True)
class SeedMean:
    """The results of jobs that differ in nothing but their seed.

    Attributes:
        settings: all others of the sweep.
        results: of the jobs.
    """

    settings: Settings
    results: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean of the results."""
        return fmean(self.results)

    @property
    def deviation(self) -> float | None:
        """Standard deviation of a seed, estimated with n - 1; ``None`` for a single one."""
        return stdev(self.results) if len(self.results) > 1 else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The mean's 95 % interval by Student's t; ``None`` for fewer than three seeds."""
        count = len(self.results)
        if count < FEWEST_SEEDS:
            return None
        quantile = T_QUANTILES[min(count - 1, len(T_QUANTILES)) - 1]
        half = quantile * stdev(self.results) / math.sqrt(count)
        return self.mean - half, self.mean + half


def variance_shares(
    keys: Sequence[str], settings: Sequence[Settings], results: Sequence[float]
) -> Shares | None:
    """Each setting's share of the variance of the results, or ``None`` for too few jobs.

    Args:
        keys: settings that differ between jobs.
        settings: of each job with a result.
        results: of the same jobs, finite.
    """
    mean = fmean(results) if results else 0.0
    total = math.fsum((result - mean) ** 2 for result in results)
    if len(results) < FEWEST_JOBS or total == 0:
        return None
    is_grid = is_full_grid(keys, settings)
    shares = []
    for key in keys:
        groups = grouped([setting.get(key) for setting in settings], results)
        if len(groups) < 2 or len(results) < 2 * len(groups):
            continue
        between = math.fsum(len(group) * (fmean(group) - mean) ** 2 for group in groups)
        by_chance = (len(groups) - 1) / (len(results) - 1)
        shares.append(Share(key, between / total, by_chance, len(groups)))
    if not shares:
        return None
    complete = is_grid and len(shares) == len(keys)
    rest = max(0.0, 1 - math.fsum(share.share for share in shares)) if complete else None
    return Shares(tuple(sorted(shares, key=lambda share: -share.share)), rest, len(results))


def is_full_grid(keys: Sequence[str], settings: Sequence[Settings]) -> bool:
    """Whether every combination of the values of all keys is there once."""
    rows = [tuple(setting.get(key) for key in keys) for setting in settings]
    combinations = math.prod(len(set(column)) for column in zip(*rows, strict=True))
    return len(set(rows)) == len(rows) == combinations


def grouped(values: Sequence[str | None], results: Sequence[float]) -> list[list[float]]:
    """Results by the value of a setting, or by ranges of it if it is a number that hardly repeats.

    Ranges hold as many jobs each, as nearly as possible; equal values stay together.
    """
    groups: dict[str | None, list[float]] = {}
    for value, result in zip(values, results, strict=True):
        groups.setdefault(value, []).append(result)
    if len(results) >= 2 * len(groups):
        return list(groups.values())
    try:
        numbers = {value: float(str(value)) for value in groups}
    except ValueError:
        return list(groups.values())
    count = min(MOST_GROUPS, len(results) // 2)
    ranges: list[list[float]] = [[] for _ in range(count)]
    seen = 0
    for value in sorted(groups, key=numbers.__getitem__):
        ranges[seen * count // len(results)].extend(groups[value])
        seen += len(groups[value])
    return [group for group in ranges if group]


def means_over_seeds(
    keys: Sequence[str], settings: Sequence[Settings], results: Sequence[float]
) -> list[SeedMean]:
    """The results of jobs that share all settings but the seed, in the order of the jobs.

    Empty if no two jobs do.
    """
    if SEED not in keys:
        return []
    others = [key for key in keys if key != SEED]
    groups: dict[tuple[str | None, ...], list[float]] = {}
    for setting, result in zip(settings, results, strict=True):
        groups.setdefault(tuple(setting.get(key) for key in others), []).append(result)
    if all(len(group) < 2 for group in groups.values()):
        return []
    return [
        SeedMean({key: value for key, value in zip(others, values, strict=True)
                  if value is not None}, tuple(group))
        for values, group in groups.items()
    ]  # fmt: skip
