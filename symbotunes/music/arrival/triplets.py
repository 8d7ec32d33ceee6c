"""The triplets among ids, which a model may also write in a wrong order."""

import numpy as np

from symbotunes.music.arrival.vocabulary import (
    CONTROL,
    DURATION,
    NOTE,
    REST,
    SEPARATOR,
    TIME,
    TRIPLET,
    Triplets,
)
from symbotunes.music.midi.decoding import Integers


def parsed(ids: Integers) -> tuple[Triplets, int]:
    """The triplets of the first piece, and how many ids before its end belong to none.

    Flags are skipped, and so are separators before the piece.

    Args:
        ids: ``[T]``, well-formed or not.
    """
    triplets: list[list[int]] = []
    errors = at = 0
    values = ids.tolist()
    while at < len(values):
        window = values[at : at + TRIPLET]
        if _is_triplet(window):
            triplets.append(window)
            at += TRIPLET
        elif window[0] == SEPARATOR and triplets:
            break  # another piece begins
        else:
            errors += window[0] < SEPARATOR
            at += 1
    return np.array(triplets, np.int64).reshape(-1, TRIPLET), errors


def _is_triplet(window: list[int]) -> bool:
    """Whether three ids are an event, a rest or a control."""
    if len(window) < TRIPLET:
        return False
    time, duration, note = window
    if note > REST:
        time, duration, note = time - CONTROL, duration - CONTROL, note - CONTROL
        if note == REST:
            return False
    return TIME <= time < DURATION <= duration < NOTE <= note <= REST
