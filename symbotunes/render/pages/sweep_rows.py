"""The jobs of a sweep as plain values, and which of them is best."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

UNITS = {"val/loss": "nats per token"}


@dataclass(frozen=True)
class JobCurve:
    """What was logged of a job's metric; all of a length, NaN where it is not known."""

    steps: Sequence[float] = ()
    seconds: Sequence[float] = ()
    values: Sequence[float] = ()


@dataclass(frozen=True)
class Row:
    """One job of the report.

    Attributes:
        number: of the job.
        status: of the job.
        settings: of the sweep, by key.
        metric: that is optimized.
        best: best value of the metric.
        step: optimizer step of the best value.
        tokens_per_second: speed of training.
        peak_gib: peak memory in GiB.
        samples: address of its listening page, relative to the report.
        error: that stopped the job.
        mode: ``min`` if less of `metric` is better, ``max`` if more is.
        quantity: what the values of `metric` are, in words; those of others do not compare.
        page: address of the job's own page, of its training or evaluation, relative to the report.
        figures: what an evaluation measured, as it is shown, by label.
        curve: the metric while it trained.
    """

    number: int
    status: str
    settings: Mapping[str, str]
    metric: str
    best: float | None
    step: int | None
    tokens_per_second: float | None
    peak_gib: float | None
    samples: str | None
    error: str | None
    mode: str = "min"
    quantity: str = ""
    page: str | None = None
    figures: Mapping[str, str] = field(default_factory=dict)
    curve: JobCurve = JobCurve()

    @property
    def has_result(self) -> bool:
        """Whether the job has a best value that is a finite number."""
        return self.best is not None and math.isfinite(self.best)

    @property
    def result(self) -> float:
        """The best value, NaN without one."""
        return math.nan if self.best is None else self.best


def metric_of(rows: Sequence[Row]) -> str:
    """The metric of the sweep: that of most jobs; empty if none has one."""
    names = [row.metric for row in rows if row.metric]
    return max(dict.fromkeys(names), key=names.count, default="")


def label_of(metric: str) -> str:
    """A metric with its unit."""
    return f"{metric} ({UNITS[metric]})" if metric in UNITS else metric


def ranked(rows: Sequence[Row]) -> list[Row]:
    """The best job first; those without a result last."""
    return sorted(rows, key=_rank)


def best_of(rows: Sequence[Row]) -> Row | None:
    """The best job; ``None`` if no job has a result, or results are of different quantities."""
    if len(kinds_of(rows)) != 1:
        return None
    return ranked(rows)[0]


def kinds_of(rows: Sequence[Row]) -> set[tuple[str, str, str]]:
    """Metric, quantity and direction of the results; those of different kinds do not compare."""
    return {(row.metric, row.quantity, row.mode) for row in rows if row.has_result}


def _rank(row: Row) -> tuple[bool, float, int]:
    value = row.result if row.has_result else 0.0
    return not row.has_result, value if row.mode == "min" else -value, row.number


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """Keys by the fewest of their last parts that tell them apart: ``lr``, ``optimizer.lr``."""
    names = {}
    for key in keys:
        parts = key.split(".")
        for count in range(1, len(parts) + 1):
            name = ".".join(parts[-count:])
            if sum(f".{other}".endswith(f".{name}") for other in keys) == 1:
                break
        names[key] = name
    return names
