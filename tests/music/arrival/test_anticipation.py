"""Rests and controls among events, compared with the paper's examples and the authors' package."""

from pathlib import Path

import numpy as np
import pytest

from symbotunes.music.arrival.anticipation import anticipated, padded, separated, without_rests
from symbotunes.music.arrival.vocabulary import as_controls, events_of, instruments, times

FILES = Path(__file__).parents[2] / "files" / "arrival"
NONE = np.zeros((0, 3), np.int64)
PIECES = ["trio", "silence"]
CHOICES = {
    "third": lambda events: np.arange(len(events)) % 3 == 1,
    "instrument": lambda events: instruments(events) == 0,
    "span": lambda events: (times(events) >= 1000) & (times(events) < 1500),
}


def stored(name):
    with np.load(FILES / "sequences.npz") as arrays:
        return arrays[name].reshape(-1, 3).astype(np.int64)


def notes_at(*seconds):
    """Notes of pitches 60, 61, ... that last 100 ms."""
    count = len(seconds)
    return events_of(
        (np.array(seconds) * 100).astype(np.int64), np.full(count, 10), 60 + np.arange(count)
    )


def seconds_and_pitches(triplets):
    """Time in seconds and a name of each triplet: its pitch, ``rest``, or ``c`` for a control."""
    names = {27_512: "rest"} | {11_000 + pitch: str(pitch) for pitch in range(128)}
    return [(time / 100, names.get(note, "c")) for time, (_, _, note) in zip(
        times(triplets).tolist(), triplets.tolist(), strict=True
    )]  # fmt: skip


def test_a_control_follows_the_first_event_that_is_at_most_5_s_before_it():
    """Example 3.2 of the paper, where the event at 3 s precedes a control at 7 s."""
    sequence, left = anticipated(notes_at(1, 3, 5), as_controls(notes_at(7)))
    assert seconds_and_pitches(sequence) == [(1, "60"), (3, "61"), (7, "c"), (5, "62")]
    assert not len(left)


def test_a_control_after_all_events_is_left_without_rests_and_placed_with_them():
    """Examples 3.4 and 3.6: no event but the last, at 5 s, is late enough for it."""
    events, controls = notes_at(1, 2, 5), as_controls(notes_at(4.5 + 5))
    sequence, left = anticipated(events, controls)
    assert sequence.tolist() == events.tolist()
    assert left.tolist() == controls.tolist()
    sequence, left = anticipated(padded(events, end=950), controls)
    assert seconds_and_pitches(sequence) == [
        *((1, "60"), (2, "61"), (3, "rest"), (4, "rest"), (5, "62")),
        *((9.5, "c"), (6, "rest"), (7, "rest"), (8, "rest"), (9, "rest")),
    ]
    assert not len(left)


def test_controls_of_the_first_5_s_precede_all_events():
    sequence, _ = anticipated(notes_at(0.5), as_controls(notes_at(5)))
    assert seconds_and_pitches(sequence) == [(5, "c"), (0.5, "60")]


def test_rests_lie_1_s_apart_and_none_at_an_event():
    assert seconds_and_pitches(padded(notes_at(1, 3, 3, 4.5), end=650)) == [
        *((1, "60"), (2, "rest"), (3, "61"), (3, "62"), (4, "rest"), (4.5, "63")),
        (5.5, "rest"),
    ]
    assert padded(NONE).tolist() == []
    assert seconds_and_pitches(padded(NONE, end=250)) == [(1, "rest"), (2, "rest")]


@pytest.mark.parametrize("piece", PIECES)
def test_rests_are_those_of_the_authors(piece):
    events = stored(f"{piece}|events")
    assert padded(events).tolist() == stored(f"{piece}|padded").tolist()
    assert without_rests(padded(events)).tolist() == events.tolist()


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("choice", CHOICES)
def test_anticipation_is_that_of_the_authors(piece, choice):
    events = stored(f"{piece}|events")
    chosen = CHOICES[choice](events)
    plain, controls = events[~chosen], as_controls(events[chosen])
    sequence, left = anticipated(padded(plain, end=int(events[-1, 0])), controls)
    assert sequence.tolist() == stored(f"{piece}|{choice}|anticipated").tolist()
    assert not len(left)
    apart = separated(sequence)
    assert [part.tolist() for part in apart] == [plain.tolist(), controls.tolist()]
    unpadded, left = anticipated(plain, controls)
    assert unpadded.tolist() == stored(f"{piece}|{choice}|unpadded").tolist()
    assert left.tolist() == stored(f"{piece}|{choice}|left").tolist()
