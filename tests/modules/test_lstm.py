"""The clipped layer against torch's own, and against a cell that autograd differentiates."""

import math

import pytest
import torch
import torch.nn.functional as F

from symbotunes.modules.lstm import clipped_lstm

STEPS, PIECES, INPUTS, WIDTH = 6, 3, 4, 5


@pytest.fixture
def case():
    """Weights, inputs and an initial state in double precision, and what the loss weighs."""
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(INPUTS, WIDTH).double()
    torch.nn.init.zeros_(lstm.bias_hh_l0).requires_grad_(False)
    leaves = [torch.randn(STEPS, PIECES, INPUTS), *torch.randn(2, PIECES, WIDTH)]
    leaves = [leaf.double().requires_grad_() for leaf in leaves]
    leaves += [p for p in lstm.parameters() if p.requires_grad]
    weigh = torch.randn(STEPS, PIECES, WIDTH).double(), torch.randn(PIECES, WIDTH).double()
    return lstm, leaves, weigh


def gradients(hidden, cell, leaves, weigh):
    loss = (hidden * weigh[0]).sum() + (hidden[-1] * cell * weigh[1]).sum()
    return torch.autograd.grad(loss, leaves)


def clipped(leaves, clip):
    x, h0, c0, w_ih, w_hh, bias = leaves
    hidden, (last, cell) = clipped_lstm(F.linear(x, w_ih, bias), w_hh, (h0, c0), clip)
    assert torch.equal(last, hidden[-1])
    return hidden, cell


def by_hooks(leaves, clip):
    """The equations one by one; a hook on the pre-activations clips what flows back."""
    x, h, c, w_ih, w_hh, bias = leaves
    outputs = []
    for step in x:
        drive = step @ w_ih.T + bias + h @ w_hh.T
        drive.register_hook(lambda message: message.clamp(-clip, clip))
        i, f, g, o = drive.chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        outputs.append(h)
    return torch.stack(outputs), c


def test_without_bound_it_is_torchs_lstm(case):
    lstm, leaves, weigh = case
    x, h0, c0 = leaves[:3]
    hidden, (_, cell) = lstm(x, (h0[None], c0[None]))
    ours = clipped(leaves, math.inf)
    torch.testing.assert_close(ours, (hidden, cell[0]))
    expected = gradients(hidden, cell[0], leaves, weigh)
    torch.testing.assert_close(gradients(*ours, leaves, weigh), expected)


@pytest.mark.parametrize("clip", [0.3, 0.05, 0.01])
def test_every_message_is_clipped_on_its_way(case, clip):
    _, leaves, weigh = case
    expected = gradients(*by_hooks(leaves, clip), leaves, weigh)
    ours = gradients(*clipped(leaves, clip), leaves, weigh)
    torch.testing.assert_close(ours, expected)
    free = gradients(*clipped(leaves, math.inf), leaves, weigh)
    assert not torch.allclose(ours[0], free[0])
