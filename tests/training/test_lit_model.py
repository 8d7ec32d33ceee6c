"""The training wrapper."""

from functools import partial

import pytest
import torch

from symbotunes.errors import UserError
from symbotunes.models.base import Batch
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.tokenizers.base import NO_ID, Vocabulary
from symbotunes.training.lit_model import LitModel
from symbotunes.training.muon import MuonAdamW
from symbotunes.training.processes import of_all_processes


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
    with pytest.raises(UserError, match="does not support embedding tables.*model/optimizer=adamw"):
        optimizer_of(embedding=3)


def frozen_model(*names):
    torch.manual_seed(0)
    return LitModel(
        net=partial(FolkRNN, width=4, depth=2),
        optimizer=partial(torch.optim.SGD, lr=0.1),
        vocabulary=Vocabulary(5, 0, 1),
        frozen=names,
    )


def test_frozen_parts_stay_as_they_are_and_the_rest_learns():
    model = frozen_model("lstm", "h0")
    before = {name: tensor.clone() for name, tensor in model.net.state_dict().items()}
    optimizer = model.configure_optimizers()
    model.net.loss(Batch(torch.tensor([[0, 3, 4, 1]]), torch.tensor([4]))).objective.backward()
    optimizer.step()
    after = model.net.state_dict()
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert changed == {"c0", "head.weight", "head.bias"}


def test_one_part_may_be_frozen_without_brackets():
    model = LitModel(
        net=partial(FolkRNN, width=4),
        optimizer=torch.optim.SGD,
        vocabulary=Vocabulary(5, 0, 1),
        frozen="head",
    )
    assert not model.net.head.weight.requires_grad
    assert model.net.h0.requires_grad


@pytest.mark.parametrize("name", ["encoder", "lst", "h"])
def test_a_part_that_is_not_there_cannot_be_frozen(name):
    message = f"model.frozen: the network has no part {name}; it has h0, c0, lstm, head"
    with pytest.raises(UserError, match=message):
        frozen_model(name)


def numbers_at_start(monkeypatch, rank: int, states: list[dict[str, torch.Tensor]]) -> list[float]:
    """What a process draws first, after all have made the same network."""
    torch.manual_seed(3)
    model = frozen_model()
    if states:
        model.on_load_checkpoint({"real_tokens": 0, "rng": states})
    monkeypatch.setattr(LitModel, "global_rank", rank)
    model.on_train_start()
    return torch.rand(4).tolist()


def test_every_process_goes_on_with_its_own_random_state(monkeypatch):
    seeds = (5, 6)
    states = [{"torch": torch.Generator().manual_seed(seed).get_state()} for seed in seeds]
    draws = [numbers_at_start(monkeypatch, rank, states) for rank in range(4)]
    for seed, drawn in zip(seeds, draws, strict=False):
        assert drawn == torch.rand(4, generator=torch.Generator().manual_seed(seed)).tolist()
    # The third and fourth, which the run before did not have, draw numbers of their own.
    assert len({tuple(drawn) for drawn in draws}) == 4


def test_processes_that_start_with_one_seed_draw_different_numbers(monkeypatch):
    draws = [numbers_at_start(monkeypatch, rank, []) for rank in range(4)]
    torch.manual_seed(3)
    frozen_model()
    assert draws[0] == torch.rand(4).tolist()  # the first one as if it were alone
    assert len({tuple(drawn) for drawn in draws}) == 4
    assert draws == [numbers_at_start(monkeypatch, rank, []) for rank in range(4)]


def test_states_of_all_processes_are_kept_in_their_order(monkeypatch):
    def all_gather_object(states, own):
        states[:] = ["the other's", own]

    assert of_all_processes({"torch": 0}) == [{"torch": 0}]
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 2)
    monkeypatch.setattr("torch.distributed.all_gather_object", all_gather_object)
    assert of_all_processes({"torch": 0}) == ["the other's", {"torch": 0}]


def test_checkpoints_of_before_have_one_random_state():
    model = frozen_model()
    state = {"torch": torch.Generator().manual_seed(7).get_state()}
    model.on_load_checkpoint({"real_tokens": 0, "rng": state})
    model.on_train_start()
    assert torch.equal(torch.get_rng_state(), state["torch"])
