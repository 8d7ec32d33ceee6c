"""Triplets of arrival time, duration and note: the ids of the Anticipatory Music Transformer.

Thickstun et al. 2023, https://arxiv.org/abs/2306.08620, as the authors' ``vocab.py`` numbers them.
A piece is a sequence of triplets, ``[N, 3]``: of events, which are music to be written; of
controls, which are music that is given, the same ids in a second block; of rests; and of
separators, which stand between pieces. Times and durations are in units of 10 ms.

The times of a whole piece count from its beginning and are not limited, so they may exceed all ids;
only those of an excerpt of less than 100 s are ids. What a triplet is shows in its third number.
"""

import numpy as np
from numpy.typing import NDArray

Triplets = NDArray[np.int64]  # [N, 3]

UNITS_PER_SECOND = 100
PITCHES = 128
DRUMS = 128  # the instrument above the 128 programs of General MIDI
INSTRUMENTS = DRUMS + 1
MAX_TIME = 10_000  # units; the times of an excerpt are below
MAX_DURATION = 1_000  # units; durations are below

# First ids of their kinds.
TIME = 0
DURATION = TIME + MAX_TIME
NOTE = DURATION + MAX_DURATION
REST = NOTE + INSTRUMENTS * PITCHES  # in the place of a note; its duration is 0
CONTROL = REST + 1  # times, durations and notes of controls: those of events, raised by this
CONTROL_DURATION = CONTROL + DURATION
CONTROL_NOTE = CONTROL + NOTE
SEPARATOR = CONTROL_NOTE + INSTRUMENTS * PITCHES  # three of them precede every piece
# The first id that a model reads: how its piece was made.
AUTOREGRESS = SEPARATOR + 1  # of events alone
ANTICIPATE = AUTOREGRESS + 1  # with controls among the events
SIZE = ANTICIPATE + 1
INTERARRIVAL_SIZE = 34_025  # of the authors' other vocabulary, which is not supported

TRIPLET = 3
BLOCK = 341  # triplets that a model reads at once, after the flag: 1 + 3 * 341 = 1024 ids
ANTICIPATION = 5 * UNITS_PER_SECOND  # how long before its time a control is given
MOST_INSTRUMENTS = 16  # of a piece


def events_of(
    time: NDArray[np.int64], duration: NDArray[np.int64], note: NDArray[np.int64]
) -> Triplets:
    """``[N, 3]`` events.

    Args:
        time: ``[N]`` units.
        duration: ``[N]`` units, below `MAX_DURATION`.
        note: ``[N]`` instrument times 128, plus pitch.
    """
    return np.stack([TIME + time, DURATION + duration, NOTE + note], axis=1)


def is_control(triplets: Triplets) -> NDArray[np.bool_]:
    """``[N]`` which triplets are controls."""
    notes = triplets[:, 2]
    return (notes >= CONTROL_NOTE) & (notes < SEPARATOR)


def is_separator(triplets: Triplets) -> NDArray[np.bool_]:
    """``[N]`` which triplets precede a piece."""
    mask: NDArray[np.bool_] = triplets[:, 2] == SEPARATOR
    return mask


def is_rest(triplets: Triplets) -> NDArray[np.bool_]:
    """``[N]`` which triplets are rests."""
    mask: NDArray[np.bool_] = triplets[:, 2] == REST
    return mask


def is_note(triplets: Triplets) -> NDArray[np.bool_]:
    """``[N]`` which triplets are notes that are written: neither rests, controls nor separators."""
    notes = triplets[:, 2]
    return (notes >= NOTE) & (notes < REST)


def as_controls(events: Triplets) -> Triplets:
    """The same notes as controls."""
    return events + CONTROL


def as_events(triplets: Triplets) -> Triplets:
    """The same triplets with controls as events; events and rests stay."""
    return np.where(is_control(triplets)[:, None], triplets - CONTROL, triplets)


def times(triplets: Triplets) -> NDArray[np.int64]:
    """``[N]`` units from the beginning; meaningless for separators."""
    return as_events(triplets)[:, 0] - TIME


def durations(triplets: Triplets) -> NDArray[np.int64]:
    """``[N]`` units, 0 for rests; meaningless for separators."""
    return as_events(triplets)[:, 1] - DURATION


def instruments(triplets: Triplets) -> NDArray[np.int64]:
    """``[N]`` 0 to 127, or `DRUMS`; meaningless for rests and separators."""
    return (as_events(triplets)[:, 2] - NOTE) // PITCHES


def pitches(triplets: Triplets) -> NDArray[np.int64]:
    """``[N]`` 0 to 127; meaningless for rests and separators."""
    return (as_events(triplets)[:, 2] - NOTE) % PITCHES
