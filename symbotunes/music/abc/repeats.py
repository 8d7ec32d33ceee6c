"""Repeats and variant endings: which signs belong together, and which have no counterpart."""

from collections.abc import Sequence

from symbotunes.music.abc.tokens import Bar, Item

NESTED, UNCLOSED = "a repeat inside a repeat", "a repeat that is not closed"
STRAY_ENDING = "an ending outside a repeat"
REPEAT_FAULTS = (NESTED, UNCLOSED, STRAY_ENDING)  # of signs that are replaced by bar lines


def balanced_repeats(items: Sequence[Item]) -> tuple[list[Item], list[str]]:
    """Turn repeats and endings that have no counterpart into bar signs.

    Of several ``|:`` before a ``:|``, the last one counts. A first ending needs a ``:|`` after it,
    a second one needs a first.

    Returns:
        The items, and messages on what was repaired.
    """
    result, problems = list(items), []
    opened: int | None = None  # a |: that is not closed yet
    first: int | None = None  # a |1 of this section
    closed = False  # whether :| has followed it

    def replace(index: int, problem: str) -> None:
        result[index] = Bar("|")
        problems.append(problem)

    for index, item in enumerate(items):
        if not isinstance(item, Bar):
            continue
        sign = item.sign
        if sign == "|:":
            if opened is not None:
                replace(opened, NESTED)
            if first is not None and not closed:
                replace(first, STRAY_ENDING)
            opened, first = index, None
        elif sign == ":|":
            opened, closed = None, True
            if not is_ending(items, index + 1):
                first = None
        elif is_ending(items, index):
            if "1" in sign:
                if first is not None and not closed:
                    replace(first, STRAY_ENDING)
                first, closed = index, False
            elif first is None or not closed:
                replace(index, STRAY_ENDING)
    if opened is not None:
        replace(opened, UNCLOSED)
    if first is not None and not closed:
        replace(first, STRAY_ENDING)
    return result, problems


def is_ending(items: Sequence[Item], index: int) -> bool:
    """Whether the item at an index is an ending such as ``|2``."""
    item = items[index] if index < len(items) else None
    return isinstance(item, Bar) and item.sign[1:2].isdigit()
