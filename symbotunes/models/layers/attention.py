"""Causal self-attention of pieces of unequal length that lie end to end, without padding.

Shapes: N tokens of all pieces together, H heads, C width of a head, T tokens of one piece.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

QUERIES = 256  # rows of scores at once: [H, 256, T] stays near the cache, however long the piece


@dataclass(frozen=True)
class Layout:
    """Where each piece lies among the N tokens of a batch.

    Attributes:
        lengths: tokens of each piece, none of them 0.
        slots: ``[N]`` index of every token in the flattened ``[B, T]`` of the padded batch.
        positions: ``[N]`` place of every token in its own piece, from 0.
    """

    lengths: tuple[int, ...]
    slots: Tensor
    positions: Tensor

    @classmethod
    def of(cls, lengths: Sequence[int], device: torch.device) -> "Layout":
        """The layout of pieces of these lengths."""
        steps = torch.arange(max(lengths))
        real = steps < torch.tensor(lengths)[:, None]  # [B, T]
        slots = real.flatten().nonzero()[:, 0]
        positions = slots % len(steps)
        return cls(tuple(lengths), slots.to(device), positions.to(device))

    @property
    def padded(self) -> tuple[int, int]:
        """B and T of the padded batch."""
        return len(self.lengths), max(self.lengths)

    @property
    def is_even(self) -> bool:
        """Whether padding would add nothing."""
        return len(self.slots) == len(self.lengths) * max(self.lengths)

    def pad(self, packed: Tensor) -> Tensor:
        """``[N, ...]`` as ``[B, T, ...]``, with zeros after each piece."""
        rows, steps = self.padded
        if self.is_even:
            return packed.view(rows, steps, *packed.shape[1:])
        empty = packed.new_zeros(rows * steps, *packed.shape[1:])
        return empty.index_copy(0, self.slots, packed).view(rows, steps, *packed.shape[1:])

    def pack(self, padded: Tensor) -> Tensor:
        """``[B, T, ...]`` as ``[N, ...]``: what `pad` undoes."""
        flat = padded.flatten(0, 1)
        return flat if self.is_even else flat.index_select(0, self.slots)


def causal_attention(qkv: Tensor, layout: Layout, dropout: float = 0.0) -> Tensor:
    """Every token attends to itself and to those before it in its own piece.

    Args:
        qkv: ``[N, 3, H, C]`` queries, keys and values.
        layout: of the pieces.
        dropout: share of attention weights zeroed, the rest scaled up.

    Returns:
        ``[N, H, C]``.
    """
    # Torch's fused kernel is slow backward on the CPU (in bfloat16 four times as slow as this one).
    if qkv.device.type == "cpu" and qkv.requires_grad and torch.is_grad_enabled() and not dropout:
        attended: Tensor = _Attention.apply(qkv, layout.lengths)  # type: ignore[no-untyped-call]
        return attended
    query, key, value = layout.pad(qkv).permute(2, 0, 3, 1, 4)  # each [B, H, T, C]
    padded = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)
    return layout.pack(padded.transpose(1, 2))


def _pieces(tensor: Tensor, lengths: Sequence[int]) -> Iterator[Tensor]:
    """Views of every piece, tokens before the last axis: ``[3, H, T, C]`` of ``[N, 3, H, C]``."""
    for length, end in zip(lengths, accumulate(lengths), strict=True):
        yield tensor[end - length : end].movedim(0, -2)


def _blocks(length: int) -> Iterator[tuple[int, int]]:
    for start in range(0, length, QUERIES):
        yield start, min(start + QUERIES, length)


def _mask(qkv: Tensor, lengths: Sequence[int]) -> Tensor:
    side = min(QUERIES, max(lengths))
    return torch.full((side, side), float("-inf"), dtype=qkv.dtype, device=qkv.device).triu(1)


def _weights(query: Tensor, key: Tensor, mask: Tensor, start: int) -> Tensor:
    """Attention weights ``[H, Q, T]`` of Q scaled queries that begin at `start`."""
    end = start + query.shape[1]
    scores = torch.bmm(query, key[:, :end].transpose(1, 2))
    scores[:, :, start:] += mask[: end - start, : end - start]
    return scores.softmax(-1)


class _Attention(Function):
    """Piece by piece, block by block of queries.

    The weights of a piece of one block are kept for the backward pass, those of longer pieces are
    computed again, so that memory grows with N alone.
    """

    @staticmethod
    def forward(ctx: Any, qkv: Tensor, lengths: tuple[int, ...]) -> Tensor:
        attended = torch.empty_like(qkv[:, 0])
        mask = _mask(qkv, lengths)
        kept: list[Tensor] = []
        with torch.autocast("cpu", enabled=False):
            for piece, out in zip(_pieces(qkv, lengths), _pieces(attended, lengths), strict=True):
                query, key, value = piece
                query = query * query.shape[-1] ** -0.5
                for start, end in _blocks(query.shape[1]):
                    weights = _weights(query[:, start:end], key, mask, start)
                    out[:, start:end] = torch.bmm(weights, value[:, :end])
                if len(out[0]) <= QUERIES:
                    kept.append(weights)
        ctx.save_for_backward(qkv, *kept)
        ctx.lengths = lengths
        return attended

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_attended: Tensor) -> tuple[Tensor, None]:
        qkv, *saved = ctx.saved_tensors
        kept = iter(saved)
        lengths = ctx.lengths
        d_qkv = torch.empty_like(qkv)
        mask = _mask(qkv, lengths)
        pieces = (_pieces(tensor, lengths) for tensor in (qkv, d_qkv, d_attended))
        with torch.autocast("cpu", enabled=False):
            for length, piece, d_piece, d_out in zip(lengths, *pieces, strict=True):
                if length <= QUERIES:
                    parts = _gradients(*piece.unbind(), weights=next(kept), d_out=d_out)
                    for into, part in zip(d_piece, parts, strict=True):
                        into.copy_(part)
                else:
                    _add_gradients(piece, d_piece.zero_(), d_out, mask)
        return d_qkv, None


def _gradients(
    query: Tensor, key: Tensor, value: Tensor, *, weights: Tensor, d_out: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """By queries ``[H, Q, C]``, keys and values ``[H, T, C]``, given weights ``[H, Q, T]``."""
    d_weights = torch.bmm(d_out, value.transpose(1, 2))
    d_scores = torch._softmax_backward_data(d_weights, weights, -1, weights.dtype)
    scale = query.shape[-1] ** -0.5
    return (
        torch.bmm(d_scores, key).mul_(scale),
        torch.bmm(d_scores.transpose(1, 2), query).mul_(scale),
        torch.bmm(weights.transpose(1, 2), d_out),
    )


def _add_gradients(piece: Tensor, d_piece: Tensor, d_out: Tensor, mask: Tensor) -> None:
    """The same for a piece of several blocks, whose weights are computed again."""
    query, key, value = piece
    scaled = query * query.shape[-1] ** -0.5
    for start, end in _blocks(query.shape[1]):
        weights = _weights(scaled[:, start:end], key, mask, start)
        d_query, d_key, d_value = _gradients(
            query[:, start:end],
            key[:, :end],
            value[:, :end],
            weights=weights,
            d_out=d_out[:, start:end],
        )
        d_piece[0, :, start:end] = d_query
        d_piece[1, :, :end] += d_key
        d_piece[2, :, :end] += d_value
