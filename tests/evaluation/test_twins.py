"""Held-out music that training has, too, is told apart."""

from dataclasses import replace

import numpy as np
import pytest

from symbotunes.data.cache.encoded import Encoded
from symbotunes.data.split import SPLITS
from symbotunes.evaluation.twins import related, window_twins
from symbotunes.tokenizers.windows import Drums, Melody, Trio

HOLD, OFF = 0, 1


def corpus(training, held_out, folder, families=None):
    windows = np.concatenate([training, held_out])
    count = len(windows)
    flat = windows.reshape(-1, *windows.shape[2:])
    splits = ["train"] * len(training) + ["test"] * len(held_out)
    return Encoded(
        folder=folder,
        about={"fingerprint": "x"},
        shards=(flat,),
        starts=np.arange(count + 1) * windows.shape[1],
        splits=np.array([SPLITS.index(split) for split in splits], np.uint8),
        owners=np.arange(count, dtype=np.int32),
        relatives=np.array(families if families is not None else range(count), np.int32),
    )


def melody(*pitches):
    """A window of two bars that begins with these classes."""
    return np.array([*pitches, *[HOLD] * (32 - len(pitches))])


def test_a_melody_is_found_in_its_own_key_and_in_others(tmp_path):
    training = np.stack([melody(40, HOLD, 44, OFF, 40), melody(50, 50)])
    held_out = np.stack(
        [
            melody(40, HOLD, 44, OFF, 40),  # the same
            melody(47, HOLD, 51, OFF, 47),  # a fifth up
            melody(40, HOLD, 43, OFF, 40),  # another interval
            melody(40, 44, HOLD, OFF, 40),  # another rhythm
            melody(89, 89),  # the highest pitch
            melody(),  # silence
        ]
    )
    found = window_twins(Melody(bars=2), corpus(training, held_out, tmp_path), held_out)
    assert found.exact.tolist() == [True, False, False, False, False, False]
    assert found.in_some_key.tolist() == [True, True, False, False, True, False]


def test_the_parts_of_a_trio_move_together_and_its_drums_stay(tmp_path):
    def trio(melody, bass, drums):
        return np.array([(melody, bass, drums), *[(HOLD, HOLD, 0)] * 31])

    held_out = np.stack([trio(45, 25, 3), trio(45, 20, 3), trio(45, 25, 4)])
    encoded = corpus(trio(40, 20, 3)[None], held_out, tmp_path)
    found = window_twins(Trio(bars=2), encoded, held_out)
    assert found.in_some_key.tolist() == [True, False, False]
    assert not found.exact.any()


def test_drums_have_no_key(tmp_path):
    held_out = np.stack([melody(3, 0, 7), melody(4, 0, 8)])
    found = window_twins(Drums(bars=2), corpus(held_out[:1], held_out, tmp_path), held_out)
    assert found.exact.tolist() == found.in_some_key.tolist() == [True, False]


@pytest.mark.parametrize("at_once", [1, 1000])
def test_all_training_windows_are_looked_at(tmp_path, monkeypatch, at_once):
    monkeypatch.setattr("symbotunes.evaluation.twins.AT_ONCE", at_once)
    training = np.stack([melody(pitch, pitch + 1, 30) for pitch in range(40, 60)])
    encoded = corpus(training, training[::2], tmp_path)
    assert window_twins(Melody(bars=2), encoded, training[::2]).exact.all()


def test_a_piece_of_which_a_version_is_trained_on_is_told(tmp_path):
    windows = np.stack([melody(40 + index) for index in range(4)])
    encoded = corpus(windows[:2], windows[2:], tmp_path, families=[0, 1, 1, 2])
    assert related(encoded, encoded.examples("test")).tolist() == [True, False]
    apart = replace(encoded, relatives=np.arange(4, dtype=np.int32))
    assert not related(apart, apart.examples("test")).any()
