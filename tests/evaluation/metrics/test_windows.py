"""Figures of windows: how many are distinct, and what they copy."""

import numpy as np
import pytest

from symbotunes.evaluation.metrics.bootstrap import Bootstrap
from symbotunes.evaluation.metrics.copying import copies
from symbotunes.evaluation.metrics.tunes import Tunes
from symbotunes.evaluation.metrics.windows import WINDOWS

TRAINING = [np.array([1, 2, 3, 4])]


@pytest.fixture
def measured():
    def measure(*windows):
        ids = [np.array(each) for each in windows]
        shared = copies(TRAINING, ids)
        values, reasons = WINDOWS.measure(Tunes(ids, shared, 2, Bootstrap(10, 0.9, 0)))
        assert set(reasons) == {"grammar_errors", "well_formed"}  # as of drums
        return {name: interval.value for name, interval in values.items()}

    return measure


def test_a_window_counts_once_however_often_it_is_written(measured):
    assert measured([5, 6, 7, 8], [5, 6, 7, 8], [5, 6, 7, 9], [5, 6, 7, 8])["distinct"] == 2 / 4


def test_copies_are_runs_of_tokens_of_a_training_window(measured):
    figures = measured([1, 2, 3, 9], [9, 9, 3, 4])
    assert figures["longest_copy"] == (3 + 2) / 2
    assert figures["copied_share"] == (3 / 4 + 2 / 4) / 2
    assert figures["seen_ngrams"] == 3 / 6  # 12, 23 and 34 of three pairs a window


def test_windows_of_several_tracks_are_distinct_if_one_number_differs(measured):
    assert measured([1, 1, 1, 1], [1, 1, 1, 2])["distinct"] == 1
