"""Figures of bars that a network with known likelihoods fills in."""

import math
from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn

from symbotunes.data.cache.encoded import Encoded
from symbotunes.data.split import SPLITS
from symbotunes.evaluation.metrics.infilling import INFILLING
from symbotunes.evaluation.plan import EvaluationPlan
from symbotunes.evaluation.sequences.infilling import measure_infilling
from symbotunes.evaluation.sequences.measuring import Subject
from symbotunes.generation.sequences.plan import SamplePlan
from symbotunes.models.base import SequenceModel
from symbotunes.tokenizers.abc import AbcTokens
from symbotunes.transforms.base import Chain
from symbotunes.transforms.infill import Infill

PLAN = EvaluationPlan(
    num_samples=4, split="test", references=3, ngram=3, resamples=50, confidence=0.9, device="cpu",
    infills=3, infill_bars=2,
)  # fmt: skip
HEAD = "M:4/4 K:Cmaj"
TUNES = [
    *[f"{HEAD} C 8 | C 8 | C 8 | C 8 |"] * 3,
    f"{HEAD} C 8 | C 8 |",  # all of its bars would be gone
    f"{HEAD} C 8 | C | C 8 | C 8 | C 8 |",  # its second bar is too short
]
TOO_LONG = "M:33/8 K:Cmaj " + "C 8 C 8 C 8 C 8 C | " * 4


class Filler(nn.Module):
    """All tokens are equally likely; once it fills in, one of them is three times as likely."""

    def __init__(self, size, favorite, fill):
        super().__init__()
        self.empty = nn.Parameter(torch.zeros(size))
        self.favorite, self.fill = favorite, fill

    def forward(self, tokens):
        logits = self.empty.detach().repeat(*tokens.shape, 1)
        fills_in = (tokens == self.fill).cumsum(1) > 0
        logits[..., self.favorite] = torch.where(fills_in, math.log(3), 0.0)
        return logits

    score = SequenceModel.score

    def round_weights(self, name):
        assert name is None

    def set_conditions(self, conditions):
        assert not conditions

    def start(self, batch_size):
        return torch.zeros(batch_size, 0, dtype=torch.int64)

    def step(self, tokens, state):
        state = torch.cat([state, tokens[:, None]], 1)
        return self(state)[:, -1], state


def subject_of(folder, favorite, *, tunes=TUNES, infill=True):
    tokenizer = AbcTokens()
    tokenizer.fit(Counter(token for tune in tunes for token in tune.split()))
    steps = {"abc_tokens": tokenizer, **({"infill": Infill()} if infill else {})}
    Chain(steps).bind()
    ids = [tokenizer.encode(tune.split()) for tune in tunes]
    numbers = np.arange(len(ids), dtype=np.int32)
    splits = np.full(len(ids), SPLITS.index("test"), np.uint8)
    starts = np.cumsum([0, *map(len, ids)])
    encoded = Encoded(
        folder, {"fingerprint": "x"}, (np.concatenate(ids),), starts, splits, numbers, numbers
    )
    size = tokenizer.model_vocabulary.size
    net = Filler(size, tokenizer.encode([favorite])[0], size - 1)
    return Subject("filler", net, tokenizer, encoded)


SAMPLING = SamplePlan(temperature=0.0)


def test_true_bars_cost_what_the_network_says_with_and_without_the_right_side(tmp_path):
    subject = subject_of(tmp_path, favorite="8", tunes=TUNES[:4])
    # <s>, </s>, M:4/4, K:Cmaj, C, 8, |, <mask>, <bar>
    assert subject.tokenizer.model_vocabulary.size == 9
    found = measure_infilling(subject, PLAN, SAMPLING, seed=0)
    # A note is two tokens, C and 8. Left to right, each is one of 9; in a fill, 8 has 3 of 11.
    figures = {key: interval.value for key, interval in found.figures.items()}
    assert figures.keys() == INFILLING.keys()
    assert figures["left_nats"] == pytest.approx(2 * math.log(9), rel=1e-6)
    assert figures["infill_nats"] == pytest.approx(math.log(11) + math.log(11 / 3), rel=1e-6)
    gain = figures["left_nats"] - figures["infill_nats"]
    assert figures["infill_gain"] == pytest.approx(gain, rel=1e-6)
    assert [tune.notes for tune in found.raw] == [2, 2, 2]
    # After a C, which alone may begin a bar, it always writes 8.
    assert figures["infill_restored"] == figures["infill_well_formed"] == 1


def test_other_bars_are_well_formed_and_do_not_restore_the_tune(tmp_path):
    subject = subject_of(tmp_path, favorite="C", tunes=TUNES[:4])
    found = measure_infilling(subject, PLAN, SAMPLING, seed=0)
    assert found.figures["infill_restored"].value == 0  # eight short notes in each bar
    assert found.figures["infill_well_formed"].value == 1


def test_tunes_with_bars_that_no_notes_fill_are_counted(tmp_path):
    plan = EvaluationPlan(**{**vars(PLAN), "infills": 50})
    subject = subject_of(tmp_path, favorite="8", tunes=[*TUNES, TOO_LONG])
    found = measure_infilling(subject, plan, SAMPLING, seed=0)
    assert (len(found.raw), found.passed_over) == (4, 1)


def test_wrong_bars_that_a_tune_had_before_do_not_count_against_its_new_ones(tmp_path):
    subject = subject_of(tmp_path, favorite="8", tunes=[TUNES[-1]])
    found = measure_infilling(subject, PLAN, SAMPLING, seed=0)
    assert found.figures["infill_well_formed"].value == 1


def test_a_model_that_was_not_trained_for_it_is_not_measured(tmp_path):
    subject = subject_of(tmp_path, favorite="8", infill=False)
    assert measure_infilling(subject, PLAN, SAMPLING, seed=0) is None
