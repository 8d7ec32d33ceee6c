import math

import numpy as np
import pytest
import torch
from torch import nn

from symbotunes.data.batches.loading import collate
from symbotunes.evaluation.sequences import likelihood as scoring
from symbotunes.evaluation.sequences.likelihood import token_nats
from symbotunes.models.base import SequenceModel
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.tokenizers.base import Vocabulary

VOCABULARY = Vocabulary(size=9, bos=0, eos=1)
PIECES = [[0, 2, 3, 1], [0, 4, 5, 6, 7, 8, 1], [0, 1], [0, 2, 2, 2, 1]]


class Uniform(nn.Module):
    """Thinks every token equally likely."""

    def __init__(self):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(9))

    def forward(self, tokens):
        return self.logits.expand(*tokens.shape, 9)

    score = SequenceModel.score


@pytest.fixture
def net():
    torch.manual_seed(0)
    return FolkRNN(VOCABULARY, width=8, depth=2, dropout=0.5)


def test_a_uniform_network_pays_ln_v_for_every_token():
    for piece, nats in zip(PIECES, token_nats(Uniform(), PIECES, 9), strict=True):
        np.testing.assert_allclose(nats, np.full(len(piece) - 1, math.log(9)), rtol=1e-6)


def test_tokens_add_up_to_the_loss_that_training_reports(net):
    batch = collate(np.concatenate(PIECES), np.array([len(piece) for piece in PIECES]))
    total = sum(nats.sum() for nats in token_nats(net, PIECES, 9))
    assert total == pytest.approx(float(net.eval().loss(batch).nll_nats), rel=1e-5)


def test_padding_and_the_order_of_pieces_change_nothing(net, monkeypatch):
    together = token_nats(net, PIECES, 9)
    monkeypatch.setattr(scoring, "MOST_LOGITS", 1)  # every piece by itself
    for alone, beside in zip(token_nats(net, PIECES, 9), together, strict=True):
        np.testing.assert_allclose(alone, beside, rtol=1e-5)


def test_the_mode_is_put_back(net):
    token_nats(net.train(), PIECES, 9)
    assert net.training
