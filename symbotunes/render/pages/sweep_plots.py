"""What the page of a sweep draws: curves of its jobs, and results over their settings."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symbotunes.render.pages.axes import Axis, Tick, axis_of, short
from symbotunes.render.pages.plots import Curve, Plot, plot_of, time_unit
from symbotunes.render.pages.sweep_rows import (
    Row,
    best_of,
    kinds_of,
    label_of,
    metric_of,
    ranked,
    short_names,
)
from symbotunes.render.palette import COLORS

BEST, OTHER = COLORS[1], COLORS[0]
FAINTEST = 0.25  # opacity of the worst job
MOST_NAMED = len(COLORS)  # jobs with a color of their own
MOST_NAMES = 10  # values of a setting that an axis names
MOST_LETTERS = 16  # of a value on an axis
STEP, SIDE = 150, 70  # px between parallel axes, and beside them
TOP, BOTTOM, HEIGHT = 44, 24, 330  # px of the parallel axes


@dataclass(frozen=True)
class Look:
    """How a job is drawn in all charts."""

    color: str
    opacity: float
    weight: float


def looks_of(rows: Sequence[Row]) -> dict[int, Look]:
    """Looks by job number: few jobs have colors of their own, of many the best stands out."""
    order = [row for row in ranked(rows) if row.has_result or row.curve.steps]
    if len(order) <= MOST_NAMED:
        colors = (BEST, OTHER, *COLORS[2:])
        return {
            row.number: Look(color, 1.0, 1.6 if index else 2.6)
            for index, (row, color) in enumerate(zip(order, colors, strict=False))
        }
    fade = (1 - FAINTEST) / (len(order) - 1)
    looks = {row.number: Look(OTHER, 1 - fade * index, 1.3) for index, row in enumerate(order)}
    best = best_of(rows)
    if best is not None:
        looks[best.number] = Look(BEST, 1.0, 2.6)
    return looks


def described(row: Row, keys: Sequence[str]) -> str:
    """A job by its settings, such as ``job 3: lr=0.001, seed=2``."""
    names = short_names(keys)
    settings = [f"{names[key]}={rounded(row.settings[key])}" for key in keys if key in row.settings]
    return f"job {row.number}: {', '.join(settings)}" if settings else f"job {row.number}"


def rounded(value: str) -> str:
    """A setting, rounded if it is a number."""
    try:
        number = float(value)
    except ValueError:
        return value
    return short(number) if math.isfinite(number) and len(value) > len(short(number)) else value


def curve_plots(keys: Sequence[str], rows: Sequence[Row]) -> list[Plot]:
    """The metric of all jobs over steps and over time, the best job in front."""
    metric = metric_of(rows)
    shown = [row for row in reversed(ranked(rows)) if row.metric == metric and row.curve.steps]
    if not metric or not shown:
        return []
    looks = looks_of(rows)
    curves = [
        Curve(
            name=described(row, keys), x=row.curve.steps, y=row.curve.values,
            color=looks[row.number].color, opacity=looks[row.number].opacity,
            weight=looks[row.number].weight, is_dashed=row.status != "finished",
        )
        for row in shown
    ]  # fmt: skip
    legend = curves[::-1] if 1 < len(curves) <= MOST_NAMED else curves[-1:]
    title = label_of(metric)
    plots = [plot_of(title, curves, legend=legend)]
    times = [second for row in shown for second in row.curve.seconds if math.isfinite(second)]
    length, unit = time_unit(max(times, default=0.0))
    by_time = [
        replace(curve, x=[second / length for second in row.curve.seconds])
        for row, curve in zip(shown, curves, strict=True)
    ]
    plots.append(plot_of(title, by_time, x_label=f"{unit} of training", legend=[]))
    return [plot for plot in plots if plot is not None]


@dataclass(frozen=True)
class Scale:
    """The values of a setting on an axis: numbers by size, anything else by order."""

    axis: Axis
    ticks: tuple[Tick, ...]
    numbers: Mapping[str, float]

    def position(self, value: str) -> float:
        """Where a value is, from 0 to 1."""
        return self.axis.position(self.numbers[value])


def scale_of(values: Sequence[str]) -> Scale:
    """The axis of a setting; numbers that span a factor of ten are logarithmic."""
    distinct = list(dict.fromkeys(values))
    try:
        numbers = {value: float(value) for value in distinct}
    except ValueError:
        numbers = {}
    if not numbers or not all(map(math.isfinite, numbers.values())):
        positions = {value: float(index) for index, value in enumerate(distinct)}
        axis = Axis(-0.5, len(distinct) - 0.5)
        every = math.ceil(len(distinct) / MOST_NAMES)
        names = [(value, clipped(value)) for value in distinct[::every]]
        ticks = tuple(Tick(axis.position(positions[value]), name) for value, name in names)
        return Scale(axis, ticks, positions)
    axis = axis_of(numbers.values())
    if len(set(numbers.values())) > MOST_NAMES // 2:
        return Scale(axis, axis.ticks(5), numbers)
    ticks = tuple(
        Tick(axis.position(value), short(value)) for value in sorted(set(numbers.values()))
    )
    return Scale(axis, ticks, numbers)


def clipped(value: str) -> str:
    """A value that fits beside an axis."""
    return value if len(value) <= MOST_LETTERS else f"{value[: MOST_LETTERS - 1]}…"


def slice_plots(keys: Sequence[str], rows: Sequence[Row]) -> list[Plot]:
    """The results as a function of each setting: a dot for each job, a line through the means."""
    if len(kinds_of(rows)) != 1:
        return []
    shown = [row for row in reversed(ranked(rows)) if row.has_result]
    looks = looks_of(rows)
    plots = [
        _slice(key, keys, [row for row in shown if key in row.settings], looks)
        for key in keys
        if differs(key, shown)
    ]
    return [plot for plot in plots if plot is not None]


def differs(key: str, rows: Sequence[Row]) -> bool:
    """Whether jobs have several values of a setting; the others may all have failed."""
    return len({row.settings[key] for row in rows if key in row.settings}) > 1


def values_of(key: str, rows: Sequence[Row]) -> list[str]:
    """The values of a setting in the order of the jobs' numbers."""
    return [row.settings[key] for row in sorted(rows, key=lambda row: row.number)]


def _slice(
    key: str, keys: Sequence[str], rows: Sequence[Row], looks: Mapping[int, Look]
) -> Plot | None:
    if not rows:
        return None
    scale = scale_of(values_of(key, rows))
    dots = [
        Curve(
            name=described(row, keys), x=[scale.numbers[row.settings[key]]], y=[row.result],
            color=looks[row.number].color, opacity=looks[row.number].opacity, weight=2.8,
            is_line=False,
        )
        for row in rows
    ]  # fmt: skip
    groups: dict[float, list[float]] = {}
    for row in rows:
        groups.setdefault(scale.numbers[row.settings[key]], []).append(row.result)
    places = sorted(groups)
    means = Curve(
        "mean", places, [sum(groups[place]) / len(groups[place]) for place in places],
        weight=1.2, opacity=0.6,
    )  # fmt: skip
    has_means = 1 < len(places) < len(rows)
    title = f"{metric_of(rows)} over {key}"
    return plot_of(
        title, [*([means] if has_means else []), *dots], x_label=key, x_axis=scale.axis,
        x_ticks=scale.ticks, legend=[means] if has_means else [],
    )  # fmt: skip


@dataclass(frozen=True)
class ParallelAxis:
    """An upright axis: its name, its position in px from the left, and its marks."""

    key: str
    name: str
    x: int
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class ParallelLine:
    """A job: its look, ``points`` for SVG, and a description."""

    look: Look
    points: str
    says: str


@dataclass(frozen=True)
class Parallel:
    """Parallel coordinates: an axis for each setting and one for the result; a line for each job.

    Attributes:
        axes: from left to right.
        lines: from back to front.
    """

    axes: tuple[ParallelAxis, ...]
    lines: tuple[ParallelLine, ...]
    width: int
    height: int = HEIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def parallel_of(keys: Sequence[str], rows: Sequence[Row]) -> Parallel | None:
    """All jobs with a result, or ``None`` if fewer than two settings or jobs can be shown."""
    shown = [row for row in reversed(ranked(rows)) if row.has_result]
    drawn = [
        key for key in keys if all(key in row.settings for row in shown) and differs(key, shown)
    ]
    if len(drawn) < 2 or len(shown) < 2 or len(kinds_of(rows)) != 1:
        return None
    scales = [scale_of(values_of(key, shown)) for key in drawn]
    result = axis_of(row.result for row in shown)
    names, metric, looks = short_names(drawn), metric_of(shown), looks_of(rows)
    columns = [SIDE + STEP * index for index in range(len(drawn) + 1)]
    axes = [
        ParallelAxis(key, clipped(names[key]), x, scale.ticks)
        for key, x, scale in zip(drawn, columns, scales, strict=False)
    ]
    axes.append(ParallelAxis(metric, metric, columns[-1], result.ticks()))
    lines = []
    for row in shown:
        heights = [
            *(scale.position(row.settings[key]) for key, scale in zip(drawn, scales, strict=True)),
            result.position(row.result),
        ]
        points = " ".join(
            f"{x},{HEIGHT - BOTTOM - height * (HEIGHT - TOP - BOTTOM):.1f}"
            for x, height in zip(columns, heights, strict=True)
        )
        lines.append(
            ParallelLine(looks[row.number], points, f"{described(row, keys)}, {row.result:.4g}")
        )
    return Parallel(tuple(axes), tuple(lines), columns[-1] + SIDE)
