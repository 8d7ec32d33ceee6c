"""Cross-entropy of a linear output layer, without storing the logits of a whole batch."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

LOGITS = 1 << 22  # logits per chunk: 16 MB of float32


def summed_nats(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Negative log-likelihood of the targets under ``softmax(hidden @ weight.T)``, summed.

    The gradient is computed together with the loss, in chunks of rows, since both need the same
    probabilities. Matrix products run in autocast's dtype, everything else in float32.

    Args:
        hidden: ``[N, D]``.
        weight: ``[V, D]``.
        targets: ``[N]`` int64 ids.
    """
    nats: Tensor = _SummedNats.apply(hidden, weight, targets)  # type: ignore[no-untyped-call]
    return nats


class _SummedNats(Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        device = hidden.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
        with torch.autocast(device, enabled=False):
            nats, *gradients = _chunked(hidden, weight, targets, dtype or hidden.dtype, ctx)
        ctx.save_for_backward(*gradients)
        return nats

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_nats: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        d_hidden, d_weight = (
            saved * d_nats if needed else None
            for saved, needed in zip(ctx.saved_tensors, ctx.needs_input_grad, strict=False)
        )
        return d_hidden, d_weight, None


def _chunked(
    hidden: Tensor, weight: Tensor, targets: Tensor, dtype: torch.dtype, ctx: Any
) -> list[Tensor]:
    """The loss; if gradients are needed, also those with respect to `hidden` and `weight`."""
    wanted = any(ctx.needs_input_grad)
    cast = weight.to(dtype)
    nats = torch.zeros((), device=hidden.device)
    d_hidden = torch.empty_like(hidden) if wanted else None
    d_weight = torch.zeros_like(weight) if wanted else None
    rows = max(1, LOGITS // len(weight))
    for start in range(0, len(hidden), rows):
        chunk = hidden[start : start + rows].to(dtype)
        ids = targets[start : start + rows, None]
        logs = (chunk @ cast.T).float().log_softmax(-1)
        nats -= logs.gather(-1, ids).sum()
        if d_hidden is None or d_weight is None:
            continue
        # The gradient of the nats with respect to the logits is softmax(logits) - one_hot(target).
        d_logits = logs.exp_().scatter_add_(-1, ids, logs.new_full((), -1).expand_as(ids))
        d_logits = d_logits.to(dtype)
        d_hidden[start : start + rows] = d_logits @ cast
        d_weight += d_logits.T @ chunk
    return [nats] if d_hidden is None or d_weight is None else [nats, d_hidden, d_weight]
