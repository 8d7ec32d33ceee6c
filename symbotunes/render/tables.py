"""What pages of figures are made of, as plain values: cells, tables, headline figures, charts."""

from collections.abc import Sequence
from dataclasses import dataclass

from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.evaluation.metrics.figure import Figure


@dataclass(frozen=True)
class Cell:
    """A figure in a table; without value and reason it is a dash.

    Attributes:
        value: with its unit.
        span: its interval in brackets.
        reason: why there is no value.
    """

    value: str = ""
    span: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Table:
    """Rows whose first cell says what they are about.

    Attributes:
        head: name of each column.
        rows: text or figures.
        ours: index of the row that stands out, or ``None``.
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
class Chart:
    """A drawing, and words for those who do not see it."""

    svg: bytes
    says: str


def cell(figure: Figure, interval: Interval | None) -> Cell:
    """A figure with its interval, or a dash."""
    if interval is None or not interval.is_finite:
        return Cell()
    return Cell(*figure.show(interval))


def head(figure: Figure, interval: Interval, before: str = "") -> Head:
    """A figure in large type; `before` opens its label."""
    return Head(before + figure.label, *figure.show(interval))
