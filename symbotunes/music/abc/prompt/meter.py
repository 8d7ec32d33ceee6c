"""The meter of a prompt without ``M:``, as its bars tell it."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.phrases import sounding_eighths
from symbotunes.music.abc.tokens import Bar, Item

_SHORTEST_FIRST_BAR = 6  # eighths; a shorter one that stands alone may be an upbeat
_METERS = {  # that have bars of so many eighths
    3: ("3/8",),
    4: ("2/4",),
    5: ("5/8",),
    6: ("6/8", "3/4"),
    7: ("7/8",),
    8: ("4/4",),
    9: ("9/8",),
    10: ("5/4",),
    12: ("12/8", "3/2"),
    15: ("15/8",),
}


@dataclass(frozen=True)
class _Bar:
    """A bar that ends: its length, and whether plain bar signs, which split no bar, enclose it."""

    eighths: Fraction
    whole: bool


def meter_of_bars(items: Sequence[Item]) -> str | None:
    """The meter in which the bars of a beginning add up; ``None`` before the first bar ends.

    Args:
        items: tuplets scaled.

    Raises:
        AbcError: if the bars have different lengths, or one that leaves a choice, as 6/8 and 3/4.
    """
    bars, begun = _bars(items)
    if not bars:
        return None
    full = max(bar.eighths for bar in bars)
    split = [bar for bar in bars if bar.eighths < full]
    upbeat = len(bars) - len(split) == 1 and full < _SHORTEST_FIRST_BAR
    if begun > full or upbeat or any(bar.whole for bar in split):
        raise AbcError("the bars do not tell the meter", "write M:6/8 or another in front")
    meters = _METERS.get(int(full), ()) if full.denominator == 1 else ()
    if len(meters) != 1:
        which = " or ".join(f"M:{meter}" for meter in meters) or "M:"
        raise AbcError(f"bars of {full} eighths do not tell the meter", f"write {which} in front")
    return meters[0]


def _bars(items: Sequence[Item]) -> tuple[list[_Bar], Fraction]:
    """The bars that end, and the eighths of the one that is begun."""
    bars: list[_Bar] = []
    filled, enclosed = Fraction(0), False
    for item, length in zip(items, sounding_eighths(items), strict=True):
        filled += length
        if not isinstance(item, Bar):
            continue
        plain = item.sign == "|"
        if filled:
            bars.append(_Bar(filled, enclosed and plain))
        enclosed = plain and (enclosed or bool(filled))
        filled = Fraction(0)
    return bars, filled
