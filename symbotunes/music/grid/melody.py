"""Melodies: one class per sixteenth, as the reference implementation extracts them.

Class 0 is no event (the note or rest continues), 1 is note-off, 2 and up are the pitches of the
range, lowest first.
"""

from collections.abc import Container
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.grid.phrases import Phrases, Placed, choose, distinct, find_phrases
from symbotunes.music.grid.quantize import STEPS_PER_BAR, GridNotes
from symbotunes.music.midi.decoding import Integers

NO_EVENT, NOTE_OFF, FIRST_PITCH = 0, 1, 2
MELODY_PROGRAMS = range(32)  # pianos, chromatic percussion, organs, guitars


@dataclass(frozen=True)
class MelodyClasses:
    """Which pitches have a class.

    Attributes:
        lowest: the pitch of class 2.
        highest: the pitch of the last class.
    """

    lowest: int = 21
    highest: int = 108

    @property
    def count(self) -> int:
        """Number of classes."""
        return self.highest - self.lowest + 1 + FIRST_PITCH


PIANO = MelodyClasses()  # 90 classes: the released models
ALL_PITCHES = MelodyClasses(0, 127)  # 130 classes: the paper


@dataclass(frozen=True)
class Lines:
    """Monophonic lines, one per part: the highest of the notes that begin together.

    Attributes:
        part: [N] which part each note belongs to, ascending.
        start: [N] steps, strictly ascending within a part.
        end: [N] steps; may lie after the start of the next note, which then ends the note.
        pitch: [N] 0 to 127.
    """

    part: Integers
    start: Integers
    end: Integers
    pitch: Integers


def melody_windows(
    notes: GridNotes,
    bars: int = 2,
    *,
    classes: MelodyClasses = PIANO,
    programs: Container[int] | None = MELODY_PROGRAMS,
    transpose: int = 0,
    unique: bool = False,
    limit: int | None = None,
    generator: np.random.Generator | None = None,
) -> Placed:
    """Windows of all melodies, at every bar line; no two of a section are equal.

    A melody is what one instrument plays between silences of a bar; it is cut after 100 bars. A
    note-off before the first note of a window becomes no event.

    Args:
        notes: of one file.
        bars: length of a window.
        classes: notes outside their range are ignored.
        programs: instruments to use; ``None`` for all but drums.
        transpose: semitones, before the range is applied; notes that leave 0 to 127 are dropped.
        unique: also drop windows that repeat one of another section.
        limit: maximum number of windows; ``None`` for all.
        generator: chooses them at random if there are more; ``None`` takes the first.

    Raises:
        MidiError: if the file is too long.
    """
    chosen = ~notes.is_drum
    if programs is not None:
        chosen &= np.array([number in programs for number in range(128)])[notes.program]
    notes = notes.where(chosen)
    if transpose:
        notes = notes.transposed(transpose)
    line = monophonic(notes, classes)
    if len(line.start) == 0:
        none = np.zeros(0, np.int64)
        rows = np.zeros((0, bars * STEPS_PER_BAR), np.uint8)
        return Placed(rows, none, none, none[:, None])
    phrases = find_phrases(line.part, line.start, line.end)
    steps = _write(line, phrases, classes)
    starts, begins, parts = phrases.windows(bars)
    rows = steps[starts[:, None] + np.arange(bars * STEPS_PER_BAR)]
    _clear_leading_offs(rows)
    placed = Placed(rows, parts >> 32, begins, (parts & 0xFFFFFFFF)[:, None])
    placed = placed.where(distinct(rows, None if unique else placed.section))
    return placed.where(choose(len(placed.rows), limit, generator))


def monophonic(notes: GridNotes, classes: MelodyClasses) -> Lines:
    """The highest notes within the range, one part per section and instrument."""
    notes = notes.where((notes.pitch >= classes.lowest) & (notes.pitch <= classes.highest))
    part = notes.section << 32 | notes.instrument  # `melody_windows` takes them apart again
    order = np.lexsort((notes.onset, -notes.pitch, notes.start, part))
    part, start = part[order], notes.start[order]
    top = np.ones(len(part), np.bool_)
    top[1:] = (part[1:] != part[:-1]) | (start[1:] != start[:-1])
    return Lines(part[top], start[top], notes.end[order][top], notes.pitch[order][top])


def note_offs(line: Lines) -> NDArray[np.bool_]:
    """[N] whether silence follows the note: the next one of its part begins after its end."""
    silent = np.ones(len(line.part), np.bool_)
    silent[:-1] = (line.part[1:] != line.part[:-1]) | (line.start[1:] > line.end[:-1])
    return silent


def _write(line: Lines, phrases: Phrases, classes: MelodyClasses) -> NDArray[np.uint8]:
    """All phrases in one array of classes; events past the end of their phrase are dropped."""
    steps = np.zeros(phrases.total, np.uint8)
    off = line.end + phrases.shift
    sounds_off = note_offs(line) & (off < phrases.limit)
    steps[off[sounds_off]] = NOTE_OFF
    inside = phrases.position < phrases.limit
    steps[phrases.position[inside]] = line.pitch[inside] - classes.lowest + FIRST_PITCH
    return steps


def _clear_leading_offs(rows: NDArray[np.uint8]) -> None:
    """Turn the note-off of a note that began before the window into no event, in place."""
    if len(rows) == 0:
        return
    first = (rows != NO_EVENT).argmax(axis=1)
    every = np.arange(len(rows))
    rows[every, first] = np.where(rows[every, first] == NOTE_OFF, NO_EVENT, rows[every, first])


def silent_offs(ids: NDArray[np.integer]) -> int:
    """How many note-offs of a melody ``[T]`` stand where no note sounds."""
    events = ids[ids != NO_EVENT]
    before = np.concatenate([[NOTE_OFF], events[:-1]])
    return int(((events == NOTE_OFF) & (before == NOTE_OFF)).sum())


def without_key(ids: NDArray[np.integer]) -> NDArray[np.int64]:
    """Windows with their lowest pitch moved to the lowest class: equal for all transpositions.

    Args:
        ids: ``[N, T]`` or ``[N, T, F]`` classes; the F parts of a window move together.
    """
    moved = np.asarray(ids, np.int64)
    notes = moved >= FIRST_PITCH
    highest = int(moved.max(initial=FIRST_PITCH))
    every = tuple(range(1, moved.ndim))
    lowest = np.where(notes, moved, highest).min(axis=every, keepdims=True, initial=highest)
    return np.where(notes, moved - lowest + FIRST_PITCH, moved)
