"""One measured number with its confidence interval."""

from dataclasses import dataclass

from symbotunes.evaluation.metrics.bootstrap import Interval


@dataclass(frozen=True)
class Figure:
    """What a figure is called and what it means.

    Attributes:
        label: for tables and axes.
        meaning: one sentence for readers.
        decimals: digits behind the point.
        scale: what values are multiplied by when they are shown.
        suffix: written behind a value.
    """

    label: str
    meaning: str
    decimals: int = 1
    scale: float = 1.0
    suffix: str = ""

    def show(self, interval: Interval) -> tuple[str, str]:
        """The value, and its interval in brackets."""
        value, low, high = (
            f"{self.scale * number:,.{self.decimals}f}"
            for number in (interval.value, interval.low, interval.high)
        )
        return f"{value}{self.suffix}", f"[{low}, {high}]"
