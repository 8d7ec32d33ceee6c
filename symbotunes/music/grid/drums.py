"""Drum tracks: for each sixteenth the set of drums hit, as a number whose bits are the drums."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.grid.phrases import Placed, choose, distinct, find_phrases
from symbotunes.music.grid.quantize import STEPS_PER_BAR, GridNotes
from symbotunes.music.midi.decoding import Integers

Kit = tuple[tuple[int, ...], ...]  # the pitches of each drum; the first is used for playback

NINE_DRUMS: Kit = (
    (36, 35),  # kick
    (38, 27, 28, 31, 32, 33, 34, 37, 39, 40, 56, 65, 66, 75, 85),  # snare
    (42, 44, 54, 68, 69, 70, 71, 73, 78, 80, 22),  # closed hi-hat
    (46, 67, 72, 74, 79, 81, 26),  # open hi-hat
    (45, 29, 41, 43, 61, 64, 84),  # low tom
    (48, 47, 60, 63, 77, 86, 87),  # mid tom
    (50, 30, 62, 76, 83),  # high tom
    (49, 52, 55, 57, 58),  # crash
    (51, 53, 59, 82),  # ride
)
_IN_ORDER = (  # nearly that of the nine drums; 22 and 26 are missing, 43 and 52 have moved
    *(36, 35, 38, 27, 28, 31, 32, 33, 34, 37, 39, 40, 56, 65, 66, 75, 85),
    *(42, 44, 54, 68, 69, 70, 71, 73, 78, 80, 46, 67, 72, 74, 79, 81),
    *(45, 29, 41, 61, 64, 84, 48, 47, 60, 63, 77, 86, 87, 50, 30, 43, 62, 76, 83),
    *(49, 55, 57, 58, 51, 52, 53, 59, 82),
)
SIXTY_ONE_DRUMS: Kit = tuple((pitch,) for pitch in _IN_ORDER)  # the "full" NADE model


@dataclass(frozen=True)
class Hits:
    """The steps at which any drum is hit.

    Attributes:
        part: [N] which part each step belongs to, ascending.
        start: [N] steps, strictly ascending within a part.
        drums: [N] sum of 2^d over the drums d that are hit.
    """

    part: Integers
    start: Integers
    drums: Integers


def drum_windows(
    notes: GridNotes,
    bars: int = 2,
    *,
    kit: Kit = NINE_DRUMS,
    unique: bool = False,
    limit: int | None = None,
    generator: np.random.Generator | None = None,
) -> Placed:
    """Windows of the drums; no two of a section are equal.

    All drum tracks of a file are merged; a silence of one bar ends a phrase. A number below 2^D
    gives which of the D drums are hit: with nine drums it is one of 512 classes.

    Args:
        notes: of one file.
        bars: length of a window.
        kit: the drums; other pitches are ignored.
        unique: also drop windows that repeat one of another section.
        limit: maximum number of windows; ``None`` for all.
        generator: chooses them at random if there are more; ``None`` takes the first.

    Raises:
        MidiError: if the file is too long.
    """
    notes = notes.where(notes.is_drum)
    hits = find_hits(notes, kit, notes.section)
    if len(hits.start) == 0:
        none = np.zeros(0, np.int64)
        rows = np.zeros((0, bars * STEPS_PER_BAR), np.int64)
        return Placed(rows, none, none, np.zeros((0, 0), np.int64))
    phrases = find_phrases(hits.part, hits.start, hits.start + 1)
    steps = np.zeros(phrases.total, np.int64)
    inside = phrases.position < phrases.limit
    steps[phrases.position[inside]] = hits.drums[inside]
    starts, begins, sections = phrases.windows(bars)
    rows = steps[starts[:, None] + np.arange(bars * STEPS_PER_BAR)]
    placed = Placed(rows, sections, begins, np.zeros((len(rows), 0), np.int64))
    placed = placed.where(distinct(rows, None if unique else sections))
    return placed.where(choose(len(placed.rows), limit, generator))


def find_hits(notes: GridNotes, kit: Kit, part: Integers) -> Hits:
    """The notes of each part [N] gathered by step; pitches outside the kit are ignored."""
    bits = np.zeros(128, np.int64)
    for number, pitches in enumerate(kit):
        bits[list(pitches)] = 1 << number
    drum = bits[notes.pitch]
    known = drum > 0
    part, start, drum = part[known], notes.start[known], drum[known]
    order = np.lexsort((start, part))
    part, start, drum = part[order], start[order], drum[order]
    is_first = np.ones(len(part), np.bool_)
    is_first[1:] = (part[1:] != part[:-1]) | (start[1:] != start[:-1])
    firsts = np.flatnonzero(is_first)
    together = np.bitwise_or.reduceat(drum, firsts) if len(firsts) else drum
    return Hits(part[firsts], start[firsts], together)


def drum_bits(ids: NDArray[np.integer], drums: int = len(NINE_DRUMS)) -> NDArray[np.bool_]:
    """[..., drums] whether each drum is hit: what NADE models write."""
    return (np.asarray(ids, np.int64)[..., None] >> np.arange(drums) & 1).astype(np.bool_)
