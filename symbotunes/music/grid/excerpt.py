"""One window of chosen bars, filled with silence where nothing is played."""

from collections.abc import Container

import numpy as np

from symbotunes.music.grid.drums import Kit, find_hits
from symbotunes.music.grid.melody import MelodyClasses
from symbotunes.music.grid.phrases import Placed
from symbotunes.music.grid.quantize import STEPS_PER_BAR, GridNotes
from symbotunes.music.grid.trio import by_role, write_drums, write_melodies
from symbotunes.music.midi.decoding import Integers


def melody_excerpt(
    notes: GridNotes, bars: int, classes: MelodyClasses, programs: Container[int] | None
) -> Placed:
    """Bars of every melody, one window each.

    Args:
        notes: of these bars, as one section.
        bars: length of the window.
        classes: notes outside their range are ignored.
        programs: instruments to use; ``None`` for all but drums.
    """
    chosen = ~notes.is_drum
    if programs is not None:
        chosen &= np.array([number in programs for number in range(128)])[notes.program]
    instruments, rows = write_melodies(notes.where(chosen), bars, classes)
    return _placed(rows.astype(np.uint8), instruments[:, None])


def drum_excerpt(notes: GridNotes, bars: int, kit: Kit) -> Placed:
    """Bars of the drums, as one window; none if they are silent."""
    notes = notes.where(notes.is_drum)
    hits = find_hits(notes, kit, np.zeros(len(notes.start), np.int64))
    rows = np.zeros((min(1, len(hits.start)), bars * STEPS_PER_BAR), np.int64)
    if len(rows):
        rows[0, hits.start] = hits.drums
    return _placed(rows, np.zeros((len(rows), 0), np.int64))


def trio_excerpt(notes: GridNotes, bars: int, classes: MelodyClasses) -> Placed:
    """Bars of the first melody, bass and drums, as one window; a part that is missing is silent."""
    melody, bass, drums = by_role(notes)
    written = [
        write_melodies(melody, bars, classes),
        write_melodies(bass, bars, classes),
        write_drums(drums, bars),
    ]
    if not any(len(instruments) for instruments, _ in written):
        return _placed(
            np.zeros((0, bars * STEPS_PER_BAR, 3), np.uint16), np.zeros((0, 3), np.int64)
        )
    silence = np.zeros(bars * STEPS_PER_BAR, np.uint16)
    rows = np.stack([steps[0] if len(steps) else silence for _, steps in written], axis=-1)
    players = [instruments[0] if len(instruments) else -1 for instruments, _ in written]
    return _placed(rows[None], np.array([players], np.int64))


def _placed(rows: np.ndarray, instruments: Integers) -> Placed:
    zeros = np.zeros(len(rows), np.int64)
    return Placed(rows, zeros, zeros, instruments)
