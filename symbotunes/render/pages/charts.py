"""Charts as SVG with their numbers as CSV: dots and lines with intervals, histograms, curves."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.render.pages.plots import Plot, finite_points
from symbotunes.render.palette import COLORS
from symbotunes.render.tables import Drawing

WIDTH, DPI = 960, 96  # px
ROW, TOP, BOTTOM, LEFT, RIGHT = 30, 42, 46, 200, 28  # px
INK, SOFT, GRID = "#28241d", "#6a6354", "#e8e4db"
MARKERS = ("o", "D", "s", "^", "v", "P")


@dataclass(frozen=True)
class Series:
    """Dots of one color.

    Attributes:
        name: for the legend.
        values: intervals by the label of their row; rows may be missing.
    """

    name: str
    values: Mapping[str, Interval]


def dot_chart(rows: Sequence[str], series: Sequence[Series], axis: str) -> Drawing:
    """Rows from top to bottom, one dot with its interval for each series.

    Args:
        rows: labels.
        series: at most six.
        axis: what is measured, with its unit.
    """
    height = TOP + BOTTOM + ROW * max(1, len(rows))
    figure = _figure(height)
    axes = _axes(figure, height)
    for index, dots in enumerate(series):
        shown = [number for number, row in enumerate(rows) if row in dots.values]
        intervals = [dots.values[rows[number]] for number in shown]
        values = np.array([interval.value for interval in intervals])
        low = np.array([interval.low for interval in intervals])
        high = np.array([interval.high for interval in intervals])
        axes.errorbar(
            values,
            [number + _offset(rows[number], series, index) for number in shown],
            # The percentile interval of a skewed figure may not contain its value, and of few
            # pieces there is none.
            xerr=[
                np.nan_to_num(np.maximum(values - low, 0)),
                np.nan_to_num(np.maximum(high - values, 0)),
            ],
            fmt=MARKERS[index],
            markersize=5.5,
            color=COLORS[index],
            elinewidth=1.6,
            capsize=0,
            label=_plain(dots.name),
        )
    axes.set_yticks(range(len(rows)), [_plain(row) for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    for number in range(1, len(rows)):
        axes.axhline(number - 0.5, color=GRID, linewidth=0.5)
    numbers = [
        (row, dots.name, *_ends_of(dots.values[row]))
        for row in rows
        for dots in series
        if row in dots.values
    ]
    return Drawing(
        _finish(figure, axes, axis), csv_of(("row", "series", axis, "low", "high"), numbers)
    )


def _ends_of(interval: Interval) -> tuple[float, float, float]:
    return interval.value, interval.low, interval.high


def _offset(row: str, series: Sequence[Series], index: int) -> float:
    """Vertical offset of a series in a row: those with a dot there share its height."""
    present = [number for number, dots in enumerate(series) if row in dots.values]
    spread = min(0.26, 0.66 / len(present))
    return (present.index(index) - (len(present) - 1) / 2) * spread


def line_chart(
    positions: Sequence[float], lines: Mapping[str, Sequence[Interval]], axis: str, height_axis: str
) -> Drawing:
    """Lines with bands of their intervals.

    Args:
        positions: from left to right.
        lines: an interval at each position, by name; at most six.
        axis: what the positions are.
        height_axis: what is measured, with its unit.
    """
    height = 340
    figure = _figure(height)
    axes = _axes(figure, height, left=64)
    for index, (name, intervals) in enumerate(lines.items()):
        low = [interval.low for interval in intervals]
        high = [interval.high for interval in intervals]
        values = [interval.value for interval in intervals]
        axes.fill_between(positions, low, high, color=COLORS[index], alpha=0.16, linewidth=0)
        axes.plot(
            positions, values, color=COLORS[index], marker=MARKERS[index],
            markersize=4.5, linewidth=1.6, label=_plain(name),
        )  # fmt: skip
    axes.set_ylim(bottom=0)
    axes.set_ylabel(height_axis, color=SOFT, fontsize=9)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    numbers = [
        (position, name, *_ends_of(interval))
        for name, intervals in lines.items()
        for position, interval in zip(positions, intervals, strict=True)
    ]
    return Drawing(
        _finish(figure, axes, axis), csv_of((axis, "series", height_axis, "low", "high"), numbers)
    )


def histogram(groups: Mapping[str, Sequence[float]], axis: str, *, whole: bool = False) -> Drawing:
    """Percentages of values in bins, one outline for each group.

    Args:
        groups: values by name; at most six.
        axis: what is measured, with its unit.
        whole: whether the values are whole numbers.
    """
    height = 300
    figure = _figure(height)
    axes = _axes(figure, height, left=64)
    pooled = np.concatenate([np.asarray(values, np.float64) for values in groups.values()])
    edges = _edges(pooled, whole=whole)
    for (name, values), color in zip(groups.items(), COLORS, strict=False):
        weights = np.full(len(values), 100 / max(1, len(values)))
        axes.hist(values, edges, weights=weights, color=color, alpha=0.16)
        axes.hist(
            values, edges, weights=weights, histtype="step", color=color, linewidth=1.8,
            label=_plain(name),
        )  # fmt: skip
    axes.set_ylabel("percentage", color=SOFT, fontsize=9)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    columns = [
        np.histogram(values, edges)[0] * 100 / max(1, len(values)) for values in groups.values()
    ]
    numbers = zip(edges[:-1], edges[1:], *columns, strict=True)
    head = (f"{axis}, from", "to", *(f"{name}, percentage" for name in groups))
    return Drawing(_finish(figure, axes, axis), csv_of(head, numbers))


def curves(plot: Plot) -> Drawing:
    """The curves of a plot in the style of the other charts, to be put on paper."""
    height = 340
    figure = _figure(height)
    axes = _axes(figure, height, left=72)
    for line in plot.lines:
        curve = line.curve
        axes.plot(
            *zip(*finite_points(curve), strict=True), color=curve.color, linewidth=curve.weight,
            alpha=curve.opacity, linestyle=("--" if curve.is_dashed else "-") * curve.is_line,
            marker="o" if line.marks else "", markersize=4, label=_plain(curve.name),
        )  # fmt: skip
    if plot.is_log:
        axes.set_yscale("log")
    axes.set_ylabel(_plain(plot.title), color=SOFT, fontsize=9)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    numbers = [(x, line.curve.name, y) for line in plot.lines for x, y in finite_points(line.curve)]
    return Drawing(
        _finish(figure, axes, plot.x_label, legend=len(plot.lines) <= len(COLORS)),
        csv_of((plot.x_label, "series", plot.title), numbers),
    )


def csv_of(head: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """A table as CSV, numbers with nine significant digits."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(
        [f"{cell:.9g}" if isinstance(cell, float) else cell for cell in row] for row in rows
    )
    return text.getvalue()


def _edges(values: Any, *, whole: bool) -> Any:
    """Bounds of about 40 bins."""
    low, high = float(values.min()), float(values.max())
    if whole:
        step = max(1, round((high - low + 1) / 40))
        return np.arange(low, high + step + 1, step) - 0.5
    return np.linspace(low, high if high > low else low + 1, 41)


def _figure(height: int) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor="#ffffff")


def _axes(figure: Any, height: int, left: int = LEFT) -> Any:
    box = (
        left / WIDTH,
        BOTTOM / height,
        (WIDTH - left - RIGHT) / WIDTH,
        1 - (TOP + BOTTOM) / height,
    )
    axes = figure.add_axes(box, facecolor="#ffffff")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(SOFT)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=9.5, labelcolor=INK, pad=6)
    return axes


def _finish(figure: Any, axes: Any, axis: str, *, legend: bool = True) -> bytes:
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    axes.set_xlabel(axis, color=SOFT, fontsize=9)
    if legend:
        axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=6, frameon=False, fontsize=9.5,
            labelcolor=INK, borderaxespad=0.3, handletextpad=0.5, columnspacing=1.6,
        )  # fmt: skip
    buffer = io.BytesIO()
    # So that the same figures give the same bytes.
    with matplotlib.rc_context({"svg.hashsalt": "symbotunes"}):
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(buffer, metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _plain(text: str) -> str:
    """A label that matplotlib neither hides nor treats as a formula."""
    return text.lstrip("_").replace("$", r"\$") or "?"
