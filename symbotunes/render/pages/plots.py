"""Plots of curves, as the positions that ``plots.html`` draws in SVG.

Not matplotlib, which draws the charts of evaluations: these are drawn while a network trains, which
must not wait for them; they are part of a page and take its colors, light or dark.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbotunes.render.pages.axes import Axis, Tick, axis_of, short
from symbotunes.render.palette import COLORS

WIDTH, HEIGHT = 480, 270  # px
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 42  # px around the area of the curves
MOST_POINTS = 400  # of a curve
MOST_DOTS = 40  # of a curve whose points are marked


@dataclass(frozen=True)
class Curve:
    """Points that are joined from left to right.

    Attributes:
        name: for the legend, and for whoever points at it.
        x: positions; points that are not finite are left out.
        y: heights, as many.
        color: of the palette.
        weight: width of the line in px.
        opacity: from 0 to 1.
        is_dotted: whether its points are marked, if they are few.
        is_dashed: whether the line is.
        is_line: whether there is a line, and not only marks.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    color: str = COLORS[0]
    weight: float = 1.6
    opacity: float = 1.0
    is_dotted: bool = False
    is_dashed: bool = False
    is_line: bool = True


@dataclass(frozen=True)
class Line:
    """A curve on paper: its style, ``points`` for SVG, and marks as x, y and description."""

    curve: Curve
    points: str
    marks: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Plot:
    """A drawing of curves.

    Attributes:
        title: what the heights are, with their unit.
        x_label: what the positions are.
        description: for those who cannot see it.
        x_ticks: marks of the horizontal axis, from 0 to 1.
        y_ticks: marks of the vertical axis, from 0 to 1 upwards.
        lines: the curves.
        legend: curves that are named beside the title.
        is_log: whether the vertical axis is logarithmic.
    """

    title: str
    x_label: str
    description: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    legend: tuple[Curve, ...]
    is_log: bool
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def plot_of(
    title: str,
    curves: Sequence[Curve],
    *,
    x_label: str = "optimizer steps",
    log: bool | None = None,
    zero: bool = False,
    x_end: float | None = None,
    x_axis: Axis | None = None,
    x_ticks: Sequence[Tick] | None = None,
    legend: Sequence[Curve] | None = None,
) -> Plot | None:
    """Draw curves, or ``None`` if none has a point.

    Args:
        title: what the heights are, with their unit.
        curves: from back to front.
        x_label: what the positions are.
        log: whether the vertical axis is logarithmic; ``None``: if heights span a factor of ten.
        zero: whether a linear vertical axis begins at 0.
        x_end: position that the horizontal axis reaches at least, so that plots can be compared.
        x_axis: the horizontal axis; ``None``: linear from 0.
        x_ticks: its marks; ``None``: round numbers.
        legend: curves to name; ``None``: all, if they are several and few.
    """
    shown = [(curve, points) for curve in curves if (points := thinned(finite_points(curve)))]
    if not shown:
        return None
    positions = [x for _, points in shown for x, _ in points]
    x_axis = x_axis or axis_of([*positions, x_end or 0.0], log=False, zero=True)
    y_axis = axis_of((y for _, points in shown for _, y in points), log=log, zero=zero)
    if legend is None:
        drawn = [curve for curve, _ in shown]
        legend = drawn if 1 < len(drawn) <= len(COLORS) else []
    return Plot(
        title=title,
        x_label=x_label,
        description=f"{title} over {x_label}: {'; '.join(_ends(*entry) for entry in shown[-6:])}",
        x_ticks=x_axis.ticks(5) if x_ticks is None else tuple(x_ticks),
        y_ticks=y_axis.ticks(),
        lines=tuple(_line(curve, points, x_axis, y_axis) for curve, points in shown),
        legend=tuple(legend),
        is_log=y_axis.is_log,
    )


def finite_points(curve: Curve) -> list[tuple[float, float]]:
    """The points of a curve whose numbers are all finite."""
    pairs = zip(curve.x, curve.y, strict=True)
    return [(x, y) for x, y in pairs if math.isfinite(x) and math.isfinite(y)]


def thinned(
    points: Sequence[tuple[float, float]], most: int = MOST_POINTS
) -> list[tuple[float, float]]:
    """At most so many points, the first and last and the lowest and highest of each stretch."""
    if len(points) <= most:
        return list(points)
    stretches = most // 2 - 1
    inner = points[1:-1]
    kept = [points[0]]
    for index in range(stretches):
        stretch = inner[len(inner) * index // stretches : len(inner) * (index + 1) // stretches]
        ends = {min(stretch, key=lambda point: point[1]), max(stretch, key=lambda point: point[1])}
        kept.extend(sorted(ends))
    return [*kept, points[-1]]


def _ends(curve: Curve, points: Sequence[tuple[float, float]]) -> str:
    (x0, y0), (x1, y1) = points[0], points[-1]
    if len(points) == 1:
        return f"{curve.name} {short(y0)} at {short(x0)}"
    return f"{curve.name} from {short(y0)} at {short(x0)} to {short(y1)} at {short(x1)}"


def _line(curve: Curve, points: Sequence[tuple[float, float]], x_axis: Axis, y_axis: Axis) -> Line:
    places = [(across(x_axis.position(x)), upward(y_axis.position(y))) for x, y in points]
    marks: tuple[tuple[str, str, str], ...] = ()
    if len(points) == 1 or not curve.is_line or curve.is_dotted and len(points) <= MOST_DOTS:
        says = [f"{curve.name}: {short(y)} at {short(x)}" for x, y in points]
        marks = tuple((x, y, text) for (x, y), text in zip(places, says, strict=True))
    return Line(curve, " ".join(f"{x},{y}" for x, y in places) if curve.is_line else "", marks)


def across(position: float) -> str:
    """A position from 0 to 1 in px from the left of the drawing."""
    return f"{LEFT + position * (WIDTH - LEFT - RIGHT):.1f}"


def upward(position: float) -> str:
    """A position from 0 to 1 upwards in px from the top of the drawing."""
    return f"{HEIGHT - BOTTOM - position * (HEIGHT - TOP - BOTTOM):.1f}"


def time_unit(seconds: float) -> tuple[float, str]:
    """The unit for times up to so many seconds: its length in seconds, and its name."""
    units: Mapping[str, float] = {"hours": 3600.0, "minutes": 60.0}
    for name, length in units.items():
        if seconds >= 3 * length:
            return length, name
    return 1.0, "seconds"
