"""Bar signs: every repeat gets a start, and every bar an end."""

from collections.abc import Sequence
from fractions import Fraction

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.phrases import sounding_eighths
from symbotunes.music.abc.repeats import balanced_repeats, is_ending
from symbotunes.music.abc.tokens import LINE_END, Bar, Change, Item, bar_eighths

BAR, DOUBLE, OPEN, CLOSE = Bar("|"), Bar("||"), Bar("|:"), Bar(":|")


def close_bars(items: Sequence[Item], full: Fraction | None) -> list[Item]:
    """Put bar signs into canonical order, and add those missing after full bars at line ends.

    Args:
        items: as read, including line ends, which are removed; tuplets scaled.
        full: length of a bar in eighths at the beginning, or ``None`` without meter.

    Raises:
        AbcError: if meter or key changes inside a bar.
    """
    result: list[Item] = []
    filled = Fraction(0)
    signs: list[str] = []
    changes: list[Change] = []  # of meter and key, which follow the signs
    for item, length in zip(items, sounding_eighths(items), strict=True):
        if isinstance(item, Bar):
            if item is not LINE_END:
                signs.append(item.sign)
            elif full is not None and filled == full and not signs:
                signs.append("|")
            continue
        if isinstance(item, Change):
            if filled and not signs:
                raise AbcError("changes meter or key inside a bar", str(item))
            changes.append(item)
            continue
        if signs:
            result += [*canonical_signs(signs, first=not result), *_one_of_each(changes)]
            full = next(
                (bar_eighths(change.meter) for change in reversed(changes) if change.meter), full
            )
            signs, filled, changes = [], Fraction(0), []
        result.append(item)
        filled += length
    return [*result, *canonical_signs(signs or ["|"], first=False)]


def _one_of_each(changes: Sequence[Change]) -> list[Change]:
    """The last of several changes of meter, then that of key."""
    meters = [change for change in changes if change.meter is not None]
    return [*meters[-1:], *[change for change in changes if change.key is not None][-1:]]


def canonical_signs(signs: Sequence[str], *, first: bool) -> list[Bar]:
    """Adjacent bar signs in one order: end of repeat, ending, start of repeat.

    Args:
        signs: at least one.
        first: whether no music precedes them; then only signs that open something are kept.
    """
    endings = [sign for sign in signs if sign[1:2].isdigit()]
    result = [CLOSE] if ":|" in signs and not first else []
    result += [Bar(sign) for sign in endings[-1:]]
    result += [OPEN] if "|:" in signs else []
    if not result and not first:
        result.append(DOUBLE if "||" in signs else BAR)
    return result


def open_repeats(items: Sequence[Item]) -> list[Item]:
    """Give every ``:|`` the ``|:`` that it goes back to, unless that is the beginning.

    The first goes back to the beginning. A later one without ``|:`` goes back to the last double
    bar, such as the one that closes a last ending, or to the repeat before it. Signs without a
    counterpart become plain bar signs.
    """
    items, _ = balanced_repeats(items)  # so that no stray ending counts as open
    result: list[Item] = []
    opened, double, closed = True, None, None  # the tune begins open; the others index `result`
    in_ending = False  # in the ending after a :|
    for index, item in enumerate(items):
        result.append(item)
        if not isinstance(item, Bar):
            continue
        here = len(result) - 1
        if item.sign == "|:":
            opened, in_ending = True, False
        elif item.sign == "||":
            opened, double, in_ending = opened and not in_ending, here, False
        elif item.sign == ":|":
            if not opened and double is not None:
                result[double] = OPEN
            elif not opened and closed is not None:
                result.insert(closed + 1, OPEN)
                here += 1
            opened = in_ending = is_ending(items, index + 1)
            double, closed = None, here
    balanced, _ = balanced_repeats([BAR if item is DOUBLE else item for item in result])
    return [
        item
        for index, item in enumerate(balanced)
        if item != BAR or (index and not isinstance(balanced[index - 1], Bar))
    ]


def closing_bars(items: Sequence[Item]) -> dict[int, str]:
    """Plain bar signs to write as double, by index: the last, and those that end last endings.

    Tokens do not say where a last ending stops; it is given as many bars as the one before it.
    """
    result: dict[int, str] = {}
    bars, length, left = 0, 0, 0  # bars of this ending, of the one before, still to come
    for index, item in enumerate(items):
        if not isinstance(item, Bar):
            continue
        if item.sign[1:2].isdigit():
            length, bars = bars, 1
            left = length if not item.sign.startswith("|1") else 0
        elif item.sign == "|":
            bars += 1
            left -= 1
            if left == 0:
                result[index] = "||"
        else:
            left = 0
    if items and items[-1] == BAR:
        result[len(items) - 1] = "|]"
    return result
