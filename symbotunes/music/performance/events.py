"""Performances as events: note-on, note-off, time shift, velocity (Oore et al. 2018).

The ids, their order and all rounding are those of note-seq's ``performance_lib`` and Magenta's
``OneHotPerformance``: https://arxiv.org/abs/1808.03715. The paper has steps of 8 ms; the published
code and weights have 10 ms.
"""

from collections import deque
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.midi.decoding import Integers
from symbotunes.music.performance.notes import PlayedNotes

Ids = NDArray[np.int64]
STEPS_PER_SECOND = 100
PITCHES = 128
LONGEST_SHIFT = 100  # steps
NOTE_ON, NOTE_OFF = 0, PITCHES  # first ids of their kinds
SHIFT = NOTE_OFF + PITCHES
VELOCITY = SHIFT + LONGEST_SHIFT
ONE_SECOND = SHIFT + LONGEST_SHIFT - 1  # Magenta's default event
HIGHEST_VELOCITY = 127
PLAIN_VELOCITY = 100  # of notes without velocity
OPEN = -1  # end of a note that no note-off ends
NOTHING = -1  # the event of ids that stand for none


@dataclass(frozen=True)
class EventNotes:
    """Notes in steps of 10 ms, in order of their note-ons among the events.

    Attributes:
        start: [N] step.
        end: [N] step, or `OPEN`.
        pitch: [N] 0 to 127.
        bins: [N] velocity bin, from 1; 0 where no velocity was given.
    """

    start: Integers
    end: Integers
    pitch: Integers
    bins: Integers


@dataclass(frozen=True)
class EventLayout:
    """Which id stands for which event.

    By default ids are the events' own numbers. Tensor2Tensor's 310 are those of a piano's 88
    pitches after 2 reserved ids: padding, and an end that its language models do not write.

    Attributes:
        velocities: number of velocity bins; 0: events tell no velocity.
        lowest: pitch, of those that have ids.
        highest: pitch, of those that have ids.
        reserved: number of ids, before all others, that stand for no event.
    """

    velocities: int = 32
    lowest: int = 0
    highest: int = PITCHES - 1
    reserved: int = 0

    @cached_property
    def events(self) -> Ids:
        """``[size]`` the number of each id's event, or `NOTHING`."""
        pitches = np.arange(self.lowest, self.highest + 1)
        return np.concatenate(
            [
                np.full(self.reserved, NOTHING),
                NOTE_ON + pitches,
                NOTE_OFF + pitches,
                np.arange(SHIFT, VELOCITY + self.velocities),
            ]
        )

    @cached_property
    def _ids(self) -> Ids:
        """The id of each event's number, or `NOTHING`."""
        ids = np.full(VELOCITY + self.velocities, NOTHING)
        ids[self.events[self.reserved :]] = np.arange(self.reserved, self.size)
        return ids

    @property
    def size(self) -> int:
        """Number of ids."""
        return len(self.events)

    @property
    def one_second(self) -> int:
        """The id of the longest time shift."""
        return int(self._ids[ONE_SECOND])

    def begins_note(self, ids: Ids) -> NDArray[np.bool_]:
        """Which ids are note-ons."""
        events = self.events[ids]
        return (events >= NOTE_ON) & (events < NOTE_OFF)

    def holds(self, pitches: Integers) -> bool:
        """Whether all pitches have ids."""
        return bool(((pitches >= self.lowest) & (pitches <= self.highest)).all())

    @property
    def bin_size(self) -> int:
        """Velocities of one bin."""
        return -(-HIGHEST_VELOCITY // self.velocities)

    def bins(self, velocity: Integers) -> Integers:
        """Bins of velocities 1 to 127, counted from 1; 0 without bins."""
        if not self.velocities:
            return np.zeros_like(velocity)
        return (velocity - 1) // self.bin_size + 1

    def velocity(self, bins: Integers) -> Integers:
        """The lowest velocity of each bin."""
        if not self.velocities:
            return np.full_like(bins, PLAIN_VELOCITY)
        return np.where(bins > 0, 1 + (bins - 1) * self.bin_size, PLAIN_VELOCITY)

    def quantize(self, notes: PlayedNotes) -> EventNotes:
        """Notes in steps, halves upwards, each at least one step long; by start, then pitch."""
        order = np.lexsort((notes.pitch, notes.start))
        start, end = (
            (times[order] * STEPS_PER_SECOND + 0.5).astype(np.int64)
            for times in (notes.start, notes.end)
        )
        end = np.where(end == start, end + 1, end)
        return EventNotes(start, end, notes.pitch[order], self.bins(notes.velocity[order]))

    def encode(self, notes: EventNotes) -> Ids:
        """The events of notes; at one step note-offs of earlier notes come first.

        All pitches must have ids, see `holds`.
        """
        count = len(notes.start)
        step = np.concatenate([notes.start, notes.end])
        note = np.tile(np.arange(count), 2)
        is_off = np.repeat([False, True], count)
        order = np.lexsort((is_off, note, step))
        order = order[step[order] != OPEN]
        step, note, is_off = step[order], note[order], is_off[order]
        gap = np.diff(step, prepend=0)
        shifts = -(-gap // LONGEST_SHIFT)
        bins = np.where(is_off, 0, notes.bins[note])
        louder = self._changes(bins) if self.velocities else np.zeros(len(bins), bool)
        # Each event is preceded by its shifts and its velocity, so it ends its group of ids.
        ends = np.cumsum(shifts + louder + 1) - 1
        events = np.full(int(ends[-1]) + 1 if len(ends) else 0, ONE_SECOND)
        events[ends] = notes.pitch[note] + np.where(is_off, NOTE_OFF, NOTE_ON)
        events[ends[louder] - 1] = VELOCITY - 1 + bins[louder]
        moved = shifts > 0
        rest = gap[moved] - LONGEST_SHIFT * (shifts[moved] - 1)
        events[(ends - louder)[moved] - 1] = SHIFT - 1 + rest
        ids: Ids = self._ids[events]
        return ids

    @staticmethod
    def _changes(bins: Integers) -> NDArray[np.bool_]:
        """Which note-ons have another bin than the one before; note-offs have bin 0."""
        changes = np.zeros(len(bins), bool)
        struck = np.flatnonzero(bins)
        changes[struck] = np.diff(bins[struck], prepend=0) != 0
        return changes

    def notes(self, ids: Ids) -> EventNotes:
        """The notes of events; note-offs without a note are ignored, each ends the oldest note."""
        start: list[int] = []
        end: list[int] = []
        pitches: list[int] = []
        bins: list[int] = []
        sounding: dict[int, deque[int]] = {}  # pitch -> notes, oldest first
        step = velocity = 0
        for event in self._events_of(ids).tolist():
            if event < NOTE_OFF:
                sounding.setdefault(event, deque()).append(len(start))
                start.append(step)
                end.append(OPEN)
                pitches.append(event)
                bins.append(velocity)
            elif event < SHIFT:
                if notes := sounding.get(event - NOTE_OFF):
                    end[notes.popleft()] = step
            elif event < VELOCITY:
                step += event - SHIFT + 1
            else:
                velocity = event - VELOCITY + 1
        return EventNotes(*(np.array(values, np.int64) for values in (start, end, pitches, bins)))

    def decode(self, ids: Ids, longest_seconds: float | None = None) -> EventNotes:
        """Notes that sound, in order of their ends; those still open end with the last event.

        Args:
            ids: events.
            longest_seconds: notes end after so many seconds at the latest; ``None``: when they do.
        """
        notes = self.notes(ids)
        events = self._events_of(ids)
        is_shift = (events >= SHIFT) & (events < VELOCITY)
        last = int((events[is_shift] - SHIFT + 1).sum())
        end = np.where(notes.end == OPEN, last, notes.end)
        order = np.argsort(end, kind="stable")
        order = order[end[order] > notes.start[order]]
        start, end = notes.start[order], end[order]
        if longest_seconds is not None:
            end = np.minimum(end, start + round(longest_seconds * STEPS_PER_SECOND))
        return EventNotes(start, end, notes.pitch[order], notes.bins[order])

    def count_errors(self, ids: Ids) -> int:
        """Ids without effect: reserved, note-offs without a note, velocities without a note-on."""
        sounding = np.zeros(PITCHES, np.int64)
        events = self._events_of(ids)
        errors = len(ids) - len(events)
        for event in events.tolist():
            if event < NOTE_OFF:
                sounding[event] += 1
            elif event < SHIFT:
                errors += not sounding[event - NOTE_OFF]
                sounding[event - NOTE_OFF] -= sounding[event - NOTE_OFF] > 0
        is_velocity = events >= VELOCITY
        struck = np.append(events < NOTE_OFF, True)[1:]  # a piece may be cut behind a velocity
        return errors + int((is_velocity & ~struck).sum())

    def _events_of(self, ids: Ids) -> Ids:
        """The numbers of the events of ids, without reserved ones."""
        events = self.events[ids]
        is_event: NDArray[np.bool_] = events != NOTHING
        return np.extract(is_event, events)
