import math

import numpy as np
import pytest

from symbotunes.evaluation.metrics.bootstrap import Bootstrap
from symbotunes.evaluation.metrics.losses import class_figures, gain, loss_figures

BOOTSTRAP = Bootstrap(resamples=100)


def test_a_uniform_model_has_ln_v_nats_and_perplexity_v():
    nats = [np.full(length, math.log(12)) for length in (5, 9, 30, 31) * 3]
    found = loss_figures(nats, [1, 2, 3, 4] * 3, BOOTSTRAP)
    for end in ("value", "low", "high"):
        assert getattr(found["nats_per_token"], end) == pytest.approx(math.log(12))
        assert getattr(found["perplexity"], end) == pytest.approx(12)


def test_bits_per_note_by_hand():
    # Two pieces of 3 and 1 bits with 2 notes in all; a piece without notes still costs its bits.
    nats = [math.log(2) * np.array([1.0, 2.0]), math.log(2) * np.array([1.0])]
    assert loss_figures(nats, [2, 0], BOOTSTRAP)["bits_per_note"].value == pytest.approx(2.0)


def test_long_pieces_weigh_more():
    nats = [np.full(1, 4.0), np.full(3, 2.0)]
    assert loss_figures(nats, [1, 1], BOOTSTRAP)["nats_per_token"].value == pytest.approx(2.5)


def test_classes_are_averaged_over_their_own_tokens():
    nats = [np.array([1.0, 2.0, 5.0]), np.array([3.0, 7.0])]
    classes = [["pitch", "pitch", "bar"], ["pitch", "bar"]]
    found = class_figures(nats, classes, BOOTSTRAP)
    assert {name: interval.value for name, interval in found.items()} == {"pitch": 2.0, "bar": 6.0}


def test_a_constant_advantage_is_a_gain_without_spread():
    random = np.random.default_rng(0)
    model = [random.random(8) for _ in range(20)]
    found = gain([each + 0.25 for each in model], model, BOOTSTRAP)
    assert (found.value, found.low, found.high) == pytest.approx((0.25, 0.25, 0.25))
