import numpy as np

from symbotunes.music.grid.drums import NINE_DRUMS, SIXTY_ONE_DRUMS, drum_bits, drum_windows
from symbotunes.music.grid.quantize import quantize
from symbotunes.music.midi.notes import read_midi
from tests.music.events import midi, notes


def drums(*hits, bars=1, tracks=(), **options):
    """Windows as {step: number} of hits (step, pitch)."""
    track = notes(*[(step, step + 1, pitch) for step, pitch in hits], channel=9)
    rows = drum_windows(quantize(read_midi(midi(track, *tracks))), bars, **options).rows
    return [{int(step): int(row[step]) for step in np.flatnonzero(row)} for row in rows]


def test_a_class_is_the_sum_of_what_is_hit_together():
    assert drums((0, 36), (0, 42), (4, 38), (8, 35), (12, 53)) == [{0: 5, 4: 2, 8: 1, 12: 256}]


def test_all_drum_tracks_sound_together_and_nothing_else_does():
    more = notes((0, 1, 38), channel=9), notes((4, 5, 36))
    assert drums((0, 36), tracks=more) == [{0: 3}]


def test_unknown_pitches_are_passed_over():
    assert drums((0, 36), (4, 100), (8, 22), (12, 26)) == [{0: 1, 8: 4, 12: 8}]
    assert drums((0, 36), (8, 22), (12, 26), kit=SIXTY_ONE_DRUMS) == [{0: 1}]


def test_sixteen_empty_steps_end_a_stretch_and_fifteen_do_not():
    assert drums((0, 36), (16, 36), bars=2) == [{0: 1, 16: 1}]
    assert drums((8, 36), (24, 36), bars=2) == [{8: 1, 24: 1}]
    assert drums((8, 36), (25, 36), bars=2) == []
    assert drums((8, 36), (25, 36)) == [{8: 1}, {9: 1}]


def test_the_kits_are_those_of_the_reference():
    assert [len(pitches) for pitches in NINE_DRUMS] == [2, 15, 11, 7, 7, 7, 5, 5, 4]
    assert [pitches[0] for pitches in NINE_DRUMS] == [36, 38, 42, 46, 45, 48, 50, 49, 51]
    assert len(SIXTY_ONE_DRUMS) == len(set(SIXTY_ONE_DRUMS)) == 61
    both = {pitch for drum in NINE_DRUMS for pitch in drum}
    assert both - {pitch for (pitch,) in SIXTY_ONE_DRUMS} == {22, 26}


def test_bits_say_the_same_as_numbers():
    ids = np.array([[0, 1, 256, 511]])
    bits = drum_bits(ids)
    assert bits.shape == (1, 4, 9)
    assert bits[0].sum(axis=1).tolist() == [0, 1, 1, 9]
    assert bits[0, 2].tolist() == [False] * 8 + [True]
    far = drum_bits(np.array([1 << 60, (1 << 61) - 1, 0]), 61)
    assert far[0].nonzero()[0].tolist() == [60]
    assert far.sum(axis=1).tolist() == [1, 61, 0]
