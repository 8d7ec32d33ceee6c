"""Scores lie on a grid; performances do not."""

import numpy as np
import pytest

from symbotunes.music.midi.timing import distance_from_grid

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("division", [24, 48, 96, 100, 220, 384, 480, 1024])
@pytest.mark.parametrize(
    "quarters",
    [
        np.arange(200) / 4,
        np.arange(200) / 3,
        np.arange(200) / 8,
        np.concatenate([np.arange(100) / 4, 25 + np.arange(100) / 6]),
        np.concatenate([np.arange(100) / 8, 12.5 + np.arange(100) / 6]),
    ],
    ids=["sixteenths", "triplets", "thirty-seconds", "triplets and sixteenths", "all"],
)
def test_scores_are_less_than_a_twentieth_of_a_step_away(quarters, division):
    if division % 3 and division < 200 or division == 24:
        quarters = quarters[: len(quarters) // 2]  # coarse resolutions cannot hold mixtures
    onsets = np.round(quarters * division).astype(np.int64)
    assert distance_from_grid(onsets, division) < 0.1


@pytest.mark.parametrize("division", [24, 96, 100, 384, 480, 1024])
def test_free_timing_is_a_quarter_of_a_step_away(division):
    onsets = RANDOM.integers(0, 200 * division, 400)
    assert distance_from_grid(onsets, division) == pytest.approx(0.25, abs=0.04)


def test_a_score_that_is_played_by_hand_to_a_click_is_still_on_the_grid():
    onsets = np.arange(400) * 120 + np.round(RANDOM.normal(0, 12, 400)).astype(np.int64)
    assert distance_from_grid(onsets, 480) < 0.1


def test_nothing_is_on_the_grid():
    assert distance_from_grid(np.zeros(0, np.int64), 480) == 0
