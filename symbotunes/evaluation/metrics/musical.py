"""What music is like, piece by piece, in numbers that know no tokens.

The definitions are those of MusPy 0.5 (Dong et al. 2020, https://arxiv.org/abs/2008.01951), its
ways at the edges included: time is counted in 24ths of a quarter note, there is one bar more than
whole bars in the music, and a bar in which a note ends, on its bar line too, is not empty. Figures
of pitch leave drums out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import symusic
from numpy.typing import NDArray

from symbotunes.evaluation.metrics.bootstrap import Bootstrap, Interval
from symbotunes.evaluation.metrics.figure import Figure
from symbotunes.evaluation.metrics.histograms import overlapping_area

RESOLUTION = 24  # time steps per quarter note
MANY = 2  # more pitches than this at once count for the polyphony rate
Ints = NDArray[np.int64]

MUSICAL = {
    "pitch_class_entropy": Figure(
        "pitch-class entropy",
        "Bits by which the twelve pitch classes of a piece's notes are spread; 3.58 at most.",
        2,
    ),
    "scale_consistency": Figure(
        "scale consistency",
        "Share of a piece's notes in the major or natural minor scale that fits them best.",
        scale=100.0,
        suffix=" %",
    ),
    "groove_consistency": Figure(
        "groove consistency",
        "1 less the share of places in a bar at which neighbouring bars differ in having an onset.",
        2,
        scale=100.0,
        suffix=" %",
    ),
    "empty_bar_rate": Figure(
        "empty bars", "Bars in which nothing sounds, of all bars.", scale=100.0, suffix=" %"
    ),
    "polyphony": Figure(
        "polyphony", "Pitches that sound at once, on average over the time that any does.", 2
    ),
    "polyphony_rate": Figure(
        "polyphony rate",
        "Share of the time in which more than two pitches sound.",
        scale=100.0,
        suffix=" %",
    ),
    "note_density": Figure(
        "note density", "Notes per quarter note, from the beginning to the last note's end.", 2
    ),
}
HISTOGRAMS = {
    "pitch": Figure("overlap of pitches", "Area shared by the histograms of pitches.", 3),
    "interval": Figure(
        "overlap of intervals",
        "Area shared by the histograms of steps in semitones from a note to the next of its track.",
        3,
    ),
    "duration": Figure(
        "overlap of durations",
        "Area shared by the histograms of durations in 24ths of a quarter note.",
        3,
    ),
}


@dataclass(frozen=True)
class Measured:
    """One piece in numbers.

    Attributes:
        figures: `MUSICAL` as far as they are defined for the piece, NaN otherwise.
        values: `HISTOGRAMS`: what there is to count in it, intervals signed.
        notes: that sound in it, drums included.
    """

    figures: Mapping[str, float]
    values: Mapping[str, Ints]
    notes: int


@dataclass(frozen=True)
class _Notes:
    """Notes ``[N]`` of all tracks in time steps."""

    start: Ints
    end: Ints
    pitch: Ints
    track: Ints
    drum: NDArray[np.bool_]

    @property
    def length(self) -> int:
        return int(self.end.max(initial=0))


def measure(score: symusic.Score) -> Measured:
    """The figures of one piece; its bars have the length of its first time signature, or 4/4."""
    notes = _notes(score)
    pitched = ~notes.drum
    bar = _bar(score)
    polyphony, rate = _polyphony(notes)
    quarters = notes.length / RESOLUTION
    return Measured(
        figures={
            "pitch_class_entropy": _entropy(notes.pitch[pitched]),
            "scale_consistency": _in_scale(notes.pitch[pitched]),
            "groove_consistency": _groove(notes, bar),
            "empty_bar_rate": _empty(notes, bar),
            "polyphony": polyphony,
            "polyphony_rate": rate,
            "note_density": len(notes.start) / quarters if quarters else math.nan,
        },
        values={
            "pitch": notes.pitch[pitched],
            "interval": _intervals(notes),
            "duration": (notes.end - notes.start)[pitched],
        },
        notes=len(notes.start),
    )


def musical_figures(pieces: Sequence[Measured], bootstrap: Bootstrap) -> dict[str, Interval]:
    """Means over the pieces for which a figure is defined; figures without such pieces are out."""
    found = {}
    for name in MUSICAL:
        values = np.array([piece.figures[name] for piece in pieces])
        if np.isfinite(values).any():
            found[name] = bootstrap.mean(values[np.isfinite(values)])
    return found


def overlap_with(
    pieces: Sequence[Measured], others: Sequence[Measured], bootstrap: Bootstrap
) -> dict[str, Interval]:
    """Areas that the histograms of two sets share; undefined ones are left out."""
    found = {}
    for name in HISTOGRAMS:
        shift = 127 if name == "interval" else 0  # bins are counted from 0
        ours, theirs = (
            [(piece.values[name] + shift).tolist() for piece in each] for each in (pieces, others)
        )
        area = overlapping_area(ours, theirs, bootstrap)
        if area.is_finite:
            found[name] = area
    return found


def _notes(score: symusic.Score) -> _Notes:
    columns: dict[str, list[Ints]] = {"start": [], "end": [], "pitch": [], "track": [], "drum": []}
    scale = RESOLUTION / score.ticks_per_quarter
    for index, track in enumerate(score.tracks):
        found = track.notes.numpy()
        time, duration = (found[name].astype(np.int64) for name in ("time", "duration"))
        columns["start"].append(np.rint(time * scale).astype(np.int64))
        columns["end"].append(np.rint((time + duration) * scale).astype(np.int64))
        columns["pitch"].append(found["pitch"].astype(np.int64))
        columns["track"].append(np.full(len(time), index, np.int64))
        columns["drum"].append(np.full(len(time), int(track.is_drum), np.int64))
    joined = {
        name: np.concatenate(parts) if parts else np.empty(0, np.int64)
        for name, parts in columns.items()
    }
    drum = joined.pop("drum").astype(bool)
    return _Notes(drum=drum, **joined)


def _bar(score: symusic.Score) -> int:
    """Time steps of a bar."""
    if not len(score.time_signatures):
        return 4 * RESOLUTION
    signatures = sorted(score.time_signatures, key=lambda each: each.time)
    ends = [*(each.time for each in signatures[1:]), max(score.end(), signatures[-1].time)]
    # The first may be that of an upbeat.
    pairs = zip(signatures, ends, strict=True)
    longest, _ = max(pairs, key=lambda pair: pair[1] - pair[0].time)
    return int(max(1, round(4 * RESOLUTION * longest.numerator / longest.denominator)))


def _entropy(pitches: Ints) -> float:
    if not len(pitches):
        return math.nan
    share = np.bincount(pitches % 12) / len(pitches)
    share = share[share > 0]
    return float(abs((share * np.log2(share)).sum()))


def _in_scale(pitches: Ints) -> float:
    """A natural minor scale has the notes of a major one, so twelve scales are all."""
    if not len(pitches):
        return math.nan
    counts = np.bincount(pitches % 12, minlength=12)
    steps = np.array([0, 2, 4, 5, 7, 9, 11])
    scales = (np.arange(12)[:, None] + steps) % 12  # [12, 7]
    return float(counts[scales].sum(1).max() / len(pitches))


def _groove(notes: _Notes, bar: int) -> float:
    bars = notes.length // bar + 1
    if bars < 2:
        return math.nan
    onsets = np.zeros(bars * bar, bool)
    onsets[notes.start] = True
    rows = onsets.reshape(bars, bar)
    return 1 - float((rows[:-1] != rows[1:]).mean())


def _empty(notes: _Notes, bar: int) -> float:
    if not notes.length:
        return math.nan
    bars = notes.length // bar + 1
    sounding = np.zeros(bars + 1, np.int64)
    np.add.at(sounding, notes.start // bar, 1)
    np.add.at(sounding, notes.end // bar + 1, -1)
    return float((sounding.cumsum()[:bars] == 0).mean())


def _polyphony(notes: _Notes) -> tuple[float, float]:
    """Mean number of pitches at once while there are any, and the share of time with many."""
    if not notes.length:
        return math.nan, math.nan
    on = np.zeros((notes.length + 1, 128), np.int32)
    pitched = ~notes.drum
    np.add.at(on, (notes.start[pitched], notes.pitch[pitched]), 1)
    np.add.at(on, (notes.end[pitched], notes.pitch[pitched]), -1)
    at_once = (on.cumsum(0)[:-1] > 0).sum(1)
    busy = int((at_once > 0).sum())
    mean = float(at_once.sum() / busy) if busy else math.nan
    return mean, float((at_once > MANY).mean())


def _intervals(notes: _Notes) -> Ints:
    """Steps in semitones between notes of a track that follow each other, chords from below."""
    pitched = ~notes.drum
    order = np.lexsort((notes.pitch[pitched], notes.start[pitched], notes.track[pitched]))
    pitch, track = notes.pitch[pitched][order], notes.track[pitched][order]
    return np.asarray(np.diff(pitch)[np.diff(track) == 0], np.int64)
