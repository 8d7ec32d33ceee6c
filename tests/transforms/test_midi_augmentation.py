"""Augmentation of MIDI pieces."""

import pytest
import symusic

from symbotunes.errors import UserError
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.transforms.midi_augmentation import TimeStretch, TransposeMidi, Velocity
from tests.tokenizers.midi_scores import notes_of, piece_of, score_of

MELODY = [(0, 8, 60, 80), (8, 3, 67, 100)]
DRUMS = [(0, 1, 38, 127)]
PIECE = piece_of({0: MELODY, -1: DRUMS})


def melody_of(version):
    return [note[1:] for note in notes_of(version.score) if note[0] >= 0]


def drums_of(version):
    return [note[1:] for note in notes_of(version.score) if note[0] < 0]


# -- pitch ----------------------------------------------------------------------------------


def test_every_interval_gives_a_version_and_drums_stay():
    versions = TransposeMidi([-2, 0, 3])(PIECE)
    pitches = [[note[2] for note in melody_of(version)] for version in versions]
    assert pitches == [[58, 65], [60, 67], [63, 70]]
    assert all(drums_of(version) == DRUMS for version in versions)
    assert versions[1].data == PIECE.data


def test_a_version_that_leaves_the_range_is_left_out():
    versions = TransposeMidi([-1, 0, 1], lowest=60, highest=68)(PIECE)
    assert [melody_of(version)[0][2] for version in versions] == [60, 61]


def test_a_piece_beyond_the_range_is_kept_where_it_is():
    versions = TransposeMidi([-1, 0, 1], lowest=64)(PIECE)
    assert [version.data for version in versions] == [PIECE.data]


def test_key_signatures_move_along():
    score = score_of({0: MELODY})
    score.key_signatures.append(symusic.KeySignature(0, 1, 0))  # one sharp: G major
    piece = MidiPiece("x", bytes(score.dumps_midi()))
    keys = [
        version.score.key_signatures[0].key
        for version in TransposeMidi([-2, 0, 1, 2, 12])(piece)
    ]  # fmt: skip
    assert keys == [-1, 1, -4, 3, 1]  # F, G, A flat, A, G


# -- time -----------------------------------------------------------------------------------


def test_times_are_multiplied_and_the_tempo_is_kept():
    versions = TimeStretch([0.5, 1, 1.5])(PIECE)
    times = [[note[:2] for note in melody_of(version)] for version in versions]
    assert times == [[(0, 4), (4, 1.5)], [(0, 8), (8, 3)], [(0, 12), (12, 4.5)]]
    assert [drums_of(version)[0][1] for version in versions] == [0.5, 1, 1.5]
    assert [version.score.tempos[0].qpm for version in versions] == [120, 120, 120]


def test_stretching_by_a_twentieth_is_exact():
    longer, _ = TimeStretch([1.05])(piece_of({0: MELODY}, division=480))
    assert [note[1] for note in notes_of(longer.score, 480)] == pytest.approx([0, 8.4])


def test_where_no_clock_is_fine_enough_times_are_rounded():
    longer, _ = TimeStretch([1.01])(piece_of({0: [(9600, 960, 60, 80)]}, division=960))
    assert longer.score.ticks_per_quarter <= 32767
    assert notes_of(longer.score, 960)[0][1:3] == pytest.approx((9696, 969.6), abs=1)


# -- velocity -------------------------------------------------------------------------------


def test_velocities_are_scaled_shifted_and_clipped():
    versions = Velocity([-90, 0, 30], [1.0, 0.5])(PIECE)
    assert [[note[3] for note in melody_of(version)] for version in versions] == [
        [1, 10], [80, 100], [110, 127], [1, 1], [40, 50], [70, 80],
    ]  # fmt: skip


def test_equal_versions_are_made_once():
    versions = Velocity([0, 100, 110])(piece_of({0: [(0, 8, 60, 120)]}))
    assert [melody_of(version)[0][3] for version in versions] == [120, 127]


# -- all of them ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step",
    [TransposeMidi([0, 2]), TimeStretch([1, 2]), Velocity([0, 9])],
    ids=["pitch", "time", "velocity"],
)
def test_versions_differ_are_the_same_every_time_and_belong_to_one_family(step):
    first, second = step(PIECE)
    assert first.content() == PIECE.content()
    assert second.data != first.data
    assert [version.data for version in step(PIECE)] == [first.data, second.data]
    assert first.family == second.family == PIECE.content()
    assert (second.id, second.title, second.split) == (PIECE.id, PIECE.title, PIECE.split)
    again = step(second)[1]
    assert again.family == PIECE.content()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TransposeMidi([]), "semitones needs at least one value"),
        (lambda: TransposeMidi([1.5]), "whole numbers"),
        (lambda: TransposeMidi([1], lowest=90, highest=20), "must be below highest"),
        (lambda: TimeStretch([9]), "between 0.25 and 4"),
        (lambda: Velocity([0], [-1]), "above 0"),
    ],
)
def test_values_that_make_no_sense_are_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()


@pytest.mark.parametrize(
    ("semitones", "sides"),
    [
        ([0, 2], {60: "", 62: "train"}),
        ([-1, 2], {59: "train", 62: "train", 60: "held-out"}),
    ],
)
def test_what_is_held_out_is_the_piece_as_it_was_found(semitones, sides):
    versions = TransposeMidi(semitones)(PIECE)
    assert {melody_of(version)[0][2]: version.only for version in versions} == sides


def test_steps_in_a_row_leave_one_version_to_hold_out():
    versions = [last for first in TransposeMidi([1, 2])(PIECE) for last in Velocity([-9, 9])(first)]
    held_out = [version for version in versions if version.only != "train"]
    assert [version.data for version in held_out] == [PIECE.data]
    assert len(versions) == 2 * 2 + 1
