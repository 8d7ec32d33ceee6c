"""The conversion that a chain adds when the dataset is ABC and its first step reads MIDI."""

from collections.abc import Sequence

from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.convert import midi_of


class AbcToMidi:
    """Converts ABC tunes to MIDI, for steps that read MIDI.

    Everything except notes, meter, key and tempo is lost.
    """

    SCHEMA = 1
    FORMAT = "abc"

    def __call__(self, piece: AbcTune) -> Sequence[object]:
        return [midi_of(piece)]
