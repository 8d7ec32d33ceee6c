"""Times of whole pieces, which are unlimited, and of excerpts and files, which must be ids.

In an excerpt times count from its earliest one, and must stay below 100 s. In the files of prepared
corpora times of whole pieces are those of a clock that starts anew every 100 s: with rests, no
event is more than 1 s after the one before it, so a time that goes back tells that 100 s are over.
"""

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.arrival.vocabulary import (
    MAX_TIME,
    UNITS_PER_SECOND,
    Triplets,
    durations,
    is_control,
    is_separator,
    times,
)

HALF_TURN = MAX_TIME // 2  # of the clock; no step between neighbors is as long


def moved(triplets: Triplets, units: NDArray[np.int64] | int) -> Triplets:
    """Triplets that are later by `units`, one number or ``[N]``; separators stay."""
    result = triplets.copy()
    result[:, 0] += np.where(is_separator(triplets), 0, units)
    return result


def wrapped(triplets: Triplets) -> Triplets:
    """Triplets of a piece with the times of a clock that starts anew every 100 s."""
    onsets = times(triplets)
    return moved(triplets, onsets % MAX_TIME - onsets)


def unwrapped(triplets: Triplets) -> Triplets:
    """Triplets of a piece with times from its beginning: what `wrapped` undid.

    Times that never went around are left as they are.

    Args:
        triplets: ``[N, 3]``, events and rests in order of time; a control is less than 50 s away
            from the event before it. No separators.
    """
    onsets = times(triplets)
    given = is_control(triplets)
    clock = onsets[~given]
    turns = np.cumsum(np.diff(clock, prepend=0) < -HALF_TURN)
    # A control has the turn of the event before it, unless the clock went around between them.
    before = np.append(0, np.cumsum(~given))[:-1]
    since = onsets - np.append(0, clock)[before]
    around = np.append(0, turns)[before] + (since < -HALF_TURN) - (since > HALF_TURN)
    around[~given] = turns
    return moved(triplets, np.maximum(around, 0) * MAX_TIME)


def rebased(triplets: Triplets) -> Triplets:
    """An excerpt with times from its earliest one, up to the first separator.

    After a separator, another piece begins, whose times are its own.
    """
    breaks = np.flatnonzero(is_separator(triplets))
    head = slice(0, breaks[0] if len(breaks) else len(triplets))
    result = triplets.copy()
    if len(triplets[head]):
        result[head, 0] -= times(triplets[head]).min()
    return result


def fits(triplets: Triplets) -> bool:
    """Whether all times of an excerpt are ids, below 100 s."""
    onsets = times(triplets[~is_separator(triplets)])
    return not len(onsets) or bool(onsets.max() < MAX_TIME)


def clipped(
    triplets: Triplets, start: float, end: float, *, whole_durations: bool = False
) -> Triplets:
    """The triplets from `start` to `end` in seconds, both included; their times stay.

    Args:
        triplets: ``[N, 3]``, no separators.
        start: seconds.
        end: seconds.
        whole_durations: whether notes sound on after the end.
    """
    first, last = int(start * UNITS_PER_SECOND), int(end * UNITS_PER_SECOND)
    onsets = times(triplets)
    result = triplets[(onsets >= first) & (onsets <= last)]
    if not whole_durations:
        longest = last - times(result)
        result[:, 1] -= np.maximum(durations(result) - longest, 0)
    return result
