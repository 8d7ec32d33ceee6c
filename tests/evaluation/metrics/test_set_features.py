"""Features of pieces, by hand and against pretty_midi, which the published code calls."""

import numpy as np
import pretty_midi
import pytest

from symbotunes.evaluation.metrics.notes import notes_of
from symbotunes.evaluation.metrics.set_features import FEATURES, features_of
from tests.evaluation.metrics.test_musical import score_of

# Quarter, two eighths, a rest, a dotted quarter, a chord of two halves; 4/4, in 24ths.
TUNE = [(0, 24, 60), (24, 12, 62), (36, 12, 64), (60, 36, 62), (96, 48, 60), (96, 48, 67)]


def test_features_of_a_tune_by_hand():
    found = features_of(notes_of(score_of(TUNE)))
    assert set(found) == set(FEATURES)
    assert found["pitch_count"] == [4]
    assert found["pitch_range"] == [7]
    assert found["note_count"] == [6]
    assert found["mean_interval"] == [pytest.approx((2 + 2 + 2 + 2 + 7) / 5)]
    assert found["mean_onset_interval"] == [pytest.approx(4 / 5)]  # quarters
    total = 24 + 12 + 12 + 36 + 48 + 48
    classes = {0: 24 + 48, 2: 12 + 36, 4: 12, 7: 48}
    assert found["pitch_classes"] == pytest.approx([classes.get(c, 0) / total for c in range(12)])
    # whole, half, quarter, eighth, sixteenth, dotted: half, quarter, ...
    lengths = np.array([0, 2, 1, 2, 0, 0, 1, 0, 0, 0, 0, 0])
    assert found["note_lengths"] == pytest.approx(lengths / 6)
    table = found["note_length_transitions"].reshape(12, 12)
    pairs = {(2, 3): 1, (3, 3): 1, (3, 6): 1, (6, 1): 1, (1, 1): 1}
    assert {place: table[place] for place in zip(*np.nonzero(table), strict=True)} == pairs


RANGES = ((0, 200), (1, 30), (50, 70))  # of starts, lengths and pitches


def as_pretty_midi(score):
    """The score at 120 quarters per minute, all notes equally loud."""
    music = pretty_midi.PrettyMIDI()
    for track in score.tracks:
        music.instruments.append(pretty_midi.Instrument(0, is_drum=track.is_drum))
        music.instruments[-1].notes = [
            pretty_midi.Note(80, note.pitch, note.start / 48, note.end / 48) for note in track.notes
        ]
    return music


@pytest.mark.parametrize("seed", range(3))
def test_transitions_and_onsets_are_those_of_pretty_midi(seed):
    random = np.random.default_rng(seed)
    tracks = [
        list(zip(*(random.integers(low, high, 40).tolist() for low, high in RANGES), strict=True))
        for _ in range(2)
    ]
    score = score_of(*tracks)
    found, music = features_of(notes_of(score)), as_pretty_midi(score)
    expected = music.get_pitch_class_transition_matrix()
    assert found["pitch_class_transitions"].reshape(12, 12) == pytest.approx(expected)
    gap = np.diff(music.get_onsets()).mean()
    assert found["mean_onset_interval"] == [pytest.approx(2 * gap)]  # 2 quarters per second
    histogram = music.get_pitch_class_histogram(use_duration=True, normalize=True)
    assert found["pitch_classes"] == pytest.approx(histogram)


def test_drums_and_single_notes_have_no_features():
    assert features_of(notes_of(score_of(["drums", *TUNE]))) is None
    assert features_of(notes_of(score_of(TUNE[:1]))) is None
    assert features_of(notes_of(score_of(TUNE[:1], TUNE[1:2]))) is None  # no track has two
    with_drums = features_of(notes_of(score_of(TUNE, ["drums", (0, 6, 35)])))
    alone = features_of(notes_of(score_of(TUNE)))
    assert all(np.array_equal(with_drums[name], alone[name]) for name in FEATURES)
