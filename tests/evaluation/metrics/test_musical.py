"""Statistics of music, by hand and against MusPy, where that is installed."""

import math

import numpy as np
import pytest
import symusic

from symbotunes.evaluation.metrics.bootstrap import Bootstrap
from symbotunes.evaluation.metrics.musical import MUSICAL, measure, musical_figures, overlap_with
from symbotunes.evaluation.metrics.notes import RESOLUTION


def score_of(*tracks, meter=(4, 4), ticks=24):
    """Tracks of ``(start, duration, pitch)`` in ticks; one that begins with "drums" is such."""
    score = symusic.Score(ticks)
    score.time_signatures.append(symusic.TimeSignature(0, *meter))
    for notes in tracks:
        drums = bool(notes) and notes[0] == "drums"
        track = symusic.Track(is_drum=drums)
        for start, duration, pitch in notes[drums:]:
            track.notes.append(symusic.Note(start, duration, pitch, 80))
        score.tracks.append(track)
    return score


TRIAD = [(0, 48, 60), (0, 48, 64), (0, 24, 67), (96, 24, 61)]


def test_figures_of_a_triad_and_a_late_note_by_hand():
    found = measure(score_of(TRIAD))
    figures = found.figures
    # Four pitch classes once each; C, E, G fit C major, C sharp does not.
    assert figures["pitch_class_entropy"] == pytest.approx(2)
    assert figures["scale_consistency"] == pytest.approx(3 / 4)
    # 24 steps of three pitches, 24 of two, 24 of one, and 48 of silence.
    assert figures["polyphony"] == pytest.approx((24 * 3 + 24 * 2 + 24) / 72)
    assert figures["polyphony_rate"] == pytest.approx(24 / 120)
    # Both bars have their only onsets on the first beat.
    assert figures["groove_consistency"] == pytest.approx(1)
    assert figures["empty_bar_rate"] == 0
    assert figures["note_density"] == pytest.approx(4 / 5)
    assert found.values["interval"].tolist() == [4, 3, -6]
    assert found.values["duration"].tolist() == [48, 48, 24, 24]


def test_a_silent_bar_between_two_is_a_third_of_all_bars():
    # A note that ends on its bar line would count for the next bar too, as in MusPy.
    assert measure(score_of([(0, 90, 60), (192, 90, 60)])).figures["empty_bar_rate"] == (
        pytest.approx(1 / 3)
    )


def test_bars_follow_the_meter():
    notes = [(0, 70, 60), (36, 30, 62), (72, 30, 60)]
    # 6/8: bars of 72 steps; the second lacks one of the first's two onsets.
    figures = measure(score_of(notes, meter=(6, 8))).figures
    assert figures["groove_consistency"] == pytest.approx(1 - 1 / 72)


def test_drums_have_no_pitch_but_a_groove():
    figures = measure(score_of(["drums", (0, 12, 36), (96, 12, 36)])).figures
    assert math.isnan(figures["pitch_class_entropy"])
    assert math.isnan(figures["polyphony"])
    assert figures["groove_consistency"] == 1
    assert figures["note_density"] == pytest.approx(2 / 4.5)


def test_figures_do_not_depend_on_the_ticks_of_a_file():
    fine = [(20 * start, 20 * length, pitch) for start, length, pitch in TRIAD]
    assert measure(score_of(fine, ticks=480)).figures == measure(score_of(TRIAD)).figures


def test_silence_has_no_figures():
    assert all(math.isnan(value) for value in measure(score_of([])).figures.values())
    assert musical_figures([measure(symusic.Score(24))], Bootstrap(10)) == {}


def test_a_set_overlaps_with_itself_and_not_with_another_octave():
    low, high = ([measure(score_of([(0, 24, pitch), (24, 24, pitch)]))] for pitch in (40, 60))
    bootstrap = Bootstrap(10)
    same = overlap_with(low, low, bootstrap)
    assert {name: area.value for name, area in same.items()} == {
        "pitch": 1, "interval": 1, "duration": 1,
    }  # fmt: skip
    assert overlap_with(low, high, bootstrap)["pitch"].value == 0


@pytest.mark.parametrize("seed", range(5))
def test_random_music_has_muspys_own_values(seed):
    import muspy

    random = np.random.default_rng(seed)
    tracks = [
        list(zip(random.integers(0, 960, 25).tolist(), random.integers(1, 60, 25).tolist(),
                 random.integers(40, 80, 25).tolist(), strict=True))
        for _ in range(2)
    ]  # fmt: skip
    tracks.append(["drums", *((at, 6, 36) for at in random.integers(0, 960, 8).tolist())])
    score = score_of(*tracks)
    music = muspy.Music(
        resolution=RESOLUTION,
        tracks=[
            muspy.Track(
                is_drum=track.is_drum,
                notes=[muspy.Note(note.time, note.pitch, note.duration) for note in track.notes],
            )
            for track in score.tracks
        ],
    )
    bar = 4 * RESOLUTION
    expected = {
        "pitch_class_entropy": muspy.pitch_class_entropy(music),
        "scale_consistency": muspy.scale_consistency(music),
        "groove_consistency": muspy.groove_consistency(music, bar),
        "empty_bar_rate": muspy.empty_measure_rate(music, bar),
        "polyphony": muspy.polyphony(music),
        "polyphony_rate": muspy.polyphony_rate(music),
    }
    found = measure(score).figures
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert set(found) == set(MUSICAL)
