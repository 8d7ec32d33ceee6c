"""Axes of plots: ranges, round ticks and their labels, linear or logarithmic."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SPAN = 10.0  # positive values that span this factor are shown on a logarithmic axis


@dataclass(frozen=True)
class Tick:
    """A mark of an axis: its position from 0 to 1, and its label."""

    position: float
    label: str


@dataclass(frozen=True)
class Axis:
    """A range of numbers on a line from 0 to 1.

    Attributes:
        low: number at 0.
        high: number at 1, above `low`.
        is_log: whether equal factors, not equal differences, have the same length.
    """

    low: float
    high: float
    is_log: bool = False

    def position(self, value: float) -> float:
        """Where a number is, from 0 to 1."""
        if self.is_log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self, most: int = 6) -> tuple[Tick, ...]:
        """Round numbers within the range."""
        values = log_ticks(self.low, self.high, most) if self.is_log else []
        labels = [short(value) for value in values]
        if len(values) < 2:
            values = linear_ticks(self.low, self.high, most)
            labels = alike(values)
        pairs = zip(values, labels, strict=True)
        return tuple(Tick(self.position(value), label) for value, label in pairs)


def axis_of(values: Iterable[float], *, log: bool | None = None, zero: bool = False) -> Axis:
    """The axis that shows all finite values.

    Args:
        values: what it shows.
        log: whether it is logarithmic; ``None``: if the values span a factor of ten or more.
        zero: whether a linear axis begins at 0.
    """
    finite = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    if low > 0 and (high >= SPAN * low if log is None else log):
        margin = (high / low) ** 0.04 if high > low else 2.0
        return Axis(low / margin, high * margin, is_log=True)
    low = min(low, 0.0) if zero else low
    margin = 0.04 * (high - low) or 0.5 * abs(high) or 0.5
    return Axis(low if zero and low == 0 else low - margin, high + margin)


def linear_ticks(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten, with at most so many steps between them."""
    least = (high - low) / most
    power = 10.0 ** math.floor(math.log10(least))
    step = next(power * times for times in (1, 2, 5, 10, 20) if least <= power * times)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Powers of ten; with their double and fivefold where that leaves room for all labels."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1,)):
        ticks = [times * 10.0**power for power in powers for times in factors]
        ticks = [tick for tick in ticks if low <= tick * (1 + 1e-9) and tick <= high * (1 + 1e-9)]
        if len(ticks) <= most:
            return ticks
    return ticks[:: math.ceil(len(ticks) / most)]


def alike(values: Sequence[float]) -> list[str]:
    """Labels of equally spaced numbers, with as many decimals each."""
    labels = [short(value) for value in values]
    if any(label[-1] == "M" or "e" in label for label in labels):
        return labels
    decimals = max((len(label.partition(".")[2]) for label in labels), default=0)
    return [f"{value:,.{decimals}f}" for value in values]


def short(value: float) -> str:
    """A number to at most four significant digits, such as 1,500, 2.5M, 0.25 or 3e-5."""
    if value == 0:
        return "0"
    if not math.isfinite(value):
        return str(value)
    if 1e6 <= abs(value) < 1e9:
        return f"{short(value / 1e6)}M"
    if abs(value) >= 1e6 or abs(value) < 1e-4:
        mantissa, _, power = f"{value:.3e}".partition("e")
        return f"{float(mantissa):g}e{int(power)}"
    rounded = float(f"{value:.4g}")
    return f"{rounded:,.0f}" if rounded == int(rounded) else f"{rounded:g}"
