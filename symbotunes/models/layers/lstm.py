"""An LSTM layer that is told what its inputs add to the gates, instead of the inputs.

Fused kernels hide the gates' pre-activations, so the recurrence is written out here, with its own
backward pass: the loop holds one matrix product per step, and what can be done at once is. So an
input that never changes is projected once, one-hot inputs are looked up, and the messages that
flow back through the gates can be bounded.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from symbotunes.models.layers.decoding import packed

State = tuple[Tensor, Tensor]
WIDE = 1024  # inputs and units of a layer
FEW = 8  # pieces


def driven_lstm(
    drive: Tensor, w_hh: Tensor, state: State, clip: float | None = None
) -> tuple[Tensor, State]:
    """One layer without peepholes, with gates in the order input, forget, candidate, output.

    Under autocast it computes in autocast's type, which all results have.

    Args:
        drive: ``[T, B, 4 D]`` what inputs and biases add to the gates.
        w_hh: ``[4 D, D]`` recurrent weights.
        state: hidden and cell state before the first step, each ``[B, D]``.
        clip: see `clipped_lstm`; ``None`` leaves the gradient exact.

    Returns:
        Hidden states ``[T, B, D]``, and the state after the last step.
    """
    dtype = compute_dtype(drive)
    h0, c0 = state
    given = (drive.to(dtype), w_hh.to(dtype), h0.to(dtype), c0.to(dtype), clip)
    hidden, cell = _Recurrence.apply(*given)  # type: ignore[no-untyped-call]
    return hidden, (hidden[-1], cell)


def clipped_lstm(drive: Tensor, w_hh: Tensor, state: State, clip: float) -> tuple[Tensor, State]:
    """`driven_lstm` that bounds the message of every gate at every step of the backward pass.

    Forward it is ``nn.LSTM``. Backward, the gradient of the loss by the pre-activation of every
    gate is clipped elementwise to ``[-clip, clip]`` at every step, before it goes on to the
    weights, to the input and to the step before; infinity gives the exact gradient.
    """
    return driven_lstm(drive, w_hh, state, clip)


def beats_fused(width: int, inputs: Tensor) -> bool:
    """Whether `driven_lstm` trains a layer of so many units faster than ``nn.LSTM``.

    It does on CPUs, where the fused kernel's backward pass reads wide weights slowly: in bfloat16
    1.5 times for 512 units that read 1,024, four times for 2,048 units and 8 pieces; in float32 1.3
    times for 2,048 units and 8 pieces, but only for so few.

    Args:
        width: units of the layer.
        inputs: ``[B, T, I]`` what it reads.
    """
    if inputs.device.type != "cpu":
        return False
    if compute_dtype(inputs) is torch.bfloat16:
        return inputs.shape[-1] + width >= WIDE
    return width >= WIDE and len(inputs) <= FEW


def compute_dtype(tensor: Tensor) -> torch.dtype:
    """The type in which autocast multiplies on the tensor's device, or the tensor's own."""
    kind = tensor.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else tensor.dtype


def activate(gates: Tensor, cell: Tensor) -> State:
    """Hidden and cell state ``[B, D]`` after one step; overwrites the pre-activations `gates`."""
    width = cell.shape[-1]
    gates[:, : 2 * width].sigmoid_()
    gates[:, 2 * width : 3 * width].tanh_()
    gates[:, 3 * width :].sigmoid_()
    i, f, g, o = gates.chunk(4, -1)
    cell = torch.addcmul(f * cell, i, g)
    return o * cell.tanh(), cell


class _Recurrence(Function):
    @staticmethod
    def forward(
        ctx: Any, drive: Tensor, w_hh: Tensor, h0: Tensor, c0: Tensor, clip: float | None
    ) -> State:
        steps = len(drive)
        gates = torch.empty_like(drive)  # after their nonlinearities
        hidden = drive.new_empty(steps + 1, *h0.shape)  # one more: the initial state comes first
        cells = torch.empty_like(hidden)
        hidden[0], cells[0] = h0, c0
        recur = packed(w_hh, None, rows=len(h0))
        for t in range(steps):
            torch.add(recur(hidden[t]), drive[t], out=gates[t])
            hidden[t + 1], cells[t + 1] = activate(gates[t], cells[t])
        ctx.save_for_backward(w_hh, gates, hidden, cells)
        ctx.clip = clip
        return hidden[1:], cells[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_hidden: Tensor, d_cell: Tensor) -> tuple[Tensor | None, ...]:
        w_hh, gates, hidden, cells = ctx.saved_tensors
        width = w_hh.shape[1]
        messages = torch.empty_like(gates).view(*gates.shape[:-1], 4, width)  # by pre-activations
        slopes = torch.empty_like(messages[0])
        d_state = torch.zeros_like(d_cell)
        recur = packed(w_hh.T, None, rows=len(d_cell))
        for t in reversed(range(len(gates))):
            through = _slopes(gates[t], cells[t], cells[t + 1], out=slopes)
            dh = d_hidden[t] + d_state
            d_cell = torch.addcmul(d_cell, dh, through)
            torch.mul(slopes[:, :3], d_cell[:, None], out=messages[t, :, :3])
            torch.mul(slopes[:, 3], dh, out=messages[t, :, 3])
            if ctx.clip is not None:
                messages[t].clamp_(-ctx.clip, ctx.clip)
            d_state = recur(messages[t].flatten(1))
            d_cell = d_cell * gates[t].chunk(4, -1)[1]
        flat = messages.flatten(2)  # [T, B, 4 D]
        d_w_hh = flat.flatten(0, 1).T @ hidden[:-1].flatten(0, 1)
        return flat, d_w_hh, d_state, d_cell, None


def _slopes(gates: Tensor, before: Tensor, after: Tensor, out: Tensor) -> Tensor:
    """Derivatives at one step, whose memory is still in the cache.

    Args:
        gates: ``[B, 4 D]`` after their nonlinearities.
        before: cell state ``[B, D]`` before the step.
        after: cell state after it.
        out: ``[B, 4, D]``, filled with derivatives by the pre-activations: of the cell state for
            the input, forget and candidate gates, of the hidden state for the output gate.

    Returns:
        Derivative ``[B, D]`` of hidden by cell state.
    """
    i, f, g, o = gates.chunk(4, -1)
    squashed = after.tanh()
    by_sigmoid, by_tanh = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward
    by_sigmoid.grad_input(g, i, grad_input=out[:, 0])
    by_sigmoid.grad_input(before, f, grad_input=out[:, 1])
    by_tanh.grad_input(i, g, grad_input=out[:, 2])
    by_sigmoid.grad_input(squashed, o, grad_input=out[:, 3])
    through: Tensor = by_tanh(o, squashed)
    return through
