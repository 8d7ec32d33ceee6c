"""Features of whole pieces by which sets of them are compared: those of Yang and Lerch 2020.

They are the nine of MGEval that need no fixed number of bars. Times are counted in 24ths of a
quarter note, which does not change what `set_distances` tells: it does not depend on units. All
pitched notes of all tracks count, where the published code reads one track.
"""

import numpy as np

from symbotunes.evaluation.metrics.figure import Figure, Inapplicable, Metrics
from symbotunes.evaluation.metrics.notes import RESOLUTION, Ints, Notes
from symbotunes.evaluation.metrics.set_distances import Floats

SOURCE = "Yang and Lerch 2020"
# Lengths of notes, in 96ths of a bar: whole bar to its 16th, the same dotted, and triplets.
LENGTHS = np.array([96, 48, 24, 12, 6, 72, 36, 18, 9, 32, 16, 8])
LATER = RESOLUTION / 10  # of two notes that follow each other: 0.05 s at 120 quarters per minute

FEATURES: Metrics[Notes, Floats] = Metrics()  # a vector of each piece


def features_of(notes: Notes) -> dict[str, Floats] | None:
    """The features of a piece; ``None`` if it has fewer than two notes with a pitch."""
    if len(notes.pitches) < 2:
        return None
    vectors, reasons = FEATURES.measure(notes)
    return None if reasons else vectors


def _feature(key: str, label: str, meaning: str) -> Figure:
    return Figure(key, label, meaning, None, source=SOURCE)


@FEATURES.register(_feature("pitch_count", "pitch count", "Different pitches of a piece."))
def pitch_count(notes: Notes) -> Floats:
    """``[1]``."""
    return np.array([len(np.unique(notes.pitches))], np.float64)


@FEATURES.register(
    _feature("pitch_range", "pitch range", "Semitones from the lowest to the highest note.")
)
def pitch_range(notes: Notes) -> Floats:
    """``[1]``."""
    return np.array([np.ptp(notes.pitches)], np.float64)


@FEATURES.register(
    _feature("mean_interval", "mean interval", "Semitones from a note to the next of its track.")
)
def mean_interval(notes: Notes) -> Floats:
    """``[1]``: the mean size; chords are read from below."""
    order = _in_order(notes)
    steps = np.diff(_pitched(notes, notes.pitch)[order])
    same = np.diff(_pitched(notes, notes.track)[order]) == 0
    if not same.any():
        raise Inapplicable("no track has two notes")
    return np.array([np.abs(steps[same]).mean()])


@FEATURES.register(_feature("note_count", "note count", "Notes of a piece."))
def note_count(notes: Notes) -> Floats:
    """``[1]``."""
    return np.array([len(notes.pitches)], np.float64)


@FEATURES.register(
    _feature(
        "mean_onset_interval",
        "mean inter-onset interval",
        "Quarter notes from an onset to the next; notes of a chord have an interval of 0.",
    )
)
def mean_onset_interval(notes: Notes) -> Floats:
    """``[1]``: in quarter notes."""
    starts = _pitched(notes, notes.start)
    return np.array([np.ptp(starts) / (len(starts) - 1) / RESOLUTION])


@FEATURES.register(
    _feature("pitch_classes", "pitch classes", "Share of the time that each pitch class sounds.")
)
def pitch_classes(notes: Notes) -> Floats:
    """``[12]`` durations of the notes of each pitch class, which sum to 1."""
    durations = _pitched(notes, notes.end - notes.start)
    sums = np.bincount(notes.pitches % 12, weights=durations, minlength=12)
    if not sums.any():
        raise Inapplicable("no note lasts")
    return np.asarray(sums / sums.sum(), np.float64)


@FEATURES.register(
    _feature(
        "pitch_class_transitions",
        "pitch-class transitions",
        "How often each pitch class is followed by each other.",
    )
)
def pitch_class_transitions(notes: Notes) -> Floats:
    """``[144]`` pairs of notes of a track of which the second begins where the first ends."""
    table = np.zeros((12, 12))
    starts, ends, tracks = (_pitched(notes, part) for part in (notes.start, notes.end, notes.track))
    classes = notes.pitches % 12
    for track in np.unique(tracks):
        own = tracks == track
        order = np.argsort(starts[own], kind="stable")
        sorted_starts, sorted_classes = starts[own][order], classes[own][order]
        # All starts within LATER of an end lie next to each other.
        first = np.searchsorted(sorted_starts, ends[own] - LATER, side="right")
        last = np.searchsorted(sorted_starts, ends[own] + LATER, side="left")
        for source, begin, end in zip(classes[own].tolist(), first, last, strict=True):
            np.add.at(table[source], sorted_classes[begin:end], 1)
    return table.reshape(-1)


@FEATURES.register(
    _feature("note_lengths", "note lengths", "Share of the notes that have each of 12 lengths.")
)
def note_lengths(notes: Notes) -> Floats:
    """``[12]`` notes by the nearest of `LENGTHS`, which sum to 1."""
    counts = np.bincount(_lengths(notes), minlength=len(LENGTHS))
    return np.asarray(counts / counts.sum(), np.float64)


@FEATURES.register(
    _feature(
        "note_length_transitions",
        "note-length transitions",
        "How often a note of each length is followed by one of each other.",
    )
)
def note_length_transitions(notes: Notes) -> Floats:
    """``[144]`` pairs of notes of a track that follow each other."""
    order = _in_order(notes)
    lengths, tracks = _lengths(notes)[order], _pitched(notes, notes.track)[order]
    same = np.diff(tracks) == 0
    table = np.zeros((len(LENGTHS), len(LENGTHS)))
    np.add.at(table, (lengths[:-1][same], lengths[1:][same]), 1)
    return table.reshape(-1)


def _pitched(notes: Notes, values: Ints) -> Ints:
    """The values of the notes that have a pitch."""
    return values[~notes.drum]


def _in_order(notes: Notes) -> Ints:
    """The order of the notes that have a pitch: by track, onset and pitch."""
    keys = (notes.pitch, notes.start, notes.track)
    return np.lexsort([_pitched(notes, part) for part in keys])


def _lengths(notes: Notes) -> Ints:
    """The number of the nearest of `LENGTHS` for each note; of two, the earlier."""
    durations = _pitched(notes, notes.end - notes.start)
    far = np.abs(durations[:, None] * LENGTHS[0] / notes.bar - LENGTHS)
    return np.asarray(far.argmin(1), np.int64)
