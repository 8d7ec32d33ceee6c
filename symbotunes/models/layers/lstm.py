"""An LSTM layer that receives the contribution of its inputs to the gates instead of the inputs.

Fused kernels hide the pre-activations of the gates, so the recurrence is written out here, with its
own backward pass. The loop contains one matrix product per step; everything else is done for all
steps at once. Callers can therefore project a constant input once and look up one-hot inputs, and
the gradients that flow back through the gates can be clipped.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn.utils.rnn import PackedSequence

from symbotunes.models.layers.decoding import packed
from symbotunes.models.layers.precision import fused_lstm_dtype
from symbotunes.models.layers.private_torch import sigmoid_backward, tanh_backward

State = tuple[Tensor, Tensor]
Inputs = TypeVar("Inputs", bound=Tensor | PackedSequence)
WIDE = 1024  # number of inputs plus units from which a layer counts as wide
FEW = 8  # largest number of pieces that counts as few


def driven_lstm(
    drive: Tensor, w_hh: Tensor, state: State, clip: float | None = None
) -> tuple[Tensor, State]:
    """One layer without peepholes, with gates in the order input, forget, candidate, output.

    Under autocast, it computes in autocast's dtype, which all results have.

    Args:
        drive: ``[T, B, 4 D]`` contribution of inputs and biases to the gates' pre-activations.
        w_hh: ``[4 D, D]`` recurrent weights.
        state: hidden and cell state before the first step, each ``[B, D]``.
        clip: see `clipped_lstm`; ``None`` leaves the gradient exact.

    Returns:
        Hidden states ``[T, B, D]``, and the state after the last step.
    """
    dtype = compute_dtype(drive)
    h0, c0 = state
    cast = (drive.to(dtype), w_hh.to(dtype), h0.to(dtype), c0.to(dtype), clip)
    hidden, cell = _Recurrence.apply(*cast)  # type: ignore[no-untyped-call]
    return hidden, (hidden[-1], cell)


def clipped_lstm(drive: Tensor, w_hh: Tensor, state: State, clip: float) -> tuple[Tensor, State]:
    """`driven_lstm` with clipped gate gradients at every step of the backward pass.

    The forward pass is that of ``nn.LSTM``. In the backward pass, the gradient of the loss with
    respect to the pre-activation of every gate is clipped elementwise to ``[-clip, clip]`` at every
    step, before it flows to the weights, the input and the previous step; infinity gives the exact
    gradient.
    """
    return driven_lstm(drive, w_hh, state, clip)


def beats_fused(width: int, inputs: Tensor) -> bool:
    """Whether `driven_lstm` trains a layer of this width faster than ``nn.LSTM``.

    It does on CPUs, where the fused kernel's backward pass reads wide weights slowly. In bfloat16
    it is 1.5 times as fast for 512 units with 1,024 inputs, and four times for 2,048 units and 8
    pieces; in float32 it is 1.3 times as fast for 2,048 units and 8 pieces, but not for more
    pieces.

    Args:
        width: units of the layer.
        inputs: ``[B, T, I]`` inputs of the layer.
    """
    if inputs.device.type != "cpu":
        return False
    if compute_dtype(inputs) is torch.bfloat16:
        return inputs.shape[-1] + width >= WIDE
    return width >= WIDE and len(inputs) <= FEW


def run_fused(layer: nn.LSTM, inputs: Inputs, state: State | None = None) -> tuple[Inputs, State]:
    """Run ``nn.LSTM`` in a precision that is what it says, see `fused_lstm_dtype`.

    Args:
        layer: one or more layers.
        inputs: as the layer takes them.
        state: hidden and cell state; ``None``: zeros.

    Returns:
        What the layer returns.
    """
    with exact_fused(layer.all_weights[0][0]) as cast:
        if state is not None:
            state = (cast(state[0]), cast(state[1]))
        result: tuple[Inputs, State] = layer(cast(inputs), state)
        return result


def run_step(layer: nn.LSTM, inputs: Tensor, state: State) -> tuple[Tensor, State]:
    """One step of ``nn.LSTM`` without gradients, layer by layer on CPUs.

    There, the fused kernel rearranges all weights at every call: for 3 x 512 units and one piece,
    12 ms a step instead of 3 on one core of an AMD EPYC, and as long as this from 64 pieces on.

    Args:
        layer: one or more layers with biases, in one direction.
        inputs: ``[B, I]``.
        state: hidden and cell state, each ``[L, B, D]``.

    Returns:
        Hidden state of the last layer ``[B, D]``, and the state after the step.
    """
    if inputs.device.type != "cpu":
        hidden, state = run_fused(layer, inputs[:, None], state)
        return hidden[:, 0], state
    ends: list[State] = []
    for h, c, weights in zip(*state, layer.all_weights, strict=True):
        ends.append(torch.lstm_cell(inputs, (h, c), *weights))
        inputs = ends[-1][0]
    h, c = (torch.stack(states) for states in zip(*ends, strict=True))
    return inputs, (h, c)


@contextmanager
def exact_fused(tensor: Tensor) -> Iterator[Callable[[Any], Any]]:
    """Where LSTMs that run on this tensor's device compute in no coarser type than they say.

    Yields:
        What casts their inputs, tensors or packed sequences, to the type in which they compute.
    """
    kind = tensor.device.type
    autocast = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None
    dtype = fused_lstm_dtype(kind, autocast)
    if dtype is None:
        yield lambda inputs: inputs
        return
    with torch.autocast(kind, enabled=False):
        yield lambda inputs: inputs.to(dtype)


def compute_dtype(tensor: Tensor) -> torch.dtype:
    """Autocast's dtype on the tensor's device if it is enabled, otherwise the tensor's dtype."""
    kind = tensor.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else tensor.dtype


def activate(gates: Tensor, cell: Tensor) -> State:
    """Hidden and cell state ``[B, D]`` after one step.

    `gates` ``[B, 4 D]`` holds pre-activations and is overwritten with the activated gates.
    """
    width = cell.shape[-1]
    gates[:, : 2 * width].sigmoid_()
    gates[:, 2 * width : 3 * width].tanh_()
    gates[:, 3 * width :].sigmoid_()
    i, f, g, o = gates.chunk(4, -1)
    cell = torch.addcmul(f * cell, i, g)
    return o * cell.tanh(), cell


class _Recurrence(Function):
    """The loop over steps, with its backward pass.

    With ``z_t = drive_t + W h_{t-1}`` and its activated parts i, f, g and o, a step computes
    ``c_t = f * c_{t-1} + i * g`` and ``h_t = o * tanh(c_t)``.
    """

    @staticmethod
    def forward(
        ctx: Any, drive: Tensor, w_hh: Tensor, h0: Tensor, c0: Tensor, clip: float | None
    ) -> State:
        steps = len(drive)
        gates = torch.empty_like(drive)  # after activation
        hidden = drive.new_empty(steps + 1, *h0.shape)  # + 1 for the initial state, which is first
        cells = torch.empty_like(hidden)
        hidden[0], cells[0] = h0, c0
        recur = packed(w_hh, None, rows=len(h0))
        for t in range(steps):
            torch.add(recur(hidden[t]), drive[t], out=gates[t])
            hidden[t + 1], cells[t + 1] = activate(gates[t], cells[t])
        # Activated gates are enough for the backward pass: the derivatives of sigmoid and tanh are
        # functions of their outputs.
        ctx.save_for_backward(w_hh, gates, hidden, cells)
        ctx.clip = clip
        return hidden[1:], cells[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_hidden: Tensor, d_cell: Tensor) -> tuple[Tensor | None, ...]:
        w_hh, gates, hidden, cells = ctx.saved_tensors
        width = w_hh.shape[1]
        # dL/dz for every step, [T, B, 4, D]: all that the weights and the drive need in the end.
        messages = torch.empty_like(gates).view(*gates.shape[:-1], 4, width)
        slopes = torch.empty_like(messages[0])
        d_state = torch.zeros_like(d_cell)
        recur = packed(w_hh.T, None, rows=len(d_cell))
        for t in reversed(range(len(gates))):
            # Invariant: d_state and d_cell are the gradients of h_t and c_t from all later steps.
            through = _slopes(gates[t], cells[t], cells[t + 1], out=slopes)
            dh = d_hidden[t] + d_state
            d_cell = torch.addcmul(d_cell, dh, through)  # c_t also reaches the loss through h_t
            # z_i, z_f and z_g act on c_t, and z_o acts on h_t directly.
            torch.mul(slopes[:, :3], d_cell[:, None], out=messages[t, :, :3])
            torch.mul(slopes[:, 3], dh, out=messages[t, :, 3])
            if ctx.clip is not None:
                messages[t].clamp_(-ctx.clip, ctx.clip)
            d_state = recur(messages[t].flatten(1))  # to h_{t-1}, through W
            d_cell = d_cell * gates[t].chunk(4, -1)[1]  # to c_{t-1}, through the forget gate
        flat = messages.flatten(2)  # [T, B, 4 D]
        d_w_hh = flat.flatten(0, 1).T @ hidden[:-1].flatten(0, 1)  # all steps in one product
        return flat, d_w_hh, d_state, d_cell, None


def _slopes(gates: Tensor, before: Tensor, after: Tensor, out: Tensor) -> Tensor:
    """Local derivatives of one step.

    They are computed step by step, not for all steps at once, because the step's data are then
    still in the cache.

    Args:
        gates: ``[B, 4 D]`` after activation.
        before: cell state ``[B, D]`` before the step.
        after: cell state after it.
        out: ``[B, 4, D]``, filled with derivatives with respect to the pre-activations: of the cell
            state for the input, forget and candidate gates, of the hidden state for the output
            gate.

    Returns:
        Derivative ``[B, D]`` of the hidden state with respect to the cell state.
    """
    i, f, g, o = gates.chunk(4, -1)
    squashed = after.tanh()
    # aten's x_backward(a, y) is a * x'(z) for y = x(z), computed from y.
    sigmoid_backward(g, i, out=out[:, 0])
    sigmoid_backward(before, f, out=out[:, 1])
    tanh_backward(i, g, out=out[:, 2])
    sigmoid_backward(squashed, o, out=out[:, 3])
    return tanh_backward(o, squashed, out=torch.empty_like(o))
