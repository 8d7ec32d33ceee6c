"""Excerpts as a user names them: ``5-8`` or ``[1-2,7]``, bars numbered as engraved.

An upbeat is bar 0, and repeats are not written out.
"""

import re
from collections.abc import Sequence
from typing import Any

from symbotunes.errors import UserError

Excerpt = tuple[range, ...]  # consecutive bars, in the order in which they were named

LAST_BAR = 100_000  # no piece has more; a typing error must not take minutes
_RANGE = re.compile(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?")


def read_excerpt(key: str, value: Any) -> Excerpt | None:
    """The bars that a setting names; ``None`` if it is not set.

    Args:
        key: of the setting, for errors.
        value: a number, text such as ``5-8`` or ``1-2,7``, or a list of these.

    Raises:
        UserError: naming what is not a bar.
    """
    if value is None:
        return None
    entries: Sequence[Any] = value.split(",") if isinstance(value, str) else value
    if isinstance(entries, int) or not isinstance(entries, Sequence):
        entries = [entries]
    if not entries:
        raise UserError(f"{key} names no bar; write 5-8 or [1-2,7]")
    return tuple(_range(key, entry) for entry in entries)


def _range(key: str, entry: Any) -> range:
    match = None if isinstance(entry, bool) else _RANGE.fullmatch(str(entry))
    if not match:
        raise UserError(f"{key}={entry}: not a bar or bars; write 5-8 or [1-2,7]")
    first, last = int(match[1]), int(match[2] or match[1])
    if not first <= last <= LAST_BAR:
        raise UserError(f"{key}={entry}: the last bar comes before the first, or after {LAST_BAR}")
    return range(first, last + 1)


def in_words(bars: range) -> str:
    """For people: ``bar 7`` or ``bars 5-8``."""
    return f"bar {bars[0]}" if len(bars) == 1 else f"bars {bars[0]}-{bars[-1]}"
