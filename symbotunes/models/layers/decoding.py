"""Step-by-step decoding: cached keys and values, and weights laid out for a few rows.

With a handful of rows, the cost of a matrix product is that of reading its weights. On the CPU,
PyTorch's general product reads them at half the machine's bandwidth; oneDNN's own layout, which
``torch.compile`` also uses, is faster.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symbotunes.models.layers.private_torch import (
    int8_linear,
    linear,
    onednn_linear,
    onednn_weight,
    takes_onednn_layout,
)

TINY = 1e-12  # lower bound of a scale, for rows that are all zeros
STRIDE = 32  # inputs that the kernel for 8-bit weights reads at once, without a bounds check
FIRST = 256  # initial capacity of a cache in tokens; it doubles when full


class Decodable(Protocol):
    """A block of a transformer that can lay out its weights for decoding."""

    def for_decoding(self, rows: int, dtype: torch.dtype | None) -> nn.Module:
        """A copy of the block with weights laid out for `rows` tokens at a time, see `packed`."""


class Cache(NamedTuple):
    """The state of a transformer after the tokens read so far.

    The buffers are written in place.

    Attributes:
        tokens: ``[B, context]`` int64, the tokens read since the window last moved.
        keys: ``[B, H, room, C]`` per layer.
        values: the same.
        length: tokens read since the window last moved, the same for every row.
        layers: the network's blocks, laid out for decoding.
        head: maps hidden vectors ``[B, D]`` to logits ``[B, V]``.
    """

    tokens: Tensor
    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    length: int
    layers: tuple[nn.Module, ...]
    head: nn.Module

    def with_room(self, length: int) -> "Cache":
        """The cache with room for `length` tokens: itself, or a larger copy, at least doubled."""
        room = self.keys[0].shape[2]
        if length <= room:
            return self
        room = min(max(length, 2 * room), self.tokens.shape[1])
        return self._replace(
            keys=tuple(self._grown(keys, room) for keys in self.keys),
            values=tuple(self._grown(values, room) for values in self.values),
        )

    def chosen(self, rows: Sequence[int]) -> "Cache":
        """A copy of some of the rows, in the order given."""
        index = torch.tensor(rows, device=self.tokens.device)
        return self._replace(
            tokens=self.tokens[index],
            keys=tuple(keys[index] for keys in self.keys),
            values=tuple(values[index] for values in self.values),
        )

    def _grown(self, buffer: Tensor, room: int) -> Tensor:
        rows, heads, _, width = buffer.shape
        larger = buffer.new_empty(rows, heads, room, width)
        larger[:, :, : self.length] = buffer[:, :, : self.length]
        return larger


class Packed(nn.Module):
    """A linear layer in oneDNN's layout, optionally followed by tanh GELU.

    Args:
        weight: ``[outputs, inputs]``.
        bias: ``[outputs]``, or ``None``.
        rows: number of rows for which the layout is optimized; any number works.
        dtype: dtype of weights, arithmetic and output, whatever that of the input.
        gelu: whether GELU follows.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None, *, rows: int, dtype: torch.dtype, gelu: bool
    ) -> None:
        super().__init__()
        self.dtype = dtype
        self.gelu = gelu
        self.bias = None if bias is None else bias.detach().to(dtype)
        self.weight = onednn_weight(weight.detach().to(dtype), rows)

    def forward(self, x: Tensor) -> Tensor:
        return onednn_linear(x.to(self.dtype), self.weight, self.bias, gelu=self.gelu)


class Quantized(nn.Module):
    """A linear layer with 8-bit integer weights, optionally followed by tanh GELU.

    Weights are quantized with one scale per output; arithmetic and output are bfloat16. It pays off
    for up to eight rows, because the weights are dequantized again for every few rows.

    Args:
        weight: ``[outputs, inputs]``.
        bias: ``[outputs]``, or ``None``.
        gelu: whether GELU follows.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, *, gelu: bool) -> None:
        super().__init__()
        self.gelu = gelu
        self.bias = None if bias is None else bias.detach().bfloat16()
        self.missing = -weight.shape[1] % STRIDE
        padded = F.pad(weight.detach(), (0, self.missing))
        self.scales = (padded.abs().amax(1).clamp_min(TINY) / 127).bfloat16()
        # Divide by the scales as rounded to bfloat16: the kernel multiplies by these.
        levels = (padded / self.scales.float()[:, None]).round().clamp(-127, 127)
        self.weight = levels.to(torch.int8).contiguous()

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x.bfloat16(), (0, self.missing)).contiguous()
        hidden = int8_linear(x, self.weight, self.scales)
        if self.bias is not None:
            hidden = hidden.add_(self.bias)
        return F.gelu(hidden, approximate="tanh") if self.gelu else hidden


class Plain(nn.Module):
    """The same in PyTorch's own layout, sharing the given weights."""

    def __init__(self, weight: Tensor, bias: Tensor | None, *, gelu: bool) -> None:
        super().__init__()
        self.weight, self.bias = weight.detach(), None if bias is None else bias.detach()
        self.gelu = gelu

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight, self.bias, gelu=self.gelu)


def packed(
    weight: Tensor,
    bias: Tensor | None,
    *,
    rows: int,
    dtype: torch.dtype | None = None,
    gelu: bool = False,
) -> nn.Module:
    """A linear layer for `rows` rows at a time, as fast as this device allows.

    Args:
        weight: ``[outputs, inputs]``.
        bias: ``[outputs]``, or ``None``.
        rows: number of rows that are read in parallel.
        dtype: dtype to which weights are rounded on the CPU, ``torch.bfloat16`` or ``torch.int8``;
            ``None`` keeps their dtype.
        gelu: whether tanh GELU follows.

    Raises:
        ValueError: if `dtype` is not supported.
    """
    if dtype not in (None, torch.float32, torch.bfloat16, torch.int8):
        raise ValueError(f"weights can be rounded to bfloat16 or int8, not to {dtype}")
    target = dtype or weight.dtype
    has_onednn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if weight.device.type != "cpu" or not has_onednn:
        return Plain(weight, bias, gelu=gelu)
    if target == torch.int8:
        return Quantized(weight, bias, gelu=gelu)
    is_worth_it = rows > 1 or target != weight.dtype  # for one row PyTorch is already fast
    if is_worth_it and takes_onednn_layout(target):
        return Packed(weight, bias, rows=rows, dtype=target, gelu=gelu)
    return Plain(weight, bias, gelu=gelu)
