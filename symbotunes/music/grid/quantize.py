"""Notes on a grid of sixteenths, piecewise: every change of tempo or meter begins a new section.

That a change of tempo begins a bar is wrong in most scores, but what the reference implementation
does; the bars of a file can be kept instead (``tempo_changes="ignore"``).

Positions are seconds times steps per second, rounded half up, in the same floating-point steps as
the reference implementation: how ties are rounded depends on it.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.midi.decoding import Integers
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.notes import DEFAULT_QPM, MidiNotes

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


def quantize(notes: MidiNotes, *, tempo_changes: str = "restart") -> GridNotes:
    """Round the notes of all sections in 4/4 to sixteenths.

    Args:
        notes: of one file.
        tempo_changes: ``restart``: a change of tempo begins a section, and so a bar, as in the
            reference; ``ignore``: only a change of meter does, and positions are counted in ticks.

    Raises:
        MidiError: if no section is in 4/4, naming the meters.
    """
    borders = section_borders(notes, tempo_changes=tempo_changes)
    starts = borders[:-1]
    times, _ = _timeline(notes, tempo_changes)
    fits = _lasts_four_quarters(notes, times, starts)
    if not fits.any():
        raise MidiError(f"no bar of 4/4: {meters_in_words(notes)}")
    onsets, ends = _positions(notes, tempo_changes)
    section = np.searchsorted(borders, onsets, side="right") - 1
    kept = fits[section]
    section, onsets, ends = section[kept], onsets[kept], ends[kept]
    ends = np.minimum(ends, borders[section + 1])
    begin = starts[section]
    if tempo_changes == "ignore":
        start = _round((onsets - begin) * STEPS_PER_QUARTER / notes.ticks_per_quarter)
        end = _round((ends - begin) * STEPS_PER_QUARTER / notes.ticks_per_quarter)
    else:
        tempo_times, tempos = zip(*notes.tempos, strict=True)
        qpm = np.array(tempos)[np.searchsorted(tempo_times, starts, side="right") - 1]
        steps_per_second = STEPS_PER_QUARTER * qpm[section] / 60.0
        start = _round((onsets - begin) * steps_per_second)
        end = _round((ends - begin) * steps_per_second)
    return GridNotes(
        section=section,
        instrument=notes.instrument[kept],
        program=notes.program[kept],
        is_drum=notes.is_drum[kept],
        pitch=notes.pitch[kept],
        onset=notes.start[kept],
        start=start,
        end=np.where(end == start, end + 1, end),
    )


def quantize_bars(notes: MidiNotes, start: Fraction, bars: int) -> GridNotes:
    """The notes that begin in some bars of four quarters, as one section; ends are cut there.

    Args:
        notes: of one file.
        start: quarters from the beginning to the first bar; negative if it begins before.
        bars: how many.
    """
    begin, division = float(start * notes.ticks_per_quarter), notes.ticks_per_quarter
    step = np.floor((notes.start_tick - begin) * STEPS_PER_QUARTER / division + 0.5)
    kept = (step >= 0) & (step < bars * STEPS_PER_BAR)
    first = step[kept].astype(np.int64)
    last = _round((notes.end_tick[kept] - begin) * STEPS_PER_QUARTER / division)
    return GridNotes(
        section=np.zeros(len(first), np.int64),
        instrument=notes.instrument[kept],
        program=notes.program[kept],
        is_drum=notes.is_drum[kept],
        pitch=notes.pitch[kept],
        onset=notes.start[kept],
        start=first,
        end=np.clip(last, first + 1, bars * STEPS_PER_BAR),
    )


def section_borders(notes: MidiNotes, *, tempo_changes: str = "restart") -> NDArray[np.float64]:
    """[S + 1] where sections begin, and where the last one ends: in seconds, or in ticks.

    Args:
        notes: of one file.
        tempo_changes: ``restart`` gives seconds, ``ignore`` ticks.
    """
    times, meters = _timeline(notes, tempo_changes)
    total = float(_positions(notes, tempo_changes)[1].max())
    tempos = () if tempo_changes == "ignore" else notes.tempos
    changes: list[tuple[float, int, tuple[float, ...]]] = [
        *((at, 0, meter) for at, meter in zip(times, meters, strict=True)),
        *((at, 1, (qpm,)) for at, qpm in tempos),
    ]
    return np.array([*_section_starts(changes, total), total])


def meters_in_words(notes: MidiNotes) -> str:
    """The meters of a file, in the order of their first bars; at most three of them."""
    end = float(notes.end.max())
    held = {at: f"{top}/{bottom}" for at, top, bottom in notes.meters if at < end}
    meters = list(dict.fromkeys(held.values()))  # of several at one moment, the last holds
    named = ", ".join(meters[:3]) + (", ..." if len(meters) > 3 else "")
    return f"the meter is {named}" if len(meters) == 1 else f"the meters are {named}"


def _timeline(notes: MidiNotes, tempo_changes: str) -> tuple[list[float], list[tuple[int, int]]]:
    """When each meter is stated, in seconds or ticks, and which."""
    meters = [(top, bottom) for _, top, bottom in notes.meters]
    if tempo_changes == "ignore":
        return [float(tick) for tick in notes.meter_ticks], meters
    return [at for at, _, _ in notes.meters], meters


def _positions(
    notes: MidiNotes, tempo_changes: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[N] where notes begin and end, in seconds or ticks."""
    if tempo_changes == "ignore":
        return notes.start_tick.astype(np.float64), notes.end_tick.astype(np.float64)
    return notes.start, notes.end


def _round(steps: NDArray[np.float64]) -> Integers:
    """Half up; all steps are positive."""
    return (steps + 0.5).astype(np.int64)


def _section_starts(
    changes: list[tuple[float, int, tuple[float, ...]]], total: float
) -> list[float]:
    """Where sections begin: at 0, and at every change before the last note has ended.

    Two changes that cancel each other at one moment begin a section too.

    Args:
        changes: (when, which, value); which is 0 for meters and 1 for tempos.
        total: when the last note has ended.
    """
    state: list[tuple[float, ...]] = [(4, 4), (DEFAULT_QPM,)]
    starts = [0.0]
    for at, which, value in sorted(changes, key=lambda change: change[0]):
        if at >= total or state[which] == value:
            continue
        state[which] = value
        if at > starts[-1]:
            starts.append(at)
    return starts


def _lasts_four_quarters(
    notes: MidiNotes, times: list[float], starts: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """[S] whether a bar of the section has 16 steps; 4/4 where no meter is given."""
    if not times:
        return np.ones(len(starts), np.bool_)
    _, numerators, denominators = map(np.array, zip(*notes.meters, strict=True))
    last = np.searchsorted(times, starts, side="right") - 1
    same = numerators == denominators
    return np.where(last < 0, True, same[np.maximum(last, 0)])
