"""How much of a piece a training piece holds in some key, at some place.

Copies of tokens miss what was transposed, or begins elsewhere in a bar. Here a piece is the row of
its steps from note to note, as in the originality report of Yin et al. 2021
(https://doi.org/10.1007/978-3-030-72914-1_25), which compares pieces up to translations in time and
pitch; unlike its similarity, which tolerates differing notes, a run of steps must be exact.
"""

from collections.abc import Sequence

import numpy as np

from symbotunes.evaluation.metrics.copying import copies
from symbotunes.evaluation.metrics.notes import Ints, Notes

SEMITONES = 256  # more than the number of intervals between two pitches


def steps(notes: Notes) -> Ints:
    """``[N - 1]`` the step from every note to the next: time between onsets, and interval.

    Notes of all tracks count, in order of onset and then of pitch, without drums. Equal numbers are
    equal steps, and transposed or delayed music has equal numbers.
    """
    pitched = ~notes.drum
    start, pitch = notes.start[pitched], notes.pitch[pitched]
    order = np.lexsort((pitch, start))
    intervals = np.diff(pitch[order]) + SEMITONES // 2
    return np.asarray(np.diff(start[order]) * SEMITONES + intervals, np.int64)


def copied_notes(training: Sequence[Notes], pieces: Sequence[Notes]) -> Ints:
    """``[N]`` notes of the longest run that each piece shares with one training piece.

    A run of one note is none, since every note has it in common with every other.
    """
    shared = copies([steps(piece) for piece in training], [steps(piece) for piece in pieces])
    longest = np.array([run.longest for run in shared], np.int64)
    return np.where(longest > 0, longest + 1, 0)
