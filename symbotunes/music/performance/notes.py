"""A performance as notes in seconds: the sustain pedal, stretching, pieces of equal length.

As note-seq's ``apply_sustain_control_changes``, ``stretch_note_sequence`` and
``split_note_sequence``, which prepared the data of Performance RNN (Oore et al. 2018,
https://arxiv.org/abs/1808.03715).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.midi.decoding import Integers
from symbotunes.music.midi.notes import MidiNotes
from symbotunes.music.midi.pedal import PedalEvents

Seconds = NDArray[np.float64]
# Of events at one time, in the order in which they take effect.
PEDAL_DOWN, PEDAL_UP, NOTE_ON, NOTE_OFF = range(4)


@dataclass(frozen=True)
class PlayedNotes:
    """Notes without ticks, beats or bars.

    Attributes:
        start: [N] seconds.
        end: [N] seconds.
        pitch: [N] 0 to 127.
        velocity: [N] 1 to 127.
        program: [N] 0 to 127.
        is_drum: [N] whether on the drum channel.
        instrument: [N] number of the (program, channel, track).
    """

    start: Seconds
    end: Seconds
    pitch: Integers
    velocity: Integers
    program: Integers
    is_drum: NDArray[np.bool_]
    instrument: Integers

    def __len__(self) -> int:
        return len(self.start)

    def where(self, chosen: NDArray[np.bool_]) -> "PlayedNotes":
        """Only the notes that a mask [N] selects."""
        return replace(self, **{name: values[chosen] for name, values in vars(self).items()})

    def stretched(self, factor: float) -> "PlayedNotes":
        """The same notes, slower by a factor above 1 or faster by one below."""
        return replace(self, start=self.start * factor, end=self.end * factor)

    @property
    def programs(self) -> int:
        """How many different programs play."""
        return len(np.unique(self.program))


def played_notes(notes: MidiNotes) -> PlayedNotes:
    """The notes of a file, in their order there."""
    names = ("start", "end", "pitch", "velocity", "program", "is_drum", "instrument")
    return PlayedNotes(**{name: getattr(notes, name) for name in names})


def sustained(notes: PlayedNotes, pedal: PedalEvents) -> PlayedNotes:
    """Notes that sound on while the pedal of their instrument is down, as on a piano.

    A note that ends under the pedal sounds until the pedal goes up or its pitch is struck again; of
    two notes of one pitch that are struck at once, one is left. A pedal that never goes up holds
    its notes until the last event of the piece. Drums have no pedal.
    """
    end, kept = notes.end.copy(), np.ones(len(notes), bool)
    pitched = ~notes.is_drum
    ends = (notes.end[pitched].max(initial=0), pedal.time.max(initial=0))
    for number in np.unique(pedal.instrument).tolist():
        own = np.flatnonzero(pitched & (notes.instrument == number))
        moves = pedal.instrument == number
        movements = zip(pedal.time[moves].tolist(), pedal.down[moves].tolist(), strict=True)
        held = _Held(notes.pitch[own].tolist(), notes.start[own].tolist(), end[own].tolist())
        held.play(movements, last=float(max(ends)))
        end[own], kept[own] = held.end, held.kept
    return replace(notes, end=end).where(kept)


class _Held:
    """The notes of one instrument while its pedal moves."""

    def __init__(self, pitch: list[int], start: list[float], end: list[float]) -> None:
        self.pitch, self.start, self.end = pitch, start, end
        self.kept = [True] * len(pitch)
        self.sounding: dict[int, list[int]] = {}  # pitch -> notes that the pedal may prolong
        self.is_down = False

    def play(self, movements: Iterable[tuple[float, bool]], last: float) -> None:
        """Set `end` and `kept`; `last` is the time of the last event of the piece."""
        events = [(time, PEDAL_DOWN if down else PEDAL_UP, -1) for time, down in movements]
        events += [(time, NOTE_ON, note) for note, time in enumerate(self.start)]
        events += [(time, NOTE_OFF, note) for note, time in enumerate(self.end)]
        for time, kind, note in sorted(events):
            if note < 0:
                self._move(time, is_down=kind == PEDAL_DOWN)
            elif kind == NOTE_ON:
                self._strike(time, note)
            elif not self.is_down:
                self._release(note)
        for notes in self.sounding.values():
            for note in notes:
                self.end[note] = last

    def _move(self, time: float, *, is_down: bool) -> None:
        self.is_down = is_down
        if is_down:
            return
        for pitch, notes in self.sounding.items():
            prolonged = {note for note in notes if self.end[note] < time}
            for note in prolonged:
                self.end[note] = time
            self.sounding[pitch] = [note for note in notes if note not in prolonged]

    def _strike(self, time: float, note: int) -> None:
        notes = self.sounding.setdefault(self.pitch[note], [])
        if self.is_down:
            for earlier in notes:
                self.end[earlier] = time
                self.kept[earlier] = self.start[earlier] < time
            notes.clear()
        notes.append(note)

    def _release(self, note: int) -> None:
        notes = self.sounding[self.pitch[note]]
        if note in notes:  # else the pedal or another note has ended it
            notes.remove(note)


def pieces(notes: PlayedNotes, seconds: float) -> Iterator[PlayedNotes]:
    """The notes that begin in each span of so many seconds, silent spans included.

    Notes end with the span in which they begin, at the latest; times count from its beginning.
    """
    for index in range(int(np.ceil(notes.end.max(initial=0) / seconds))):
        begin, border = index * seconds, (index + 1) * seconds
        own = notes.where((notes.start >= begin) & (notes.start < border))
        end = np.minimum(own.end, border)
        yield replace(own, start=own.start - begin, end=end - begin)
