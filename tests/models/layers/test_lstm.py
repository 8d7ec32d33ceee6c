"""The written-out layer against torch's own, and against a cell that autograd differentiates."""

import math

import pytest
import torch
import torch.nn.functional as F

from symbotunes.models.layers.lstm import beats_fused, clipped_lstm, run_step

STEPS, PIECES, INPUTS, WIDTH = 6, 3, 4, 5


@pytest.fixture(params=[torch.float64, torch.float32], ids=str)  # plain and packed weights
def case(request):
    """Weights, inputs and an initial state, and what the loss weighs."""
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(INPUTS, WIDTH).to(request.param)
    torch.nn.init.zeros_(lstm.bias_hh_l0).requires_grad_(False)
    leaves = [torch.randn(STEPS, PIECES, INPUTS), *torch.randn(2, PIECES, WIDTH)]
    leaves = [leaf.to(request.param).requires_grad_() for leaf in leaves]
    leaves += [p for p in lstm.parameters() if p.requires_grad]
    weigh = torch.randn(STEPS, PIECES, WIDTH), torch.randn(PIECES, WIDTH)
    return lstm, leaves, [weight.to(request.param) for weight in weigh]


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


@pytest.mark.parametrize(
    ("width", "shape", "dtype", "is_it"),
    [
        (2048, (64, 3, 90), torch.bfloat16, True),
        (512, (64, 3, 1024), torch.bfloat16, True),
        (512, (64, 3, 90), torch.bfloat16, False),
        (2048, (8, 3, 90), torch.float32, True),
        (2048, (64, 3, 90), torch.float32, False),
        (512, (8, 3, 1024), torch.float32, False),
    ],
)
def test_fused_kernels_are_left_where_they_are_slow(width, shape, dtype, is_it):
    with torch.autocast("cpu", torch.bfloat16, enabled=dtype is torch.bfloat16):
        assert beats_fused(width, torch.zeros(shape)) is is_it
    assert not beats_fused(width, torch.zeros(shape, dtype=dtype, device="meta"))


@torch.no_grad()
@pytest.mark.parametrize("depth", [1, 3])
def test_steps_are_those_of_torchs_own_layers(depth):
    torch.manual_seed(0)
    layer = torch.nn.LSTM(7, 5, depth, batch_first=True)
    inputs = torch.randn(4, 20, 7)
    state = (torch.randn(depth, 4, 5), torch.randn(depth, 4, 5))
    expected, ends = layer(inputs, state)
    steps = []
    for time_step in inputs.unbind(1):
        hidden, state = run_step(layer, time_step, state)
        steps.append(hidden)
    torch.testing.assert_close(torch.stack(steps, 1), expected)
    torch.testing.assert_close(state, ends)
