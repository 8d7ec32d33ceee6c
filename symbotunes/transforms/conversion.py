"""The step that a chain puts in front by itself where notation and reader differ."""

from collections.abc import Sequence

from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.convert import midi_of


class AbcToMidi:
    """Plays ABC tunes, so that steps that read MIDI can have them.

    Lost: everything but notes, meter, key and tempo.
    """

    SCHEMA = 1
    FORMAT = "abc"

    def __call__(self, piece: AbcTune) -> Sequence[object]:
        return [midi_of(piece)]
