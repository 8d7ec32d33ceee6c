"""The training wrapper."""

from functools import partial

import pytest
import torch

from symbotunes.errors import UserError
from symbotunes.lit import LitModel
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.muon import MuonAdamW
from symbotunes.tokenizers.base import NO_ID, Vocabulary


def test_an_impossible_learning_rate_is_the_users_mistake():
    model = LitModel(
        net=partial(FolkRNN, width=4, depth=1),
        optimizer=partial(torch.optim.AdamW, lr=-3.0),
        vocabulary=Vocabulary(5, 0, 1),
    )
    with pytest.raises(UserError, match="model.optimizer: Invalid learning rate: -3.0"):
        model.configure_optimizers()


def test_a_model_that_continues_pieces_is_refused_for_windows():
    windows = Vocabulary(90, NO_ID, NO_ID)
    with pytest.raises(UserError, match=r"FolkRNN continues pieces.*model=music_vae"):
        LitModel(net=partial(FolkRNN, width=4), optimizer=torch.optim.Adam, vocabulary=windows)


def test_muon_is_refused_for_embedding_tables():
    def optimizer_of(**net):
        model = LitModel(
            net=partial(FolkRNN, width=4, depth=1, **net),
            optimizer=MuonAdamW,
            vocabulary=Vocabulary(5, 0, 1),
        )
        return model.configure_optimizers()

    assert isinstance(optimizer_of(), MuonAdamW)
    with pytest.raises(UserError, match="not for embedding tables.*model/optimizer=adamw"):
        optimizer_of(embedding=3)
