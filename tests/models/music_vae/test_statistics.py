"""What is counted in the windows that a MusicVAE writes."""

import numpy as np

from symbotunes.evaluation.windows.measuring import _statistics
from symbotunes.generation.latent.player import LatentPlayer
from symbotunes.tokenizers.windows import Melody

HOLD, OFF, C4, E4, C5 = 0, 1, 2 + 60 - 21, 2 + 64 - 21, 2 + 72 - 21


def window(*steps):
    return np.array([*steps, *[HOLD] * (32 - len(steps))])


def test_pitches_intervals_and_durations_of_windows_by_hand(make):
    player = LatentPlayer(make("music_vae"), Melody(), batch_size=4)
    several = window(C4, HOLD, C5, HOLD, E4, OFF)
    alone, silent = window(C4, OFF), window()
    found = _statistics(player, [several, alone, silent])
    assert found["melody: pitch"] == [[60, 72, 64], [60], []]
    assert found["melody: semitones to the next"] == [[12, 8], [], []]
    assert found["melody: sixteenths"] == [[2, 2, 1], [1], []]
