"""What a figure is called and means, and the registries of the functions that compute figures.

A metric is a function that is registered together with its `Figure`. Evaluations, comparisons,
pages, tables, loggers and JSON iterate over the registries, so a new metric needs no other edit.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Generic, Literal, TypeVar

from symbotunes.evaluation.metrics.bootstrap import Interval

Subject = TypeVar("Subject")
Value = TypeVar("Value")
ADVICE = {
    "higher": "higher is better",
    "lower": "lower is better",
    "closer": "closer to the music of the data is better",
}


@dataclass(frozen=True)
class Figure:
    """What a figure is called and what it means.

    Attributes:
        key: its name in files and on dashboards.
        label: for tables and axes.
        meaning: one sentence for readers.
        better: which values are better; ``None`` if none are.
        unit: that it is shown in; ``%`` is written after a value.
        decimals: digits after the decimal point.
        scale: what values are multiplied by when they are shown.
        source: the paper that defines it.
        headline: whether a report shows it in large type, too.
        compared: whether mode=compare shows it.
        axis: of a histogram, what it counts.
        lowest: the least whole number that a histogram counts.
    """

    key: str
    label: str
    meaning: str
    better: Literal["higher", "lower", "closer"] | None
    unit: str = ""
    decimals: int = 1
    scale: float = 1.0
    source: str = ""
    headline: bool = False
    compared: bool = True
    axis: str = ""
    lowest: int = 0

    @property
    def suffix(self) -> str:
        """What is written after a value."""
        return " %" if self.unit == "%" else ""

    @property
    def advice(self) -> str:
        """Which values are better, in words; may be empty."""
        return ADVICE[self.better] if self.better else ""

    def show(self, interval: Interval) -> tuple[str, str]:
        """The value, and its interval in brackets; an empty text if none is given."""
        value, low, high = (
            f"{self.scale * number:,.{self.decimals}f}"
            for number in (interval.value, interval.low, interval.high)
        )
        return f"{value}{self.suffix}", f"[{low}, {high}]" if interval.has_ends else ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        names = ("label", "meaning", "better", "unit", "decimals", "scale", "source")
        content = asdict(self)
        return {**{name: content[name] for name in names}, "suffix": self.suffix}


def share(key: str, label: str, meaning: str, better: Literal["higher", "lower", "closer"],
          **more: Any) -> Figure:  # fmt: skip
    """A figure from 0 to 1 that is shown in percent."""
    return Figure(key, label, meaning, better, unit="%", scale=100.0, **more)


class Inapplicable(Exception):  # noqa: N818  # it is not an error
    """A figure does not apply to the music; the message says why."""


class Metrics(Mapping[str, Figure], Generic[Subject, Value]):
    """The figures of one kind of subject, each with the function that computes it.

    A mapping from keys to figures in the order of their registration, which is that of all tables.
    """

    def __init__(self) -> None:
        self.entries: dict[str, tuple[Figure, Callable[[Subject], Value]]] = {}

    def register(
        self, figure: Figure
    ) -> Callable[[Callable[[Subject], Value]], Callable[[Subject], Value]]:
        """Decorate the function that computes a figure.

        Raises:
            ValueError: if this key is already registered.
        """
        if figure.key in self.entries:
            raise ValueError(f"there is a figure {figure.key!r} already")

        def add(function: Callable[[Subject], Value]) -> Callable[[Subject], Value]:
            self.entries[figure.key] = figure, function
            return function

        return add

    def measure(self, subject: Subject) -> tuple[dict[str, Value], dict[str, str]]:
        """The figures that apply, and the reasons why the others do not, by key."""
        values, reasons = {}, {}
        for key, (_, function) in self.entries.items():
            try:
                values[key] = function(subject)
            except Inapplicable as reason:
                reasons[key] = str(reason)
        return values, reasons

    @property
    def compared(self) -> dict[str, Figure]:
        """The figures of mode=compare."""
        return {key: figure for key, figure in self.items() if figure.compared}

    def __getitem__(self, key: str) -> Figure:
        return self.entries[key][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)
