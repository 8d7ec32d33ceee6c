import numpy as np
import pytest

from symbotunes.music.grid.quantize import quantize
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.notes import read_midi
from tests.music.events import meter, midi, notes, tempo


def grid(*tracks, ticks_per_quarter=4):
    return quantize(read_midi(midi(*tracks, ticks_per_quarter=ticks_per_quarter)))


def test_halves_are_rounded_up_and_no_note_vanishes():
    # 16 ticks per quarter: a step is 4 ticks, so ticks 1, 2 and 6 lie at 0.25, 0.5 and 1.5 steps.
    found = grid(notes((1, 2, 60), (2, 6, 62), (6, 7, 64)), ticks_per_quarter=16)
    assert found.start.tolist() == [0, 1, 2]
    assert found.end.tolist() == [1, 2, 3]  # the last began and ended at 2, and lasts a step


@pytest.mark.parametrize("tempo_us", [333_333, 428_571, 461_538, 500_000, 777_777, 1_234_567])
@pytest.mark.parametrize("resolution", [96, 192, 220, 384, 480, 960])
def test_ticks_on_the_grid_stay_on_it_at_every_tempo(resolution, tempo_us):
    step = resolution // 4
    line = [(i * step, i * step + step, 60 + i % 2) for i in range(400)]
    found = grid([tempo(0, tempo_us), *notes(*line)], ticks_per_quarter=resolution)
    assert found.start.tolist() == list(range(400))
    assert found.end.tolist() == list(range(1, 401))


def test_a_change_of_tempo_begins_a_section_and_cuts_the_note_that_sounds():
    found = grid([*notes((0, 7, 60)), tempo(8, 250_000), *notes((8, 40, 62), (40, 48, 64))])
    assert found.section.tolist() == [0, 1, 1]
    assert found.start.tolist() == [0, 0, 32]
    assert found.end.tolist() == [7, 32, 40]
    held = grid([tempo(8, 250_000)], notes((4, 24, 60)), notes((10, 12, 62)))
    assert held.section.tolist() == [0, 1]
    assert held.end.tolist() == [8, 4]  # the rest of the first note is lost


def test_the_same_tempo_and_meter_again_change_nothing():
    again = [tempo(0, 500_000), meter(0, 4, 4), tempo(8, 500_000), meter(8, 4, 4)]
    assert grid(again, notes((0, 16, 60))).end.tolist() == [16]


def test_changes_that_cancel_each_other_begin_a_section_all_the_same():
    both = [meter(8, 3, 4), meter(8, 4, 4)]
    assert grid(both, notes((0, 16, 60))).end.tolist() == [8]


def test_changes_after_the_last_note_begin_no_section():
    found = grid([meter(16, 3, 4)], notes((0, 16, 60)))
    assert found.section.tolist() == [0]


def test_only_bars_of_four_quarters_count():
    meters = [meter(0, 3, 4), meter(12, 2, 2), meter(28, 8, 8), meter(44, 6, 8), meter(56, 4, 4)]
    line = notes(*[(at, at + 1, 60) for at in (0, 12, 28, 44, 56)])
    found = grid(meters, line)
    assert found.section.tolist() == [1, 2, 4]
    assert found.start.tolist() == [0, 0, 0]


def test_four_four_is_meant_where_no_meter_is_given():
    assert grid([meter(16, 3, 4)], notes((0, 4, 60), (16, 20, 60))).section.tolist() == [0]


def test_music_in_other_meters_alone_is_refused():
    with pytest.raises(MidiError) as caught:
        grid([meter(0, 3, 4)], notes((0, 4, 60)))
    assert caught.value.reason == "no bar of 4/4: the meter is 3/4"


def test_transposing_deletes_what_leaves_the_range_of_midi_and_spares_drums():
    found = grid(notes((0, 1, 120), (2, 3, 60)), notes((0, 1, 36), channel=9))
    higher = found.transposed(10)
    assert higher.pitch.tolist() == [70, 36]
    assert higher.is_drum.tolist() == [False, True]
    lower = found.transposed(-61)
    assert sorted(lower.pitch.tolist()) == [36, 59]
    assert np.array_equal(found.transposed(0).pitch, found.pitch)
