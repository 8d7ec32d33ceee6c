"""The page of a sweep: one table of its jobs, and how the result depends on every setting."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbotunes.render.palette import COLORS
from symbotunes.render.templates import render

UNITS = {"val/loss": "nats per token"}
WIDTH, HEIGHT, MARGIN = 300, 210, 40  # px


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


@dataclass(frozen=True)
class Dot:
    """A job in a chart: the position of its dot in px, and its description."""

    x: float
    y: float
    says: str


@dataclass(frozen=True)
class Slice:
    """The results as a function of one setting.

    Attributes:
        key: the setting.
        dots: one for each job.
        low: lowest result.
        high: highest result.
        first: the setting at the left end.
        last: the setting at the right end.
    """

    key: str
    dots: tuple[Dot, ...]
    low: float
    high: float
    first: str
    last: str


def sweep_page(name: str, keys: Sequence[str], rows: Sequence[Row]) -> str:
    """The page as text; it loads nothing. The best job comes first."""
    metric = next((row.metric for row in rows if row.metric), "value")
    label = f"{metric} ({UNITS[metric]})" if metric in UNITS else metric
    slices = (slice_of(key, rows) for key in keys)
    results = [label, "at step", "tokens/s", "peak memory (GiB)", "samples"]
    return render(
        "sweep.html",
        styles=["sweep.css"],
        heading=name,
        keys=keys,
        heads=["job", "status", *keys, *results],
        rows=sorted(rows, key=_rank),
        finished=sum(row.status == "finished" for row in rows),
        charts=[chart for chart in slices if chart is not None],
        label=label,
        quantities=sorted({row.quantity for row in rows if _finite(row)}),
        width=WIDTH,
        height=HEIGHT,
        margin=MARGIN,
        color=COLORS[0],
    )


def _rank(row: Row) -> tuple[bool, float, int]:
    finite = _finite(row)
    value = row.best if finite and row.best is not None else 0.0
    return not finite, value if row.mode == "min" else -value, row.number


def _finite(row: Row) -> bool:
    return row.best is not None and math.isfinite(row.best)


def slice_of(key: str, rows: Sequence[Row]) -> Slice | None:
    """The results as a function of one setting, on a logarithmic axis if numbers are far apart."""
    shown = [row for row in rows if _finite(row) and key in row.settings]
    if not shown:
        return None
    positions = _positions([row.settings[key] for row in shown])
    results = [row.best or 0.0 for row in shown]
    low, high = min(results), max(results)
    dots = []
    for row, position, result in zip(shown, positions, results, strict=True):
        height = (result - low) / (high - low) if high > low else 0.5
        dots.append(
            Dot(
                x=MARGIN + position * (WIDTH - 2 * MARGIN),
                y=HEIGHT - MARGIN - height * (HEIGHT - 2 * MARGIN),
                says=f"job {row.number}: {key}={row.settings[key]}, {result:.4f}",
            )
        )
    first, last = (
        shown[positions.index(end)].settings[key] for end in (min(positions), max(positions))
    )
    return Slice(key, tuple(dots), low, high, first, last)


def _positions(values: Sequence[str]) -> list[float]:
    """Positions of values between 0 and 1: by size if they are numbers, else by order."""
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        names = list(dict.fromkeys(values))
        numbers = [float(names.index(value)) for value in values]
    if min(numbers) > 0 and max(numbers) >= 10 * min(numbers):
        numbers = [math.log(number) for number in numbers]
    low, high = min(numbers), max(numbers)
    return [(number - low) / (high - low) if high > low else 0.5 for number in numbers]
