"""Attributes of melodies in sixteenths; Roberts et al. 2018, https://arxiv.org/abs/1803.05428.

All functions map the classes of windows, ``[N, T]``, to one number for each, ``[N]``; where a
window has too few notes, the number is 0.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.grid.melody import FIRST_PITCH

Classes = NDArray[np.integer]
Values = NDArray[np.float64]
C_MAJOR = (0, 2, 4, 5, 7, 9, 11)  # pitch classes of the white keys


def note_density(ids: Classes, lowest: int) -> Values:  # noqa: ARG001
    """Notes that begin, per sixteenth."""
    return np.asarray((ids >= FIRST_PITCH).mean(1), np.float64)


def average_interval(ids: Classes, lowest: int) -> Values:  # noqa: ARG001
    """Semitones between consecutive notes, up or down."""
    return np.array([_mean_step(row[row >= FIRST_PITCH].astype(np.int64)) for row in ids])


def syncopation(ids: Classes, lowest: int, unit: int) -> Values:  # noqa: ARG001
    """Fraction of notes that begin off the beat, with no note on the beat before them.

    Args:
        ids: ``[N, T]``.
        lowest: pitch of the first class of a note.
        unit: steps of the note value: 1 for sixteenths, 2 for eighths.
    """
    starts = ids >= FIRST_PITCH
    off, before = (
        starts[:, unit :: 2 * unit],
        starts[:, :: 2 * unit][:, : ids.shape[1] // unit // 2],
    )
    return _fraction((off & ~before).sum(1), starts.sum(1))


def c_diatonic(ids: Classes, lowest: int) -> Values:
    """Fraction of notes on the white keys."""
    starts = ids >= FIRST_PITCH
    white = np.isin((ids.astype(np.int64) - FIRST_PITCH + lowest) % 12, C_MAJOR)
    return _fraction((starts & white).sum(1), starts.sum(1))


ATTRIBUTES: Mapping[str, Callable[[Classes, int], Values]] = {
    "note_density": note_density,
    "average_interval": average_interval,
    "syncopation_8th": partial(syncopation, unit=2),
    "syncopation_16th": partial(syncopation, unit=1),
    "c_diatonic": c_diatonic,
}


def _mean_step(pitches: Values | Classes) -> float:
    return float(np.abs(np.diff(pitches)).mean()) if len(pitches) > 1 else 0.0


def _fraction(part: Values | Classes, whole: Values | Classes) -> Values:
    return np.asarray(part / np.maximum(whole, 1), np.float64)
