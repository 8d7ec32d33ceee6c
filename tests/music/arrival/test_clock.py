"""Times of excerpts and of clocks that start anew every 100 s."""

from pathlib import Path

import numpy as np
import pytest

from symbotunes.music.arrival.anticipation import padded
from symbotunes.music.arrival.clock import clipped, fits, moved, rebased, unwrapped, wrapped
from symbotunes.music.arrival.vocabulary import (
    MAX_TIME,
    SEPARATOR,
    as_controls,
    durations,
    events_of,
    is_control,
    times,
)

FILES = Path(__file__).parents[2] / "files" / "arrival"
BREAK = np.full((1, 3), SEPARATOR)


def notes_at(*units, duration=10):
    return events_of(np.array(units), np.full(len(units), duration), 60 + np.arange(len(units)))


@pytest.mark.parametrize("name", ["trio|third", "silence|instrument", "trio|span"])
@pytest.mark.parametrize("shift", [0, 9_500, 29_000])
def test_a_clock_of_100_s_loses_no_time(name, shift):
    with np.load(FILES / "sequences.npz") as arrays:
        sequence = arrays[f"{name}|anticipated"].reshape(-1, 3).astype(np.int64)
    silence = padded(np.zeros((0, 3), np.int64), end=shift + 50)
    piece = np.concatenate([silence, moved(sequence, shift)])
    assert is_control(piece).any()
    clock = wrapped(piece)
    assert times(clock).max() < MAX_TIME
    assert unwrapped(clock).tolist() == piece.tolist()


def test_a_control_beyond_the_turn_of_the_clock_and_one_before_it_keep_their_places():
    piece = np.concatenate(
        [
            padded(notes_at(9_900)),
            as_controls(notes_at(10_350)),
            notes_at(10_010),
            as_controls(notes_at(9_990)),
            notes_at(10_020),
        ]
    )
    assert times(wrapped(piece)).tolist()[-5:] == [9_900, 350, 10, 9_990, 20]
    assert unwrapped(wrapped(piece)).tolist() == piece.tolist()


def test_times_that_never_go_back_are_left_as_they_are():
    piece = notes_at(0, 9_000, 27_600, 65_600)
    assert unwrapped(piece).tolist() == piece.tolist()


def test_an_excerpt_begins_at_0_with_its_earliest_control_or_event_until_another_piece_begins():
    excerpt = np.concatenate([notes_at(700), as_controls(notes_at(650)), BREAK, notes_at(300)])
    assert rebased(excerpt).tolist() == [
        [50, 10_010, 11_060],
        [27_513, 37_523, 38_573],
        [SEPARATOR] * 3,
        [300, 10_010, 11_060],
    ]
    begins = np.concatenate([BREAK, notes_at(300)])
    assert rebased(begins).tolist() == begins.tolist()


def test_an_excerpt_of_100_s_does_not_fit():
    assert fits(notes_at(0, 9_999))
    assert not fits(notes_at(0, 10_000))
    assert not fits(np.concatenate([as_controls(notes_at(10_000)), BREAK]))
    assert fits(BREAK)


def test_a_clip_keeps_both_ends_and_ends_notes_with_it():
    piece = notes_at(499, 500, 800, 1_000, 1_001, duration=300)
    assert times(clipped(piece, 5, 10)).tolist() == [500, 800, 1_000]
    assert durations(clipped(piece, 5, 10)).tolist() == [300, 200, 0]
    assert durations(clipped(piece, 5, 10, whole_durations=True)).tolist() == [300] * 3
