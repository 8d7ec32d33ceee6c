"""The sustain pedal of a MIDI file, as note-seq and pretty_midi read it.

A controller belongs to the instrument (program, channel, track) that sounds at the time. One that
precedes the first note of its program is kept for the channel, in a list that all instruments of
the channel share which appear later.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.midi.clock import Clock
from symbotunes.music.midi.decoding import Integers
from symbotunes.music.midi.events import MidiEvents
from symbotunes.music.midi.notes import MidiNotes, Seconds, programs_at

CONTROL_CHANGE, PITCH_BEND = 11, 14  # upper halves of status bytes
SUSTAIN = 64  # number of the controller
DOWN = 64  # least value at which the pedal is down


@dataclass(frozen=True)
class PedalEvents:
    """Movements of the sustain pedal, in order of instrument, then time.

    Attributes:
        instrument: [P] number, as in `MidiNotes`.
        time: [P] seconds.
        value: [P] 0 to 127.
    """

    instrument: Integers
    time: NDArray[np.float64]
    value: Integers

    @property
    def down(self) -> NDArray[np.bool_]:
        """[P] whether the pedal is down from then on."""
        return self.value >= DOWN


def read_pedal(events: MidiEvents, notes: MidiNotes, clock: Clock) -> PedalEvents:
    """The pedal of every instrument of a file.

    Args:
        events: of the file.
        notes: of the same file, all of them.
        clock: the one that gave the seconds of the notes.
    """
    kind = events.status >> 4
    moved = np.flatnonzero((kind == CONTROL_CHANGE) | (kind == PITCH_BEND))
    part = events.track[moved] << 4 | events.status[moved] & 15
    program = programs_at(events, part, moved)
    is_pedal = (kind[moved] == CONTROL_CHANGE) & (events.first[moved] == SUSTAIN)
    numbers: list[int] = []
    chosen: list[int] = []
    for of_part in np.unique(part[is_pedal]).tolist():
        own = part == of_part
        lists = _lists(moved[own], program[own], notes, of_part)
        for number, indices in sorted(lists.items()):
            pedal = indices[np.isin(indices, moved[is_pedal])]
            numbers += [number] * len(pedal)
            chosen += pedal.tolist()
    instrument = np.array(numbers, np.int64)
    order = np.argsort(instrument, kind="stable")
    instrument, index = instrument[order], np.array(chosen, np.int64)[order]
    seconds = Seconds(clock.tempos, events.ticks_per_quarter)
    return PedalEvents(instrument, seconds.seconds(events.tick[index]), events.second[index])


def _lists(moved: Integers, program: Integers, notes: MidiNotes, part: int) -> dict[int, Integers]:
    """Indices of the controllers of each instrument of a track's channel.

    Args:
        moved: [C] indices of the channel's controllers and bends.
        program: [C] that is set at each.
        notes: of the file.
        part: number of the track's channel.
    """
    own = notes.part == part
    numbers = dict(zip(notes.program[own].tolist(), notes.instrument[own].tolist(), strict=True))
    # An instrument appears with the note-off that ends its first note.
    births = {p: int(notes.closing[notes.instrument == n].min()) for p, n in numbers.items()}
    late = np.iinfo(np.int64).max
    born = np.array([births.get(p, late) for p in program.tolist()]) < moved
    early = moved[~born]
    shared_from = int(early.min()) if len(early) else late
    shares = {p: birth > shared_from for p, birth in births.items()}
    in_common = ~born | np.array([shares.get(p, False) for p in program.tolist()])
    return {
        number: moved[in_common if shares[p] else (program == p) & ~in_common]
        for p, number in numbers.items()
    }
