import numpy as np
import pytest

from symbotunes.music.grid.melody import ALL_PITCHES, PIANO, melody_windows
from symbotunes.music.grid.quantize import quantize
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.notes import read_midi
from tests.music.events import midi, notes, program, tempo

C4 = 60 - 21 + 2  # class of middle C


def melodies(*tracks, bars=1, **options):
    """Windows as {step: class} of what is not 'no event'."""
    rows = melody_windows(quantize(read_midi(midi(*tracks))), bars, **options).rows
    assert rows.dtype == np.uint8
    assert rows.shape[1] == 16 * bars
    return [{int(step): int(row[step]) for step in np.flatnonzero(row)} for row in rows]


def test_a_melody_is_notes_holds_and_note_offs():
    found = melodies(notes((0, 4, 60), (4, 6, 62), (8, 16, 64)))
    assert found == [{0: C4, 4: C4 + 2, 6: 1, 8: C4 + 4}]  # nothing is written at 16, the next bar


def test_a_melody_that_ends_within_its_bar_ends_with_a_note_off():
    assert melodies(notes((0, 5, 60))) == [{0: C4, 5: 1}]


def test_of_notes_that_begin_together_the_highest_is_kept_and_a_later_note_cuts_it_off():
    assert melodies(notes((0, 8, 60), (0, 16, 67), (0, 2, 64), (4, 6, 50))) == [
        {0: C4 + 7, 4: C4 - 10, 6: 1}
    ]


def test_a_rest_of_a_bar_ends_the_melody_and_a_shorter_one_does_not():
    one = notes((0, 4, 60), (19, 20, 62))
    assert melodies(one, bars=2) == [{0: C4, 4: 1, 19: C4 + 2, 20: 1}]
    two = notes((0, 4, 60), (20, 21, 62))
    assert melodies(two, bars=2) == []
    assert melodies(two, bars=1) == [{0: C4, 4: 1}, {4: C4 + 2, 5: 1}]


def test_windows_slide_by_bars_and_lose_the_note_off_of_what_began_before():
    line = notes((0, 20, 60), (24, 40, 62), (40, 48, 64))
    assert melodies(line, bars=2) == [
        {0: C4, 20: 1, 24: C4 + 2},
        {8: C4 + 2, 24: C4 + 4},  # begins in bar 2: the note-off at 4 is gone
    ]


def test_equal_windows_of_a_section_are_one_and_of_two_sections_two():
    bar = [(0, 4, 60), (8, 16, 62)]
    line = [(a + 16 * i, b + 16 * i, p) for i in range(4) for a, b, p in bar]
    assert len(melodies(notes(*line))) == 1
    halves = [tempo(0, 500_000), tempo(32, 400_000)]
    assert len(melodies(halves, notes(*line))) == 2
    assert len(melodies(halves, notes(*line), unique=True)) == 1


def test_pitches_outside_the_piano_are_passed_over_and_the_paper_has_all():
    line = notes((0, 2, 20), (4, 6, 21), (8, 10, 108), (12, 14, 109))
    assert melodies(line) == [{4: 2, 6: 1, 8: 89, 10: 1}]
    everything = melodies(line, classes=ALL_PITCHES)
    assert everything == [{0: 22, 2: 1, 4: 23, 6: 1, 8: 110, 10: 1, 12: 111, 14: 1}]
    assert (PIANO.count, ALL_PITCHES.count) == (90, 130)


def test_programs_choose_instruments_and_drums_are_never_melodies():
    tracks = [
        [program(0, 31, 0), *notes((0, 16, 60))],
        [program(0, 32, 1), *notes((0, 16, 62), channel=1)],
        notes((0, 16, 64), channel=9),
    ]
    assert melodies(*tracks) == [{0: C4}]
    assert melodies(*tracks, programs=range(32, 40)) == [{0: C4 + 2}]
    assert melodies(*tracks, programs=None) == [{0: C4}, {0: C4 + 2}]


def test_melodies_are_cut_after_100_bars_and_not_taken_up_again():
    line = [(16 * bar, 16 * bar + 16, 30 + bar % 70) for bar in range(130)]
    found = melodies(notes(*line), bars=100)
    assert len(found) == 1
    assert len(melodies(notes(*[(a, b, 30 + a // 16 % 70) for a, b, _ in line]), bars=99)) == 2


def test_transposition_deletes_and_then_the_range_is_applied():
    line = notes((0, 4, 60), (4, 8, 100), (8, 12, 120))
    assert melodies(line, transpose=5) == [{0: C4 + 5, 4: 105 - 19, 8: 1}]
    assert melodies(line, transpose=-15) == [{0: C4 - 15, 4: 85 - 19, 8: 105 - 19, 12: 1}]


def test_a_limit_takes_the_first_or_draws_evenly():
    line = [(16 * i, 16 * i + 16, 40 + i) for i in range(10)]
    assert melodies(notes(*line), limit=3) == [{0: 40 - 19 + i} for i in range(3)]
    counts = np.zeros(10)
    random = np.random.default_rng(0)
    grid = quantize(read_midi(midi(notes(*line))))
    for _ in range(400):
        rows = melody_windows(grid, 1, limit=3, generator=random).rows
        counts[rows[:, 0] - 21] += 1
    assert counts.sum() == 1200
    assert counts.min() > 85  # 120 expected, deviation 9


def test_an_endless_note_costs_no_memory_and_absurd_files_are_refused():
    day = 16 * 40_000
    assert len(melodies(notes((0, day, 60)))) == 2  # a bar with the note, and one that holds it
    tracks = [[program(0, n % 128, n % 9), *notes((0, day, 60), channel=n % 9)] for n in range(700)]
    with pytest.raises(MidiError, match="too long"):
        melodies(*tracks, programs=None)
