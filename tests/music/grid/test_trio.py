import numpy as np
import pytest

from symbotunes.music.grid.quantize import quantize
from symbotunes.music.grid.trio import trio_windows
from symbotunes.music.midi.notes import read_midi
from tests.music.events import midi, notes, program, tempo

MELODY, BASS, DRUMS = (0, 0), (1, 33), (9, 0)  # channel and program


def part(role, *bars, pitch=60, channel=None):
    """A track with a quarter note at the beginning of each of the bars."""
    channel, number = role[0] if channel is None else channel, role[1]
    line = notes(*[(16 * bar, 16 * bar + 4, pitch) for bar in bars], channel=channel)
    return [program(0, number, channel), *line]


def trios(*tracks, bars=4, **options):
    rows = trio_windows(quantize(read_midi(midi(*tracks))), bars, **options).rows
    assert rows.dtype == np.uint16
    assert rows.shape[1:] == (16 * bars, 3)
    return rows


def count(*tracks, bars=4):
    return len(trios(*tracks, bars=bars))


def test_a_trio_is_melody_bass_and_drums_side_by_side():
    tracks = part(MELODY, 0, 1), part(BASS, 0, 1, pitch=40), part(DRUMS, 0, 1, pitch=38)
    (found,) = trios(*tracks, bars=2)
    assert {int(step): found[step].tolist() for step in np.flatnonzero(found.any(axis=1))} == {
        0: [41, 21, 2],
        4: [1, 1, 0],
        16: [41, 21, 2],
        20: [1, 1, 0],
    }


def test_a_window_may_begin_with_a_note_off_and_a_part_that_ends_gets_one():
    held = [program(0, 0), *notes((0, 32, 60))]  # ends exactly at the third bar
    tracks = held, part(BASS, 0, 1, 2, 3), part(DRUMS, 0, 1, 2, 3, pitch=36)
    found = trios(*tracks, bars=2)
    assert len(found) == 3
    assert [int(row[0, 0]) for row in found] == [41, 0, 1]


@pytest.mark.parametrize("missing", [MELODY, BASS, DRUMS])
def test_a_part_that_is_missing_leaves_no_trio(missing):
    tracks = [part(role, 0, 1, 2, 3) for role in (MELODY, BASS, DRUMS) if role != missing]
    assert count(*tracks) == 0
    assert count(*tracks, part(missing, 0, 1, 2, 3)) == 1


def test_programs_from_40_on_play_in_no_trio():
    tracks = part((0, 40), 0, 1, 2, 3), part(BASS, 0, 1, 2, 3), part(DRUMS, 0, 1, 2, 3)
    assert count(*tracks) == 0


def test_every_melody_meets_every_bass_and_every_drum_track():
    bars = range(5)
    melodies = [part(MELODY, *bars, pitch=pitch) for pitch in (60, 62, 64)]
    basses = [part(BASS, *bars, pitch=pitch) for pitch in (40, 41)]
    drums = [part(DRUMS, *bars, pitch=pitch) for pitch in (36, 38)]
    found = trios(*melodies, *basses, *drums)
    assert len(found) == 3 * 2 * 2 * 2  # the last for two windows of four of the five bars
    heads = [tuple(row[0].tolist()) for row in found[::2]]
    assert heads == [(m, b, d) for m in (41, 43, 45) for b in (21, 22) for d in (1, 2)]


def test_windows_that_repeat_each_other_are_kept_unless_told_otherwise():
    tracks = part(MELODY, *range(8)), part(BASS, *range(8)), part(DRUMS, *range(8), pitch=36)
    assert len(trios(*tracks)) == 5
    assert len(trios(*tracks, unique=True)) == 1
    assert len(trios(*tracks, limit=2)) == 2
    assert len(trios(*tracks, limit=2, generator=np.random.default_rng(0))) == 2


def test_a_part_may_rest_for_four_bars_but_not_for_five():
    full = part(BASS, *range(20)), part(DRUMS, *range(20), pitch=36)
    # Silent in bars 8 to 11, each within two bars of a bar that sounds.
    assert count(part(MELODY, *range(8), *range(12, 20)), *full) == 17
    # Silent in bars 8 to 12: bar 10 is not covered, and no window of four may hold it.
    assert count(part(MELODY, *range(8), *range(13, 20)), *full) == 13


def test_near_the_ends_of_the_section_one_part_is_enough():
    full = part(BASS, *range(20)), part(DRUMS, *range(20), pitch=36)
    # The melody covers bars 2 to 17; in the first and last two bars the others suffice.
    assert count(part(MELODY, *range(4, 16)), *full) == 17
    # It covers bars 3 to 16: three windows hold bar 2, three hold bar 17.
    assert count(part(MELODY, *range(5, 15)), *full) == 17 - 3 - 3


def test_notes_out_of_range_cover_but_a_part_of_them_alone_does_not_play():
    full = part(BASS, *range(4)), part(DRUMS, *range(4), pitch=36)
    high = part(MELODY, *range(4), pitch=120)
    assert count(high, *full) == 0
    both = [*part(MELODY, 0), *notes(*[(16 * bar, 16 * bar + 4, 120) for bar in range(1, 4)])]
    assert count(sorted(both, key=lambda event: event[0]), *full) == 1
    unknown = part(DRUMS, *range(4), pitch=100)
    assert count(part(MELODY, *range(4)), part(BASS, *range(4)), unknown) == 0


def test_sections_are_taken_one_by_one():
    tracks = part(MELODY, *range(8)), part(BASS, *range(8)), part(DRUMS, *range(8), pitch=36)
    assert count([tempo(64, 400_000)], *tracks) == 2  # two sections of four bars
    assert count([tempo(48, 400_000)], *tracks) == 2  # three bars are too few, five are two windows


def test_only_the_first_1024_bars_of_a_section_count():
    bars = range(1040)
    tracks = part(MELODY, *bars), part(BASS, *bars), part(DRUMS, *bars, pitch=36)
    assert count(*tracks, bars=16) == 1024 - 16 + 1


def test_transposition_moves_melody_and_bass_but_not_drums():
    tracks = part(MELODY, *range(4)), part(BASS, *range(4), pitch=40), part(DRUMS, *range(4))
    found = trios(*tracks[:2], part(DRUMS, *range(4), pitch=36), transpose=3)
    assert found[0, 0].tolist() == [44, 24, 1]
