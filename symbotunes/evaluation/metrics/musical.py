"""Descriptions of music in numbers, piece by piece, which do not depend on tokens.

The definitions are those of MusPy 0.5 (Dong et al. 2020, https://arxiv.org/abs/2008.01951),
including its edge cases: time is counted in 24ths of a quarter note, there is one bar more than the
music has complete bars, and a bar in which a note ends, even on its bar line, is not empty. Figures
of pitch leave out drums.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import symusic

from symbotunes.evaluation.metrics.bootstrap import Bootstrap, Interval
from symbotunes.evaluation.metrics.figure import Figure, Metrics, share
from symbotunes.evaluation.metrics.histograms import OVERLAP, overlapping_area
from symbotunes.evaluation.metrics.notes import RESOLUTION, Ints, Notes, notes_of

MANY = 2  # more pitches than this at once count for the polyphony rate
WU = "Wu and Yang 2020, by MusPy's definition"
DONG = "Dong et al. 2018, by MusPy's definition"


@dataclass(frozen=True)
class Measured:
    """One piece in numbers.

    Attributes:
        figures: `MUSICAL` as far as they are defined for the piece, NaN otherwise.
        values: `HISTOGRAMS`: the values that are counted; intervals are signed.
        notes: number of notes, drums included.
    """

    figures: Mapping[str, float]
    values: Mapping[str, Ints]
    notes: int


MUSICAL: Metrics[Notes, float] = Metrics()  # NaN where a figure is not defined for a piece
HISTOGRAMS: Metrics[Notes, Ints] = Metrics()  # the values of a piece that are counted


def measure(score: symusic.Score) -> Measured:
    """The figures of one piece; its bars have the length of its first time signature, or 4/4."""
    notes = notes_of(score)
    figures, _ = MUSICAL.measure(notes)
    values, _ = HISTOGRAMS.measure(notes)
    return Measured(figures, values, len(notes.start))


def musical_figures(pieces: Sequence[Measured], bootstrap: Bootstrap) -> dict[str, Interval]:
    """Means over the pieces for which a figure is defined; a figure without any is left out."""
    means = {}
    for name in MUSICAL:
        values = np.array([piece.figures.get(name, math.nan) for piece in pieces])
        if np.isfinite(values).any():
            defined = np.isfinite(values)
            means[name] = bootstrap.at(defined).mean(values[defined])
    return means


def overlap_with(
    pieces: Sequence[Measured], others: Sequence[Measured], bootstrap: Bootstrap
) -> dict[str, Interval]:
    """Areas that the histograms of two sets share; undefined ones are left out."""
    areas = {}
    for name, figure in HISTOGRAMS.items():
        ours, theirs = (  # bins are counted from 0
            [(piece.values[name] - figure.lowest).tolist() for piece in group]
            for group in (pieces, others)
        )
        area = overlapping_area(ours, theirs, bootstrap)
        if area.is_defined:
            areas[name] = area
    return areas


@MUSICAL.register(
    Figure(
        "pitch_class_entropy",
        "pitch-class entropy",
        "Bits by which the twelve pitch classes of a piece's notes are spread; 3.58 at most.",
        "closer",
        unit="bits",
        decimals=2,
        source=WU,
    )
)
def pitch_class_entropy(notes: Notes) -> float:
    """Of the shares of the pitch classes."""
    pitches = notes.pitches
    if not len(pitches):
        return math.nan
    shares = np.bincount(pitches % 12) / len(pitches)
    shares = shares[shares > 0]
    return float(abs((shares * np.log2(shares)).sum()))


@MUSICAL.register(
    share(
        "scale_consistency",
        "scale consistency",
        "Share of a piece's notes in the major or natural minor scale that fits them best.",
        "closer",
        source="Mogren 2016, by MusPy's definition",
    )
)
def scale_consistency(notes: Notes) -> float:
    """A natural minor scale has the notes of a major one, so twelve scales are all."""
    pitches = notes.pitches
    if not len(pitches):
        return math.nan
    counts = np.bincount(pitches % 12, minlength=12)
    steps = np.array([0, 2, 4, 5, 7, 9, 11])
    scales = (np.arange(12)[:, None] + steps) % 12  # [12, 7]
    return float(counts[scales].sum(1).max() / len(pitches))


@MUSICAL.register(
    share(
        "groove_consistency",
        "groove consistency",
        "1 less the share of places in a bar at which neighboring bars differ in having an onset.",
        "closer",
        decimals=2,
        source=WU,
    )
)
def groove_consistency(notes: Notes) -> float:
    """Drums count, too."""
    bars = notes.length // notes.bar + 1
    if bars < 2:
        return math.nan
    onsets = np.zeros(bars * notes.bar, bool)
    onsets[notes.start] = True
    rows = onsets.reshape(bars, notes.bar)
    return 1 - float((rows[:-1] != rows[1:]).mean())


@MUSICAL.register(
    share(
        "empty_bar_rate",
        "empty bars",
        "Bars in which nothing sounds, of all bars.",
        "closer",
        source=DONG,
    )
)
def empty_bar_rate(notes: Notes) -> float:
    """A bar in which a note ends, on its bar line too, is not empty."""
    if not notes.length:
        return math.nan
    bars = notes.length // notes.bar + 1
    sounding = np.zeros(bars + 1, np.int64)
    np.add.at(sounding, notes.start // notes.bar, 1)
    np.add.at(sounding, notes.end // notes.bar + 1, -1)
    return float((sounding.cumsum()[:bars] == 0).mean())


@MUSICAL.register(
    Figure(
        "polyphony",
        "polyphony",
        "Pitches that sound at once, on average over the time that any does.",
        "closer",
        unit="pitches",
        decimals=2,
        source="MusPy (Dong et al. 2020)",
    )
)
def polyphony(notes: Notes) -> float:
    """Silence does not count."""
    at_once = notes.at_once
    busy = int((at_once > 0).sum())
    return float(at_once.sum() / busy) if busy else math.nan


@MUSICAL.register(
    share(
        "polyphony_rate",
        "polyphony rate",
        "Share of the time in which more than two pitches sound.",
        "closer",
        source=DONG,
    )
)
def polyphony_rate(notes: Notes) -> float:
    """Silence counts."""
    return float((notes.at_once > MANY).mean()) if notes.length else math.nan


@MUSICAL.register(
    Figure(
        "note_density",
        "note density",
        "Notes per quarter note, from the beginning to the last note's end.",
        "closer",
        unit="notes per quarter note",
        decimals=2,
    )
)
def note_density(notes: Notes) -> float:
    """Drums count, too."""
    return len(notes.start) * RESOLUTION / notes.length if notes.length else math.nan


@HISTOGRAMS.register(
    Figure(
        "pitch",
        "overlap of pitches",
        "Area shared by the histograms of pitches.",
        "higher",
        decimals=3,
        source=OVERLAP.source,
        axis="MIDI pitch",
    )
)
def pitch(notes: Notes) -> Ints:
    """Of every note that has one."""
    return notes.pitches


@HISTOGRAMS.register(
    Figure(
        "interval",
        "overlap of intervals",
        "Area shared by the histograms of steps in semitones from a note to the next of its track.",
        "higher",
        decimals=3,
        source=OVERLAP.source,
        axis="semitones to the next note of the track",
        lowest=-127,
    )
)
def interval(notes: Notes) -> Ints:
    """Signed steps between notes of a track that follow each other, chords from below."""
    pitched = ~notes.drum
    order = np.lexsort((notes.pitches, notes.start[pitched], notes.track[pitched]))
    pitches, tracks = notes.pitches[order], notes.track[pitched][order]
    return np.asarray(np.diff(pitches)[np.diff(tracks) == 0], np.int64)


@HISTOGRAMS.register(
    Figure(
        "duration",
        "overlap of durations",
        "Area shared by the histograms of durations in 24ths of a quarter note.",
        "higher",
        decimals=3,
        source=OVERLAP.source,
        axis="duration in 24ths of a quarter note",
    )
)
def duration(notes: Notes) -> Ints:
    """In time steps."""
    return (notes.end - notes.start)[~notes.drum]
