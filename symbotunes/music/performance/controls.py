"""What a performance is like from each event on: how dense, and in which pitch classes.

As Magenta's ``performance_controls`` measures it. Values change only behind a time shift; events at
one time share them.
"""

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.performance.events import (
    NOTE_OFF,
    SHIFT,
    STEPS_PER_SECOND,
    VELOCITY,
    Ids,
)

PITCH_CLASSES = 12
DENSITY_WINDOW = 3.0  # seconds ahead
HISTOGRAM_WINDOW = 5.0  # seconds ahead
PRIOR_SECONDS = 0.01  # of every pitch class
DENSITY_BORDERS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)  # notes per second, between bins
Values = NDArray[np.float64]


def note_density(ids: Ids) -> Values:
    """``[T]`` notes per second in the 3 s from each event on, or until the last event.

    0 where the last event is at the same time.
    """
    before, total = _steps(ids)
    moments, groups = _moments(ids, before)
    window = round(DENSITY_WINDOW * STEPS_PER_SECOND)
    struck = np.sort(before[ids < NOTE_OFF])
    count = np.searchsorted(struck, moments + window) - np.searchsorted(struck, moments)
    length = np.minimum(window, total - moments)
    density = count * STEPS_PER_SECOND / np.maximum(length, 1)
    return np.where(length > 0, density, 0.0)[groups]


def pitch_histograms(ids: Ids) -> Values:
    """``[T, 12]`` share of each pitch class in the sounding time of the 5 s from each event on.

    C comes first. Each class has a hundredth of a second beforehand, so that none is 0. As in the
    authors' code, the time shift during which the 5 s end counts in full.
    """
    before, total = _steps(ids)
    moments, groups = _moments(ids, before)
    window = round(HISTOGRAM_WINDOW * STEPS_PER_SECOND)
    begin, end, pitch = _sounding(ids, before, total)
    classes = pitch[:, None] % PITCH_CLASSES == np.arange(PITCH_CLASSES)  # [N, 12]
    borders = np.append(moments, total)  # there is one behind every time shift
    until = borders[np.minimum(np.searchsorted(borders, moments + window), len(borders) - 1)]
    first = np.maximum(begin, moments[:, None])  # [M, N]
    last = np.minimum(end, until[:, None])
    seconds = np.maximum(last - first, 0) @ classes / STEPS_PER_SECOND + PRIOR_SECONDS
    histograms: Values = (seconds / seconds.sum(axis=1, keepdims=True))[groups]
    return histograms


def density_bin(density: Values) -> NDArray[np.int64]:
    """Which of the eight bins holds each density; a border belongs to the upper one."""
    return np.searchsorted(DENSITY_BORDERS, density, side="right")


def _steps(ids: Ids) -> tuple[NDArray[np.int64], int]:
    """``[T]`` step at which each event is, and the step after the last."""
    shifts = np.where((ids >= SHIFT) & (ids < VELOCITY), ids - SHIFT + 1, 0)
    after = np.cumsum(shifts)
    return after - shifts, int(after[-1]) if len(ids) else 0


def _moments(ids: Ids, before: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """``[M]`` steps that have events, and ``[T]`` index of each event's own."""
    moved = np.diff(before, prepend=before[:1]) > 0
    groups = np.cumsum(moved, dtype=np.int64)
    first = np.append(np.zeros(min(1, len(ids)), np.int64), np.flatnonzero(moved))
    return before[first], groups


def _sounding(
    ids: Ids, before: NDArray[np.int64], total: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Begin, end and pitch of the spans in which pitches sound; struck again, one sounds on."""
    open_since: dict[int, int] = {}
    spans: list[tuple[int, int, int]] = []
    for event, step in zip(ids.tolist(), before.tolist(), strict=True):
        if event < NOTE_OFF:
            open_since.setdefault(event, step)
        elif event < SHIFT and event - NOTE_OFF in open_since:
            pitch = event - NOTE_OFF
            spans.append((open_since.pop(pitch), step, pitch))
    spans += [(begin, total, pitch) for pitch, begin in open_since.items()]
    begin, end, pitch_of = np.array(spans, np.int64).reshape(-1, 3).T
    return begin, end, pitch_of
