"""From classes back to music: scores in 4/4 at 120 quarters per minute, as in the reference."""

import numpy as np
import symusic
from numpy.typing import NDArray

from symbotunes.music.grid.drums import NINE_DRUMS, Kit, drum_bits
from symbotunes.music.grid.melody import FIRST_PITCH, NO_EVENT, NOTE_OFF, PIANO, MelodyClasses
from symbotunes.music.grid.quantize import STEPS_PER_QUARTER
from symbotunes.music.midi.decoding import Integers

TICKS_PER_QUARTER = 220
TICKS_PER_STEP = TICKS_PER_QUARTER // STEPS_PER_QUARTER
QPM = 120.0
VELOCITY = 80
ELECTRIC_BASS = 33  # General MIDI program, counted from 0
Classes = NDArray[np.integer]


def decode_melody(
    ids: Classes, *, classes: MelodyClasses = PIANO, program: int = 0
) -> symusic.Score:
    """The melody of classes [T], as one track.

    A note lasts until the next note, a note-off or the end of the sequence. Note-offs in silence
    have no effect.

    Raises:
        ValueError: if an id is not a class of a melody.
    """
    score = _empty_score()
    score.tracks.append(_melody_track(ids, classes, program, "Melody"))
    return score


def decode_drums(ids: Classes, *, kit: Kit = NINE_DRUMS) -> symusic.Score:
    """The drums that the numbers [T] stand for, as one drum track; every hit lasts one step.

    Raises:
        ValueError: if a number names a drum that the kit does not have.
    """
    score = _empty_score()
    score.tracks.append(_drum_track(ids, kit))
    return score


def decode_trio(ids: Classes, *, classes: MelodyClasses = PIANO) -> symusic.Score:
    """Melody, bass and drums of classes [T, 3], as three tracks: piano, electric bass, drums.

    Raises:
        ValueError: if an id is not a class of its part.
    """
    ids = np.asarray(ids)
    score = _empty_score()
    score.tracks.append(_melody_track(ids[:, 0], classes, 0, "Melody"))
    score.tracks.append(_melody_track(ids[:, 1], classes, ELECTRIC_BASS, "Bass"))
    score.tracks.append(_drum_track(ids[:, 2], NINE_DRUMS))
    return score


def _empty_score() -> symusic.Score:
    score = symusic.Score(TICKS_PER_QUARTER)
    score.tempos.append(symusic.Tempo(0, QPM))
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    return score


def _melody_track(
    ids: Classes, classes: MelodyClasses, program: int, name: str
) -> symusic.core.TrackTick:
    """A track of the notes that classes [T] name."""
    ids = _checked(ids, classes.count)
    events = np.flatnonzero(ids != NO_EVENT)
    is_note = ids[events] > NOTE_OFF
    start = events[is_note]
    end = np.append(events[1:], len(ids))[is_note]
    return _track(start, end, ids[start] - FIRST_PITCH + classes.lowest, program, name)


def _drum_track(ids: Classes, kit: Kit) -> symusic.core.TrackTick:
    """A drum track of the hits that numbers [T] stand for."""
    ids = _checked(ids, 1 << len(kit))
    step, drum = drum_bits(ids, len(kit)).nonzero()
    pitch = np.array([pitches[0] for pitches in kit])[drum]
    return _track(step, step + 1, pitch, 0, "Drums", is_drum=True)


def _checked(ids: Classes, count: int) -> Integers:
    """The ids [T], if they are below ``count``."""
    checked = np.asarray(ids, np.int64)
    if checked.ndim != 1:
        raise ValueError(f"expected one sequence, not an array of shape {checked.shape}")
    if ((checked < 0) | (checked >= count)).any():
        raise ValueError(
            f"expected ids from 0 to {count - 1}, not {checked.min()} to {checked.max()}"
        )
    return checked


def _track(
    start: Integers, end: Integers, pitch: Integers, program: int, name: str, is_drum: bool = False
) -> symusic.core.TrackTick:
    """A track of notes that begin and end at steps [N]."""
    track = symusic.Track(name=name, program=program, is_drum=is_drum)
    track.notes = symusic.Note.from_numpy(
        time=(start * TICKS_PER_STEP).astype(np.int32),
        duration=((end - start) * TICKS_PER_STEP).astype(np.int32),
        pitch=pitch.astype(np.int8),
        velocity=np.full(len(start), VELOCITY, np.int8),
    )
    return track
