"""What reading step by step needs: keys and values kept, and weights laid out for few rows.

With a handful of rows a matrix product costs what reading its weights costs. On the CPU, PyTorch's
general product reads them at half the machine's bandwidth; oneDNN's own layout, which
``torch.compile`` uses too, does better.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TINY = 1e-12  # where a row is all zeros
STRIDE = 32  # inputs that the kernel for 8-bit weights reads at once; it does not check for an end
FIRST = 256  # tokens that a cache has room for at first; it doubles when it is full


class Cache(NamedTuple):
    """All that a transformer remembers of what it has read; the buffers are written in place.

    Attributes:
        tokens: ``[B, context]`` int64, what was read since the window last moved.
        keys: for each layer ``[B, H, room, C]``.
        values: likewise.
        length: tokens read since the window last moved, the same for every row.
        layers: the network's blocks, laid out for decoding.
        head: from hidden ``[B, D]`` to logits ``[B, V]``.
    """

    tokens: Tensor
    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    length: int
    layers: tuple[nn.Module, ...]
    head: nn.Module

    def with_room(self, length: int) -> "Cache":
        """The cache with room for `length` tokens: itself, or a copy at least twice as large."""
        room = self.keys[0].shape[2]
        if length <= room:
            return self
        room = min(max(length, 2 * room), self.tokens.shape[1])
        return self._replace(
            keys=tuple(self._grown(keys, room) for keys in self.keys),
            values=tuple(self._grown(values, room) for values in self.values),
        )

    def _grown(self, buffer: Tensor, room: int) -> Tensor:
        rows, heads, _, width = buffer.shape
        larger = buffer.new_empty(rows, heads, room, width)
        larger[:, :, : self.length] = buffer[:, :, : self.length]
        return larger


class Packed(nn.Module):
    """A linear layer in oneDNN's layout, with tanh GELU after it or not.

    Args:
        weight: ``[outputs, inputs]``.
        bias: ``[outputs]``, or ``None``.
        rows: for how many rows at a time the layout is chosen; any number works.
        dtype: of weights, arithmetic and what comes out, whatever goes in.
        gelu: whether GELU follows.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None, *, rows: int, dtype: torch.dtype, gelu: bool
    ) -> None:
        super().__init__()
        self.dtype = dtype
        self.after: tuple[str, list[float], str] = (
            ("gelu", [], "tanh") if gelu else ("none", [], "")
        )
        self.bias = None if bias is None else bias.detach().to(dtype)
        given = weight.detach().to(dtype)
        self.weight = torch.ops.mkldnn._reorder_linear_weight(given, rows)
        self._run = torch.ops.mkldnn._linear_pointwise.default

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self._run(x.to(self.dtype), self.weight, self.bias, *self.after)
        return result


class Quantized(nn.Module):
    """A linear layer whose weights are 8-bit integers, with tanh GELU after it or not.

    Weights are rounded per output; arithmetic and what comes out are bfloat16. It pays for up to
    eight rows: weights are widened again for every few of them.

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
        given = F.pad(weight.detach(), (0, self.missing))
        self.scales = (given.abs().amax(1).clamp_min(TINY) / 127).bfloat16()
        whole = (given / self.scales.float()[:, None]).round().clamp(-127, 127)
        self.weight = whole.to(torch.int8).contiguous()

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x.bfloat16(), (0, self.missing)).contiguous()
        hidden: Tensor = torch._weight_int8pack_mm(x, self.weight, self.scales)
        if self.bias is not None:
            hidden = hidden.add_(self.bias)
        return F.gelu(hidden, approximate="tanh") if self.gelu else hidden


class Plain(nn.Module):
    """The same in PyTorch's own layout, on the given weights themselves."""

    def __init__(self, weight: Tensor, bias: Tensor | None, *, gelu: bool) -> None:
        super().__init__()
        self.weight, self.bias = weight.detach(), None if bias is None else bias.detach()
        self.gelu = gelu

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.linear(x, self.weight, self.bias)
        return F.gelu(hidden, approximate="tanh") if self.gelu else hidden


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
        rows: how many are read side by side.
        dtype: that weights are rounded to on the CPU, ``torch.bfloat16`` or ``torch.int8``;
            ``None`` keeps theirs.
        gelu: whether tanh GELU follows.

    Raises:
        ValueError: if `dtype` is another.
    """
    if dtype not in (None, torch.float32, torch.bfloat16, torch.int8):
        raise ValueError(f"weights can be rounded to bfloat16 or int8, not to {dtype}")
    own = dtype or weight.dtype
    if weight.device.type != "cpu" or not torch._C._has_mkldnn:
        return Plain(weight, bias, gelu=gelu)
    if own == torch.int8:
        return Quantized(weight, bias, gelu=gelu)
    is_worth_it = rows > 1 or own != weight.dtype  # PyTorch reads a single row's at full speed
    # oneDNN refuses bfloat16 on CPUs without AVX512, where PyTorch has kernels of its own.
    known = own == torch.float32 or (
        own == torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )
    if is_worth_it and known:
        return Packed(weight, bias, rows=rows, dtype=own, gelu=gelu)
    return Plain(weight, bias, gelu=gelu)
