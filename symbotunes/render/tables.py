"""The parts of report pages as plain values: cells, tables, headline figures, charts."""

from collections.abc import Sequence
from dataclasses import dataclass

from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.evaluation.metrics.figure import Figure


@dataclass(frozen=True)
class Cell:
    """A figure in a table; shown as a dash if it has no value and no reason.

    Attributes:
        value: with its unit.
        span: its confidence interval in brackets.
        reason: why there is no value.
    """

    value: str = ""
    span: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Table:
    """A table whose first cell of a row is its heading.

    Attributes:
        head: name of each column.
        rows: text or figures.
        ours: index of the row to highlight, or ``None``.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    ours: int | None = None


@dataclass(frozen=True)
class Head:
    """A figure in large type."""

    label: str
    value: str
    span: str


@dataclass(frozen=True)
class Drawing:
    """A drawing as SVG, and the numbers in it as CSV."""

    svg: bytes
    csv: str


@dataclass(frozen=True)
class Chart:
    """A drawing, and a description for those who cannot see it."""

    drawing: Drawing
    says: str

    @property
    def svg(self) -> bytes:
        """The drawing for a page."""
        return self.drawing.svg


def cell(figure: Figure, interval: Interval | None) -> Cell:
    """A figure with its interval, or a dash."""
    if interval is None or not interval.is_defined:
        return Cell()
    return Cell(*figure.show(interval))


def head(figure: Figure, interval: Interval, before: str = "") -> Head:
    """A figure in large type; `before` is put in front of its label."""
    return Head(before + figure.label, *figure.show(interval))
