"""The outline of a melody: what is left of it when key, octave, speed and ornaments are taken away.

An outline samples the highest voice at the points of a grid as fine as most of its notes, and keeps
pitch classes alone. Grace notes, passing notes off the grid, rests, durations and note values are
not in it, so that the settings of a tune have nearly the same outline up to transposition. Meter
and bar lines are not needed, so that a tune has the same outline as ABC, as MIDI and as tokens.
"""

from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.abc.accidentals import alterations_in
from symbotunes.music.abc.phrases import sounding_eighths
from symbotunes.music.abc.tokens import Sound
from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.midi.piece import MidiPiece

TICKS_PER_QUARTER = 24  # thirty-seconds and triplets of sixteenths both fall on it
GRIDS = (96, 48, 24, 12, 6, 3)  # ticks, from whole notes to thirty-seconds
ON_GRID = (0.85, 0.65)  # shares of the time in notes that begin on a grid: surely, and perhaps
LONGEST_GAP = 16  # samples between two onsets; a longer rest is shortened
MOST_SAMPLES = 256  # of an outline: 32 bars of eighths
MOST_MELODIES = 3  # of a piece
FEWEST_ONSETS = 12  # of a melody
ONSET = 16  # flag of a sample at which a note begins; its lower bits are the pitch class

Outline = NDArray[np.uint8]
Ints = NDArray[np.int64]


@singledispatch
def outlines(piece: Any) -> list[Outline]:  # noqa: ARG001
    """The outlines of a piece's melodies; none for what is neither ABC nor MIDI.

    Raises:
        ValueError: with a ``reason``, if the notes cannot be read.
    """
    return []


@outlines.register
def _of_tune(tune: AbcTune) -> list[Outline]:
    """As it is written, without repeats: these only say the same again."""
    phrase = tune.phrase_in("C", changes=True)
    onsets, pitches = [], []
    now = 0.0
    tied: set[int] = set()
    lengths, alters = (
        sounding_eighths(phrase.items),
        alterations_in(phrase.key.signature, phrase.items),
    )
    for item, length, altered in zip(phrase.items, lengths, alters, strict=True):
        if not isinstance(item, Sound):
            continue
        numbers = [note.midi(alter) for note, alter in zip(item.pitches, altered, strict=True)]
        if numbers and max(numbers) not in tied:
            onsets.append(now)
            pitches.append(max(numbers))
        tied = {number for number, note in zip(numbers, item.pitches, strict=True) if note.tied}
        now += float(length)
    ticks = np.round(np.array(onsets) * (TICKS_PER_QUARTER // 2)).astype(np.int64)
    return outlines_of(ticks, np.array(pitches, np.int64))


@outlines.register
def _of_midi(piece: MidiPiece) -> list[Outline]:
    """The highest voice of each pitched track, of those with the most onsets."""
    score = piece.parsed
    tracks = [track for track in score.tracks if not track.is_drum]
    found = []
    for track in sorted(tracks, key=lambda track: -len(track.notes))[:MOST_MELODIES]:
        notes = track.notes.numpy()
        ticks = notes["time"].astype(np.int64) * TICKS_PER_QUARTER / score.ticks_per_quarter
        found += outlines_of(np.round(ticks).astype(np.int64), notes["pitch"].astype(np.int64))
    return found


def outlines_of(onsets: Ints, pitches: Ints) -> list[Outline]:
    """The outlines of notes: one, or two where it is not sure which grid they are written on.

    Ornaments of one setting may fall between the points on which all notes of another lie.

    Args:
        onsets: ``[N]`` in `TICKS_PER_QUARTER`.
        pitches: ``[N]`` MIDI numbers; of notes at one onset, the highest counts.

    Returns:
        Each ``[samples]`` pitch classes, 0 to 11, plus `ONSET` where a note begins.
    """
    order = np.lexsort((-pitches, onsets))
    onsets, firsts = np.unique(onsets[order], return_index=True)
    classes = (pitches[order][firsts] % 12).astype(np.uint8)
    if len(onsets) < FEWEST_ONSETS:
        return []
    grids = dict.fromkeys(grid_of(onsets, share) for share in ON_GRID)
    return [_sampled(onsets, classes, *grid) for grid in grids]


def grid_of(onsets: Ints, share: float) -> tuple[int, int]:
    """The widest grid on which notes of a share of the time begin: its unit and phase, in ticks.

    The finest, if there is none. Notes count by their time, so that ornaments count for little.
    """
    lasting = np.minimum(np.diff(onsets, append=onsets[-1] + TICKS_PER_QUARTER), GRIDS[0])
    unit, phase = GRIDS[-1], 0
    for unit in GRIDS:
        time = np.bincount(onsets % unit, lasting, minlength=unit)
        phase = int(time.argmax())
        if time[phase] >= share * lasting.sum():
            break
    return unit, phase


def _sampled(onsets: Ints, classes: Outline, unit: int, phase: int) -> Outline:
    """What sounds at the points of a grid; `onsets` rise."""
    points = -((phase - onsets) // unit)  # of the grid: the first that is not before the onset
    gaps = np.minimum(np.diff(points, prepend=points[0]), LONGEST_GAP)
    points = np.cumsum(gaps)
    # Of several notes before a point, the last still sounds there; one that begins on it is that.
    heard = np.append(np.flatnonzero(gaps[1:]), len(points) - 1)
    heard = heard[points[heard] < MOST_SAMPLES]
    on_grid = (onsets[heard] - phase) % unit == 0
    samples = np.repeat(classes[heard], np.diff(points[heard], append=points[heard[-1]] + 1))
    samples[points[heard][on_grid]] += ONSET
    return samples
