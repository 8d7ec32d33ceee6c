"""Likelihoods of arrival times: which windows are read, and the figures of the authors."""

import math

import numpy as np
import pytest

from symbotunes.evaluation.metrics.blocks import block_figures
from symbotunes.evaluation.sequences import arrival
from symbotunes.evaluation.sequences.arrival import measure_blocks, piece_nats
from symbotunes.music.arrival.anticipation import padded
from symbotunes.music.arrival.clock import wrapped
from symbotunes.music.arrival.vocabulary import AUTOREGRESS, MAX_TIME, events_of

LOG_2 = math.log(2)


def piece(count, gap, first=0):
    """Ids of a piece as prepared: notes of pitches in turn, `gap` units apart."""
    onsets = first + gap * np.arange(count)
    events = events_of(onsets, np.full(count, 10), np.arange(count) % 128)
    return wrapped(padded(events)).flatten()


@pytest.fixture
def windows(monkeypatch):
    """What is given to the network, whose loss of each token is its id, in thousands."""
    read = []

    def ids_as_nats(net, sequences, vocabulary_size):
        read.extend(np.asarray(sequence) for sequence in sequences)
        return [np.asarray(sequence)[1:] / 1000 for sequence in sequences]

    monkeypatch.setattr(arrival, "token_nats", ids_as_nats)
    return read


def test_a_short_piece_is_one_window_with_its_own_times(windows):
    ids = piece(300, 20, first=50)
    assert (piece_nats(None, ids) * 1000).tolist() == pytest.approx(ids.tolist())
    (window,) = windows
    assert window.tolist() == [AUTOREGRESS, *ids.tolist()]


@pytest.mark.parametrize(("count", "gap"), [(1000, 10), (400, 25), (350, 70), (120, 500)])
def test_each_token_of_a_long_piece_is_scored_once_and_all_times_are_ids(windows, count, gap):
    ids = piece(count, gap)
    nats = np.rint(piece_nats(None, ids) * 1000)
    assert len(nats) == len(ids)
    assert nats[1::3].tolist() == ids[1::3].tolist()  # durations and notes do not depend on windows
    assert nats[2::3].tolist() == ids[2::3].tolist()
    for window in windows:
        onsets = window[1::3]
        assert len(window) <= 1024
        assert window[0] == AUTOREGRESS
        assert (np.diff(onsets) >= 0).all()
        assert onsets.max() < MAX_TIME
    assert all(window[1] == 0 for window in windows[1:])  # times count from the earliest


def test_a_window_keeps_as_much_of_the_past_as_the_network_reads(windows):
    piece_nats(None, piece(1000, 10))
    assert {len(window) for window in windows} == {1024}
    assert len(windows) == 1 + -(-(1000 - 341) // 85)


def test_perplexities_and_bits_are_those_of_the_three_slots():
    nats = np.tile(np.log([2.0, 3.0, 5.0]), (4, 341))
    figures = block_figures(nats, seconds=682.0, dropped=1)
    assert (figures.onset, figures.duration, figures.note) == pytest.approx((2, 3, 5))
    assert figures.event == pytest.approx(30)
    assert figures.bits_per_second == pytest.approx(4 * 341 * math.log2(30) / 682)
    assert (figures.blocks, figures.dropped) == (4, 1)
    assert str(figures) == (
        "perplexity of event 30.00, onset 2.000, duration 3.000, note 5.000; "
        "9.8 bits per second (4 blocks, 1 dropped)"
    )


def test_blocks_cross_pieces_and_seconds_are_those_of_all_pieces(windows):
    pieces = [piece(200, 20), piece(200, 20)]  # the last note begins at 39.8 s and lasts 0.1 s
    figures = measure_blocks(None, pieces)
    assert figures.blocks == 1
    assert figures.seconds == pytest.approx(2 * 39.9)
    assert figures.bits_per_second == pytest.approx(windows[0][1:].sum() / 1000 / LOG_2 / 79.8)
    assert measure_blocks(None, pieces[:1]) is None
