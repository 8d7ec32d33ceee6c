"""Trios: a melody, a bass and drums that play together, in windows of some bars.

A file yields every combination of its melodies, basses and drum tracks. A part is covered in a bar
if it sounds within two bars of it; a window is used if all three parts are covered in all its bars,
except that one of them is enough near either end of the section.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.grid.drums import NINE_DRUMS, find_hits
from symbotunes.music.grid.melody import (
    FIRST_PITCH,
    MELODY_PROGRAMS,
    NOTE_OFF,
    PIANO,
    MelodyClasses,
    monophonic,
    note_offs,
)
from symbotunes.music.grid.phrases import Placed, choose, distinct
from symbotunes.music.grid.quantize import STEPS_PER_BAR, GridNotes
from symbotunes.music.midi.decoding import Integers
from symbotunes.music.midi.error import MidiError

BASS_PROGRAMS = range(32, 40)
GAP_BARS = 2
MAX_BARS = 1024  # of a section
MAX_INSTRUMENT = 127
MAX_WINDOWS = 2**18  # more than any real file has; many more would not fit in a gigabyte
_MELODY, _BASS, _DRUMS = 0, 1, 2

Steps = NDArray[np.uint16]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class _Parts:
    """The instruments of one role in one section, K of them, over B bars.

    Attributes:
        instruments: [K] numbers of them.
        steps: [K, 16 B] classes.
        covered: [K, B] whether the instrument sounds within two bars.
    """

    instruments: Integers
    steps: Steps
    covered: Mask


def trio_windows(
    notes: GridNotes,
    bars: int = 16,
    *,
    classes: MelodyClasses = PIANO,
    transpose: int = 0,
    unique: bool = False,
    limit: int | None = None,
    generator: np.random.Generator | None = None,
) -> Placed:
    """Windows of all trios: classes of melody, bass and drums.

    Melody and bass use the classes of a melody, drums the 512 of nine drums. Unlike in melodies, a
    window may begin with a note-off.

    Args:
        notes: of one file.
        bars: length of a window.
        classes: of melody and bass; notes outside their range are ignored.
        transpose: semitones, except for drums; notes that leave 0 to 127 are dropped.
        unique: drop windows that repeat an earlier one; the reference keeps them.
        limit: maximum number of windows; ``None`` for all.
        generator: chooses them at random if there are more; ``None`` takes the first.

    Raises:
        MidiError: if there are too many windows to keep in memory.
    """
    if transpose:
        notes = notes.transposed(transpose)
    store = _WindowStore(bars)
    triples: list[Integers] = []
    places: list[Integers] = []  # section, bar and the three instruments of each
    count = 0
    for section in _sections(notes):
        parts = _parts(section, bars, classes)
        if parts is None:
            continue
        numbers = [store.numbers(part.steps) for part in parts]
        for combination, where in _together(parts, bars):
            columns = [own[k, where] for own, k in zip(numbers, combination, strict=True)]
            triples.append(np.stack(columns, axis=1))
            players = [part.instruments[k] for part, k in zip(parts, combination, strict=True)]
            place = np.empty((len(where), 5), np.int64)
            place[:] = [section.section[0], 0, *players]
            place[:, 1] = where
            places.append(place)
            count += len(where)
            if count > MAX_WINDOWS:
                raise MidiError("too many trios")
    numbered = np.concatenate([np.zeros((0, 3), np.int64), *triples])
    kept = distinct(numbered, None) if unique else np.arange(len(numbered))
    kept = kept[choose(len(kept), limit, generator)]
    place = np.concatenate([np.zeros((0, 5), np.int64), *places])[kept]
    rows = store.windows(numbered[kept])
    return Placed(rows, place[:, 0], place[:, 1] * STEPS_PER_BAR, place[:, 2:])


def _sections(notes: GridNotes) -> Iterator[GridNotes]:
    """The notes of each section."""
    order = np.argsort(notes.section, kind="stable")
    borders = np.flatnonzero(np.diff(notes.section[order])) + 1
    for indices in np.split(order, borders):
        if len(indices):
            yield notes.where(indices)


class _WindowStore:
    """Windows of steps, each kept once under a number, since combinations repeat them.

    Args:
        bars: length of a window.
    """

    def __init__(self, bars: int) -> None:
        self._bars = bars
        self._numbers: dict[bytes, int] = {}

    def numbers(self, steps: Steps) -> Integers:
        """[K, B - bars + 1] number of the window that begins in each bar."""
        starts = np.arange(steps.shape[1] // STEPS_PER_BAR - self._bars + 1) * (2 * STEPS_PER_BAR)
        size = self._bars * 2 * STEPS_PER_BAR  # two bytes per step
        numbers = self._numbers
        return np.array(
            [
                [numbers.setdefault(raw[at : at + size], len(numbers)) for at in starts.tolist()]
                for raw in (row.tobytes() for row in steps)
            ],
            np.int64,
        )

    def windows(self, numbers: Integers) -> Steps:
        """[W, 16 bars, 3] the windows with the numbers [W, 3]."""
        used, inverse = np.unique(numbers, return_inverse=True)
        kept = list(self._numbers)
        raw = b"".join(kept[number] for number in used.tolist())
        rows = np.frombuffer(raw, np.uint16).reshape(-1, self._bars * STEPS_PER_BAR)
        return rows[inverse.reshape(numbers.shape)].transpose(0, 2, 1).copy()


def _parts(notes: GridNotes, bars: int, classes: MelodyClasses) -> list[_Parts] | None:
    """Melodies, basses and drums of one section; ``None`` if one is missing or it is too short."""
    total = min(int(-(-notes.end.max() // STEPS_PER_BAR)), MAX_BARS)
    notes = notes.where(notes.instrument <= MAX_INSTRUMENT)
    roles = by_role(notes)
    if total < bars or not all(len(part.start) for part in roles):
        return None
    written = [
        write_melodies(roles[_MELODY], total, classes),
        write_melodies(roles[_BASS], total, classes),
        write_drums(roles[_DRUMS], total),
    ]
    if not all(len(instruments) for instruments, _ in written):
        return None
    return [
        _Parts(instruments, steps, _covered(part, instruments, total))
        for part, (instruments, steps) in zip(roles, written, strict=True)
    ]


def by_role(notes: GridNotes) -> tuple[GridNotes, GridNotes, GridNotes]:
    """The notes of melodies, of basses and of drums."""
    role = _role(notes)
    melody, bass, drums = (notes.where(role == number) for number in (_MELODY, _BASS, _DRUMS))
    return melody, bass, drums


def _role(notes: GridNotes) -> Integers:
    """[N] role of each note's instrument, or -1."""
    roles = np.full(128, -1)
    roles[list(MELODY_PROGRAMS)] = _MELODY
    roles[list(BASS_PROGRAMS)] = _BASS
    return np.where(notes.is_drum, _DRUMS, roles[notes.program])


def write_melodies(notes: GridNotes, total: int, classes: MelodyClasses) -> tuple[Integers, Steps]:
    """The instruments that have notes within the range [K], and their classes [K, 16 total]."""
    line = monophonic(notes, classes)
    instruments, row = np.unique(line.part & 0xFFFFFFFF, return_inverse=True)
    steps = np.zeros((len(instruments), total * STEPS_PER_BAR), np.uint16)
    silent = note_offs(line) & (line.end < steps.shape[1])
    steps[row[silent], line.end[silent]] = NOTE_OFF
    inside = line.start < steps.shape[1]
    pitches = line.pitch[inside] - classes.lowest + FIRST_PITCH
    steps[row[inside], line.start[inside]] = pitches
    return instruments, steps


def write_drums(notes: GridNotes, total: int) -> tuple[Integers, Steps]:
    """The drum tracks that hit a known drum [K], and their classes [K, 16 total]."""
    hits = find_hits(notes, NINE_DRUMS, notes.instrument)
    instruments, row = np.unique(hits.part, return_inverse=True)
    steps = np.zeros((len(instruments), total * STEPS_PER_BAR), np.uint16)
    inside = hits.start < steps.shape[1]
    steps[row[inside], hits.start[inside]] = hits.drums[inside]
    return instruments, steps


def _covered(notes: GridNotes, instruments: Integers, total: int) -> Mask:
    """[K, total] whether any note of the instrument, in range or not, sounds within two bars."""
    notes = notes.where(np.isin(notes.instrument, instruments))
    row = np.searchsorted(instruments, notes.instrument)
    first = notes.start // STEPS_PER_BAR - GAP_BARS
    after = -(-notes.end // STEPS_PER_BAR) + GAP_BARS
    heard = notes.start < total * STEPS_PER_BAR
    # Each note adds 1 where its cover begins and -1 where it ends; sums of these count covers.
    edges = np.zeros((len(instruments), total + 1), np.int64)
    np.add.at(edges, (row[heard], np.clip(first[heard], 0, total)), 1)
    np.add.at(edges, (row[heard], np.clip(after[heard], 0, total)), -1)
    return edges.cumsum(axis=1)[:, :total] > 0


def _together(parts: list[_Parts], bars: int) -> Iterator[tuple[tuple[int, int, int], Integers]]:
    """Every combination of instruments, and the bars [W] at which its windows begin."""
    melodies, basses, drums = (part.covered for part in parts)
    for m, melody in enumerate(melodies):
        for b, bass in enumerate(basses):
            every = drums & bass & melody  # [K, B]
            some = drums | bass | melody
            every[:, :GAP_BARS] = some[:, :GAP_BARS].any(axis=1, keepdims=True)
            every[:, -GAP_BARS:] = some[:, -GAP_BARS:].any(axis=1, keepdims=True)
            # A window is full if its bars, counted by differences of running sums, are all covered.
            ahead = np.zeros((len(drums), every.shape[1] + 1), np.int64)
            np.cumsum(every, axis=1, out=ahead[:, 1:])
            full = ahead[:, bars:] - ahead[:, :-bars] == bars
            for d in range(len(drums)):
                yield (m, b, d), np.flatnonzero(full[d])
