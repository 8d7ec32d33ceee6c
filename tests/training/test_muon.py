import copy

import pytest
import torch
from torch import nn

from symbotunes.training.muon import MuonAdamW, orthogonal
from symbotunes.training.schedules import WarmupCosine


def network():
    torch.manual_seed(3)
    return nn.LSTM(6, 8)


def train(net, optimizer, steps, scheduler=None):
    for step in steps:
        inputs = torch.sin(torch.arange(30.0).view(5, 1, 6) + step)
        optimizer.zero_grad()
        net(inputs)[0].square().sum().backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()


def same(one, other):
    return all(map(torch.equal, one.state_dict().values(), other.state_dict().values()))


def test_matrices_go_by_muon_and_biases_by_adamw(monkeypatch):
    monkeypatch.setattr("symbotunes.training.muon.multiplies_bfloat16", lambda device: True)
    ours, theirs = network(), network()
    matrices = [parameter for parameter in theirs.parameters() if parameter.ndim == 2]
    biases = [parameter for parameter in theirs.parameters() if parameter.ndim == 1]
    optimizer = MuonAdamW(ours.parameters(), lr=0.01)
    muon = torch.optim.Muon(matrices, lr=0.01, weight_decay=0, adjust_lr_fn="match_rms_adamw")
    adamw = torch.optim.AdamW(biases, lr=0.01, weight_decay=0)
    for step in range(3):
        train(ours, optimizer, [step])
        theirs.zero_grad()
        theirs(torch.sin(torch.arange(30.0).view(5, 1, 6) + step))[0].square().sum().backward()
        muon.step()
        adamw.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        # Both round to bfloat16, in their own order.
        torch.testing.assert_close(one, other, rtol=0, atol=1e-3 if one.ndim == 2 else 1e-5)


@pytest.mark.parametrize("shape", [(40, 12), (12, 40), (12, 12)])
@pytest.mark.parametrize("fast", [True, False])
def test_a_step_has_singular_values_near_one_and_keeps_singular_vectors(shape, fast, monkeypatch):
    monkeypatch.setattr("symbotunes.training.muon.multiplies_bfloat16", lambda device: fast)
    torch.manual_seed(0)
    left, values, right = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    turned = orthogonal(left @ values.clamp_min(1.0).diag() @ right).float()
    seen = left.T @ turned @ right.T
    assert seen.diag().min() > 0.6
    assert seen.diag().max() < 1.3
    assert (seen - seen.diag().diag()).abs().max() < 0.05


@pytest.mark.parametrize("rank", [12, 3])
def test_a_long_matrix_is_turned_alike_by_its_short_side(rank, monkeypatch):
    monkeypatch.setattr("symbotunes.training.muon.multiplies_bfloat16", lambda device: False)
    torch.manual_seed(0)
    matrix = torch.randn(48, rank) @ torch.randn(rank, 12)
    with monkeypatch.context() as patch:
        patch.setattr("symbotunes.training.muon._iterated", None)  # which is not called
        short = orthogonal(matrix)
    monkeypatch.setattr("symbotunes.training.muon.LONG", 1000)
    torch.testing.assert_close(short, orthogonal(matrix), rtol=0, atol=1e-4)


def test_a_copy_goes_on_like_the_original():
    net = network()
    optimizer = MuonAdamW(net.parameters(), lr=0.01)
    train(net, optimizer, range(2))
    twin, twins = copy.deepcopy((net, optimizer))
    train(net, optimizer, range(2, 4))
    train(twin, twins, range(2, 4))
    assert same(net, twin)


def test_a_closure_is_run_with_gradients():
    net = network()
    optimizer = MuonAdamW(net.parameters())

    def closure():
        optimizer.zero_grad()
        loss = net(torch.ones(2, 1, 6))[0].square().sum()
        loss.backward()
        return loss

    before = optimizer.step(closure)
    assert optimizer.step(closure) < before


def test_a_schedule_moves_the_rate_of_both():
    net = network()
    optimizer = MuonAdamW(net.parameters(), lr=0.01)
    scheduler = WarmupCosine(optimizer, warmup_steps=0, steps=4, floor=0.0)
    train(net, optimizer, range(4), scheduler)
    before = copy.deepcopy(net)
    train(net, optimizer, [4])
    assert same(before, net)  # the rate has fallen to 0


def test_a_restored_optimizer_goes_on_bit_for_bit(tmp_path):
    whole = network()
    optimizer = MuonAdamW(whole.parameters(), lr=0.01)
    train(whole, optimizer, range(3))
    torch.save(optimizer.state_dict(), tmp_path / "state.pt")
    resumed = copy.deepcopy(whole)
    again = MuonAdamW(resumed.parameters(), lr=0.5)
    again.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    train(whole, optimizer, range(3, 6))
    train(resumed, again, range(3, 6))
    assert same(whole, resumed)


def test_weight_decay_shrinks_matrices_only():
    net = network()
    before = copy.deepcopy(net)
    optimizer = MuonAdamW(net.parameters(), lr=0.1, weight_decay=0.5)
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    torch.testing.assert_close(net.weight_hh_l0, before.weight_hh_l0 * 0.95)
    assert torch.equal(net.bias_hh_l0, before.bias_hh_l0)


@pytest.mark.parametrize("kept", [lambda p: p.ndim == 2, lambda p: p.ndim == 1])
def test_a_network_may_lack_one_kind(kept):
    parameters = [parameter for parameter in network().parameters() if kept(parameter)]
    before = [parameter.clone() for parameter in parameters]
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    MuonAdamW(parameters).step()
    assert not any(map(torch.equal, before, parameters))


@pytest.mark.parametrize(
    "bad", [{"lr": -1.0}, {"momentum": 1.0}, {"betas": (1.0, 0.9)}, {"weight_decay": -1}]
)
def test_constants_out_of_range_are_refused(bad):
    with pytest.raises(ValueError, match="Muon: "):
        MuonAdamW(network().parameters(), **bad)
