"""Notes on a grid of sixteenths, piecewise: every change of tempo or meter begins a new section.

Positions are seconds times steps per second, rounded half up, in the same floating-point steps as
the reference implementation: how ties are rounded depends on it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.notes import DEFAULT_QPM, MidiNotes
from symbotunes.music.midi.smf import Integers

STEPS_PER_QUARTER = 4
STEPS_PER_BAR = 16


@dataclass(frozen=True)
class GridNotes:
    """The notes of the sections whose bars last four quarters, such as 4/4, 2/2 and 8/8.

    Steps count from the beginning of the section. Notes keep the order in which they were read.

    Attributes:
        section: [N] number of the section.
        instrument: [N] as read.
        program: [N] 0 to 127.
        is_drum: [N] whether on the drum channel.
        pitch: [N] 0 to 127.
        onset: [N] seconds from the beginning of the piece, not rounded.
        start: [N] step.
        end: [N] step, at least one later; not beyond the section.
    """

    section: Integers
    instrument: Integers
    program: Integers
    is_drum: NDArray[np.bool_]
    pitch: Integers
    onset: NDArray[np.float64]
    start: Integers
    end: Integers

    def where(self, chosen: NDArray[np.bool_] | Integers) -> "GridNotes":
        """Only the notes that a mask [N] or indices select."""
        return GridNotes(**{name: value[chosen] for name, value in vars(self).items()})

    def transposed(self, semitones: int) -> "GridNotes":
        """All notes but drums moved; notes that leave the range of MIDI are dropped."""
        pitch = np.where(self.is_drum, self.pitch, self.pitch + semitones)
        moved = GridNotes(**{**vars(self), "pitch": pitch})
        return moved.where((pitch >= 0) & (pitch <= 127))


def quantize(notes: MidiNotes) -> GridNotes:
    """Round the notes of all sections in 4/4 to sixteenths.

    Raises:
        MidiError: if no section is in 4/4.
    """
    total = float(notes.end.max())
    borders = np.array([*_section_starts(notes, total), total])
    starts = borders[:-1]
    tempo_times, tempos = zip(*notes.tempos, strict=True)
    qpm = np.array(tempos)[np.searchsorted(tempo_times, starts, side="right") - 1]
    fits = _lasts_four_quarters(notes, starts)
    if not fits.any():
        raise MidiError("no bar of 4/4")
    section = np.searchsorted(borders, notes.start, side="right") - 1
    kept = fits[section]
    section = section[kept]
    begin, onset = starts[section], notes.start[kept]
    steps_per_second = STEPS_PER_QUARTER * qpm[section] / 60.0
    start = _round((onset - begin) * steps_per_second)
    ends = np.minimum(notes.end[kept], borders[section + 1]) - begin
    end = _round(ends * steps_per_second)
    return GridNotes(
        section=section,
        instrument=notes.instrument[kept],
        program=notes.program[kept],
        is_drum=notes.is_drum[kept],
        pitch=notes.pitch[kept],
        onset=onset,
        start=start,
        end=np.where(end == start, end + 1, end),
    )


def _round(steps: NDArray[np.float64]) -> Integers:
    """Half up; all steps are positive."""
    return (steps + 0.5).astype(np.int64)


def _section_starts(notes: MidiNotes, total: float) -> list[float]:
    """Seconds at which sections begin: 0, and every change before the last note has ended.

    Two changes that cancel each other at one moment begin a section too.
    """
    changes: list[tuple[float, int, tuple[float, ...]]] = [
        *((at, 0, (numerator, denominator)) for at, numerator, denominator in notes.meters),
        *((at, 1, (qpm,)) for at, qpm in notes.tempos),
    ]
    state: list[tuple[float, ...]] = [(4, 4), (DEFAULT_QPM,)]
    starts = [0.0]
    for at, which, value in sorted(changes, key=lambda change: change[0]):
        if at >= total or state[which] == value:
            continue
        state[which] = value
        if at > starts[-1]:
            starts.append(at)
    return starts


def _lasts_four_quarters(notes: MidiNotes, starts: NDArray[np.float64]) -> NDArray[np.bool_]:
    """[S] whether a bar of the section has 16 steps; 4/4 where no meter is given."""
    if not notes.meters:
        return np.ones(len(starts), np.bool_)
    times, numerators, denominators = map(np.array, zip(*notes.meters, strict=True))
    last = np.searchsorted(times, starts, side="right") - 1
    same = numerators == denominators
    return np.where(last < 0, True, same[np.maximum(last, 0)])
