"""Whether a piece is timed by its beats, as scores are, or freely, as recorded performances are."""

import numpy as np
import symusic

from symbotunes.music.midi.decoding import Integers
from symbotunes.music.midi.error import MidiError

# Steps per quarter: sixteenths, triplets of eighths and of sixteenths, thirty-seconds, and the
# common grids of these for pieces that mix them.
GRIDS = (4, 6, 8, 12, 24)
USUAL = 0.12  # the usual limit: free timing lies beyond it, playing to a click does not
FREE = "free timing: onsets lie on no grid of beats, as in performances (max_off_grid)"
FINEST = 2  # ticks that a step must have: on a grid of single ticks, everything lies


def distance_from_grid(onsets: Integers, ticks_per_quarter: int) -> float:
    """How far onsets lie from the grid that fits them best: their mean distance in its steps.

    About 0 for scores, and 0.25 for free timing, whatever the grid, since all distances from 0 to
    0.5 are then equally likely.

    Args:
        onsets: ``[N]`` ticks.
        ticks_per_quarter: of the file.
    """
    if len(onsets) == 0:
        return 0.0
    grids = [grid for grid in GRIDS if ticks_per_quarter >= FINEST * grid] or [GRIDS[0]]
    steps = np.outer(grids, onsets) / ticks_per_quarter
    return float(np.abs(steps - np.round(steps)).mean(axis=1).min())


def require_grid(onsets: Integers, ticks_per_quarter: int, most: float | None) -> None:
    """See that onsets lie on a grid.

    Args:
        onsets: ``[N]`` ticks.
        ticks_per_quarter: of the file.
        most: greatest mean distance in steps of the grid; ``None``: any.

    Raises:
        MidiError: if they do not, as in performances.
    """
    if most is None:
        return
    distance = distance_from_grid(onsets, ticks_per_quarter)
    if distance > most:
        raise MidiError(FREE, f"onsets lie {distance:.2f} steps from the grid")


def onsets_of(score: symusic.Score) -> Integers:
    """``[N]`` ticks at which the notes of all tracks begin."""
    onsets = [track.notes.numpy()["time"] for track in score.tracks if len(track.notes)]
    return np.concatenate([np.zeros(0, np.int64), *onsets])
