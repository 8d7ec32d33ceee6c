import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbotunes.music.grid.decode import decode_drums, decode_melody, decode_trio
from symbotunes.music.grid.drums import SIXTY_ONE_DRUMS, drum_windows
from symbotunes.music.grid.melody import ALL_PITCHES, PIANO, melody_windows
from symbotunes.music.grid.quantize import quantize
from symbotunes.music.grid.trio import trio_windows
from symbotunes.music.midi.notes import read_midi


def read(score):
    """The score, written as a file and read again."""
    return quantize(read_midi(score.dumps_midi()))


def heard(track):
    """(onset, duration, pitch) in steps."""
    return [(note.time / 55, note.duration / 55, note.pitch) for note in track.notes]


def test_a_note_lasts_until_the_next_event_or_the_end():
    ids = np.zeros(16, int)
    ids[[0, 2, 5, 6, 8, 12]] = [1, 41, 1, 1, 43, 43]  # note-offs in silence mean nothing
    (track,) = decode_melody(ids).tracks
    assert heard(track) == [(2, 3, 60), (8, 4, 62), (12, 4, 62)]


def test_scores_are_at_120_in_four_four_and_velocity_80():
    score = decode_melody(np.array([41, 0, 0, 1]), program=7)
    assert score.tempos[0].qpm == pytest.approx(120)
    meter = score.time_signatures[0]
    assert (meter.numerator, meter.denominator) == (4, 4)
    assert [note.velocity for note in score.tracks[0].notes] == [80]
    assert score.tracks[0].program == 7


def test_drums_last_a_step_and_play_the_first_pitch_of_their_class():
    (track,) = decode_drums(np.array([0, 3, 256])).tracks
    assert track.is_drum
    assert sorted(heard(track)) == [(1, 1, 36), (1, 1, 38), (2, 1, 51)]
    (track,) = decode_drums(np.array([1 << 60, 2]), kit=SIXTY_ONE_DRUMS).tracks
    assert sorted(heard(track)) == [(0, 1, 82), (1, 1, 35)]


def test_a_trio_is_piano_electric_bass_and_drums():
    score = decode_trio(np.array([[41, 21, 1], [0, 1, 0]]))
    assert [(track.program, track.is_drum) for track in score.tracks] == [
        (0, False),
        (33, False),
        (0, True),
    ]
    assert [heard(track) for track in score.tracks] == [[(0, 2, 60)], [(0, 1, 40)], [(0, 1, 36)]]


@pytest.mark.parametrize(
    ("decode", "ids"),
    [
        (decode_melody, [90]),
        (decode_melody, [-1]),
        (decode_melody, [[1]]),
        (decode_drums, [512]),
        (decode_trio, [[0, 90, 0]]),
    ],
)
def test_ids_without_meaning_are_refused(decode, ids):
    with pytest.raises(ValueError, match="expected"):
        decode(np.array(ids))


@st.composite
def melodies(draw, bars, classes):
    """Melodies with no note-off in silence, no rest of a bar, and sound in the last bar."""
    steps = 16 * bars
    row = np.zeros(steps, int)
    at = draw(st.integers(0, 15))  # the first bar has a note
    while at < steps:
        row[at] = draw(st.integers(2, classes.count - 1))
        end = at + draw(st.integers(1, 40))
        rest = draw(st.sampled_from([0, 0, 1, 2, 7, 15]))
        is_last = end + rest >= steps
        if end >= steps or (is_last and end <= steps - 16):
            break  # the note rings to the end
        if rest:
            row[end] = 1
        at = end + rest
    return row


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([1, 2, 16]), st.sampled_from([PIANO, ALL_PITCHES]))
def test_melodies_come_back(data, bars, classes):
    row = data.draw(melodies(bars, classes))
    grid = read(decode_melody(row, classes=classes))
    assert melody_windows(grid, bars, classes=classes).rows.tolist() == [row.tolist()]


@st.composite
def hits(draw, bars, most):
    """Drums that begin in the first bar, pause for less than a bar and end in the last."""
    row = np.zeros(16 * bars, np.int64)
    at = draw(st.integers(0, 15))
    while at < len(row):
        row[at] = draw(st.integers(1, most))
        at += draw(st.integers(1, 16))
    return row


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([1, 2, 16]), st.booleans())
def test_drums_come_back(data, bars, all_of_them):
    kit = {"kit": SIXTY_ONE_DRUMS} if all_of_them else {}
    row = data.draw(hits(bars, 2**61 - 1 if all_of_them else 511))
    assert drum_windows(read(decode_drums(row, **kit)), bars, **kit).rows.tolist() == [row.tolist()]


@settings(max_examples=30, deadline=None)
@given(st.data(), st.sampled_from([2, 16]))
def test_trios_come_back(data, bars):
    melody, bass = (data.draw(melodies(bars, PIANO)) for _ in range(2))
    trio = np.stack([melody, bass, data.draw(hits(bars, 511))], axis=1)
    assert trio_windows(read(decode_trio(trio)), bars).rows.tolist() == [trio.tolist()]
