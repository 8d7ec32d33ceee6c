"""A score as a Standard MIDI File."""

import symusic


def midi_bytes(score: symusic.Score) -> bytes:
    """The file's content; times in other units become ticks first."""
    return bytes(score.to("tick").dumps_midi())
