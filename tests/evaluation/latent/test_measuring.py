"""The evaluation of a MusicVAE on windows at hand."""

import json
from dataclasses import asdict
from functools import partial

import numpy as np
import pytest
import torch

from symbotunes.data.cache.encoded import Encoded
from symbotunes.data.split import SPLITS
from symbotunes.evaluation.latent.measuring import (
    LatentSubject,
    measure_reconstruction,
)
from symbotunes.evaluation.plan import EvaluationPlan
from symbotunes.evaluation.windows.measuring import measure_grammar, measure_prior
from symbotunes.generation.latent.player import LatentPlayer
from symbotunes.models.music_vae.latent import Posterior
from symbotunes.tokenizers.windows import Melody

OWNERS = {"train": 3, "test": 2}  # pieces of one window each


@pytest.fixture
def measured(make, tmp_path):
    """Measure a small network, which training windows have gone by or not, on a split."""
    net = make("music_vae")
    pieces = [split for split, count in OWNERS.items() for _ in range(count)]
    encoded = Encoded(
        folder=tmp_path,
        about={"fingerprint": "x"},
        shards=(np.random.default_rng(0).integers(2, 90, 32 * len(pieces)),),
        starts=np.arange(len(pieces) + 1) * 32,
        splits=np.array([SPLITS.index(split) for split in pieces], np.uint8),
        owners=np.arange(len(pieces), dtype=np.int32),
        relatives=np.arange(len(pieces), dtype=np.int32),
    )

    def measure(of, split, trained=True):
        if trained:
            far = torch.tensor([[8.0], [9.0]]).expand(2, net.latent)
            net.prior.observe(Posterior(far, torch.full_like(far, 0.1)))
        plan = EvaluationPlan(4, split, 1, 2, 20, 0.9, "cpu", windows=9, pairs=2, prior=4)
        return of(LatentSubject(LatentPlayer(net, Melody(bars=2)), encoded, plan, seed=0))

    return measure


def sets(subject):
    """Names of what is held against the training windows."""
    return {name for notes in measure_prior(subject, 1.0) for name in notes.overlaps}


@pytest.mark.parametrize("split", list(OWNERS))
def test_every_window_of_the_split_is_reconstructed(measured, split):
    found = measured(measure_reconstruction, split)
    assert (found.split, found.windows) == (split, OWNERS[split])


def test_a_reader_computes_costs_and_accuracies_from_the_raw_values_of_windows(measured):
    found = json.loads(json.dumps(asdict(measured(measure_reconstruction, "test"))))
    raw = found["raw"]
    assert len(raw) == found["windows"]
    count = len(raw)
    expected = {
        "reconstruction_nats": sum(row["nats"] for row in raw) / count,
        "kl_nats": sum(row["kl_nats"] for row in raw) / count,
        "bound_nats": sum((row["nats"] + row["kl_nats"]) / row["steps"] for row in raw) / count,
    }
    assert {key: cost["value"] for key, cost in found["costs"].items()} == pytest.approx(expected)
    for name, accuracy in found["accuracies"]["melody"].items():
        assert accuracy["value"] == pytest.approx(sum(row["right"][name][0] for row in raw) / count)
    assert len({row["piece"] for row in raw}) == found["pieces"]


def test_note_offs_in_silence_are_errors_of_new_windows(measured):
    good, bad = np.array([60, 0, 1, 62] * 8), np.array([1, 60, 1, 1] + 28 * [0])
    found = measured(
        partial(measure_grammar, written={"good": [good], "both": [good, bad]}), "test"
    )
    values = {name: {key: each.value for key, each in set_.items()} for name, set_ in found.items()}
    assert values == {
        "good": {"grammar_errors": 0, "well_formed": 1},
        "both": {"grammar_errors": 2 / 64, "well_formed": 0.5},
    }


def test_training_windows_are_not_held_against_themselves(measured):
    assert measured(sets, "test") == {"held out (test)", "fitted prior", "normal prior"}
    assert measured(sets, "train") == {"fitted prior", "normal prior"}


def test_a_prior_is_called_fitted_only_if_windows_have_gone_by(measured):
    assert measured(sets, "test", trained=False) == {"held out (test)", "normal prior"}


def test_windows_that_training_has_are_told_apart(measured):
    found = measured(measure_reconstruction, "test")
    assert (found.apart.exact, found.apart.in_some_key) == (0, 0)
    assert found.apart.costs == found.costs
    assert measured(measure_reconstruction, "train").apart is None
