"""Expected ids are those that the paper's repository publishes."""

import numpy as np

from symbotunes.music.arrival import vocabulary as v


def test_the_ids_are_the_published_ones():
    assert (v.TIME, v.DURATION, v.NOTE, v.REST) == (0, 10_000, 11_000, 27_512)
    assert (v.CONTROL, v.CONTROL_DURATION, v.CONTROL_NOTE) == (27_513, 37_513, 38_513)
    assert (v.SEPARATOR, v.AUTOREGRESS, v.ANTICIPATE) == (55_025, 55_026, 55_027)
    assert v.SIZE == 55_028


def test_a_flag_and_a_block_fill_the_published_context():
    assert 1 + v.TRIPLET * v.BLOCK == 1024


def test_a_triplet_is_told_by_its_note_even_if_its_time_exceeds_all_ids():
    drum_hit_after_300_s = [30_000, 10_025, 11_000 + 128 * 128 + 38]
    control_after_300_s = [57_513, 37_538, 38_513 + 128 * 5 + 60]
    rest = [400, 10_000, 27_512]
    separator = [55_025] * 3
    triplets = np.array([drum_hit_after_300_s, control_after_300_s, rest, separator])
    assert v.is_note(triplets).tolist() == [True, False, False, False]
    assert v.is_control(triplets).tolist() == [False, True, False, False]
    assert v.is_rest(triplets).tolist() == [False, False, True, False]
    assert v.is_separator(triplets).tolist() == [False, False, False, True]
    assert v.times(triplets)[:3].tolist() == [30_000, 30_000, 400]
    assert v.durations(triplets)[:3].tolist() == [25, 25, 0]
    assert v.instruments(triplets)[:2].tolist() == [128, 5]
    assert v.pitches(triplets)[:2].tolist() == [38, 60]


def test_controls_become_events_again_and_the_rest_stays():
    events = v.events_of(np.array([7, 8]), np.array([0, 999]), np.array([60, 128 * 128 + 127]))
    assert events.tolist() == [[7, 10_000, 11_060], [8, 10_999, 27_511]]
    mixed = np.concatenate([v.as_controls(events), events, [[9, 10_000, 27_512], [55_025] * 3]])
    assert v.as_events(mixed).tolist() == [*events.tolist() * 2, [9, 10_000, 27_512], [55_025] * 3]
