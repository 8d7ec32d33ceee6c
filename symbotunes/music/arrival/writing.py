"""Events as a score, one track for each instrument.

A tick is 1 ms, not the authors' 10 ms, so that a note of less than 5 ms, whose duration is 0, can
still be heard and is read again as what it is.
"""

import numpy as np
import symusic

from symbotunes.music.arrival.vocabulary import (
    DRUMS,
    UNITS_PER_SECOND,
    Triplets,
    as_events,
    durations,
    instruments,
    is_control,
    is_note,
    pitches,
    times,
)

TICKS_PER_QUARTER = 500
QPM = 120  # a tick is 1 ms
TICKS_PER_UNIT = TICKS_PER_QUARTER * QPM // 60 // UNITS_PER_SECOND
VELOCITY = 72  # the authors' choice: events tell none


def score_of(triplets: Triplets) -> symusic.Score:
    """The notes of a piece, events and controls, with tracks in order of their first notes.

    Args:
        triplets: ``[N, 3]`` with times from the beginning, in any order.
    """
    notes = as_events(triplets[is_note(triplets) | is_control(triplets)])
    notes = notes[np.argsort(times(notes), kind="stable")]
    score = symusic.Score(TICKS_PER_QUARTER)
    score.tempos.append(symusic.Tempo(0, QPM))
    for instrument in dict.fromkeys(instruments(notes).tolist()):
        is_drum = instrument == DRUMS
        own = notes[instruments(notes) == instrument]
        track = symusic.Track(program=0 if is_drum else instrument, is_drum=is_drum)
        track.notes = symusic.Note.from_numpy(
            time=(times(own) * TICKS_PER_UNIT).astype(np.int32),
            duration=np.maximum(durations(own) * TICKS_PER_UNIT, 1).astype(np.int32),
            pitch=pitches(own).astype(np.int8),
            velocity=np.full(len(own), VELOCITY, np.int8),
        )
        score.tracks.append(track)
    return score
