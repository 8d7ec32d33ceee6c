"""Causal self-attention over pieces of unequal length, stored end to end without padding.

Shapes: N tokens of all pieces together, H heads, C width of a head, T tokens of one piece.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from symbotunes.models.layers.private_torch import softmax_backward

WASTE = 1 / 8  # share of padding up to which pieces of unequal length are attended together
QUERIES = 256  # rows of scores per block: [H, 256, T] fits the cache even for long pieces


@dataclass(frozen=True)
class Layout:
    """Where each piece is among the N tokens of a batch.

    Attributes:
        lengths: number of tokens of each piece, at least 1.
        slots: ``[N]`` index of every token in the flattened padded batch ``[B, T]``.
        positions: ``[N]`` position of every token in its piece, counted from 0.
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
        """Turn ``[N, ...]`` into ``[B, T, ...]``, with zeros after each piece."""
        rows, steps = self.padded
        if self.is_even:
            return packed.view(rows, steps, *packed.shape[1:])
        empty = packed.new_zeros(rows * steps, *packed.shape[1:])
        return empty.index_copy(0, self.slots, packed).view(rows, steps, *packed.shape[1:])

    @cached_property
    def groups(self) -> "Groups":
        """The pieces in groups of like length, in which padding adds less than an eighth."""
        return Groups.of(self.lengths, self.slots.device)

    def pack(self, padded: Tensor) -> Tensor:
        """Turn ``[B, T, ...]`` into ``[N, ...]``, the inverse of `pad`."""
        flat = padded.flatten(0, 1)
        return flat if self.is_even else flat.index_select(0, self.slots)


@dataclass(frozen=True)
class Groups:
    """Pieces of like length together, so that none is padded to the longest of the batch.

    Attributes:
        order: ``[N]`` tokens of all pieces, those of a group behind each other.
        places: ``[N]`` the inverse permutation.
        layouts: of the pieces of each group.
    """

    order: Tensor
    places: Tensor
    layouts: tuple[Layout, ...]

    @classmethod
    def of(cls, lengths: Sequence[int], device: torch.device) -> "Groups":
        """Groups from the longest piece down; each takes what is at most `WASTE` shorter."""
        ends = list(accumulate(lengths))
        groups: list[list[int]] = []
        for piece in sorted(range(len(lengths)), key=lambda piece: -lengths[piece]):
            if not groups or lengths[piece] < (1 - WASTE) * lengths[groups[-1][0]]:
                groups.append([])
            groups[-1].append(piece)
        order = torch.cat(
            [
                torch.arange(ends[piece] - lengths[piece], ends[piece])
                for group in groups
                for piece in group
            ]
        )
        layouts = [Layout.of([lengths[piece] for piece in group], device) for group in groups]
        return cls(order.to(device), order.argsort().to(device), tuple(layouts))


Attend = Callable[[Tensor, Tensor, Tensor], Tensor]


def attend_by_groups(qkv: Tensor, layout: Layout, attend: Attend) -> Tensor:
    """Attention of pieces of any lengths by a function of padded batches, with little padding.

    Not PyTorch's nested tensors, whose causal attention has no kernel for CPUs, nor its
    ``flex_attention``, which is fast only where ``torch.compile`` works.

    Args:
        qkv: ``[N, 3, H, C]`` queries, keys and values.
        layout: layout of the pieces.
        attend: maps queries, keys and values, each ``[B, H, T, C]`` and padded on the right, to
            ``[B, H, T, C]``.

    Returns:
        ``[N, H, C]``.
    """
    groups = layout.groups
    ordered = qkv.index_select(0, groups.order)
    sizes = [len(part.slots) for part in groups.layouts]
    attended = []
    for part, own in zip(torch.split(ordered, sizes), groups.layouts, strict=True):
        query, key, value = own.pad(part).permute(2, 0, 3, 1, 4)  # each [B, H, T, C]
        attended.append(own.pack(attend(query, key, value).transpose(1, 2)))
    return torch.cat(attended).index_select(0, groups.places)


def causal_attention(qkv: Tensor, layout: Layout, dropout: float = 0.0) -> Tensor:
    """Attention in which every token attends to itself and to previous tokens of its piece.

    Args:
        qkv: ``[N, 3, H, C]`` queries, keys and values.
        layout: layout of the pieces.
        dropout: fraction of attention weights zeroed; the rest are scaled up.

    Returns:
        ``[N, H, C]``.
    """
    # Not torch's fused kernel, because its backward pass is slow on the CPU (in bfloat16 it takes
    # four times as long as this one).
    if qkv.device.type == "cpu" and qkv.requires_grad and torch.is_grad_enabled() and not dropout:
        attended: Tensor = _Attention.apply(qkv, layout.lengths)  # type: ignore[no-untyped-call]
        return attended
    fused = partial(F.scaled_dot_product_attention, dropout_p=dropout, is_causal=True)
    if qkv.device.type != "cpu" and not layout.is_even:
        return attend_by_groups(qkv, layout, fused)
    query, key, value = layout.pad(qkv).permute(2, 0, 3, 1, 4)  # each [B, H, T, C]
    return layout.pack(fused(query, key, value).transpose(1, 2))


def pieces_of(tensor: Tensor, lengths: Sequence[int]) -> Iterator[Tensor]:
    """Views of every piece, tokens before the last axis: ``[N, 3, H, C]`` -> ``[3, H, T, C]``."""
    for length, end in zip(lengths, accumulate(lengths), strict=True):
        yield tensor[end - length : end].movedim(0, -2)


def query_blocks(length: int) -> Iterator[tuple[int, int]]:
    """First and last (exclusive) query of each block of a piece."""
    for start in range(0, length, QUERIES):
        yield start, min(start + QUERIES, length)


def future_mask(qkv: Tensor, lengths: Sequence[int]) -> Tensor:
    """What is added to the scores of the square block on the diagonal: minus infinity above it."""
    side = min(QUERIES, max(lengths))
    return torch.full((side, side), float("-inf"), dtype=qkv.dtype, device=qkv.device).triu(1)


def _weights(query: Tensor, key: Tensor, mask: Tensor, start: int) -> Tensor:
    """Attention weights ``[H, Q, T]`` of Q scaled queries, the first of which is at `start`."""
    # Queries start..end see keys 0..end only: keys before `start` are all in the past, and the mask
    # is needed just for the square block start..end on the diagonal.
    end = start + query.shape[1]
    scores = torch.bmm(query, key[:, :end].transpose(1, 2))
    scores[:, :, start:] += mask[: end - start, : end - start]
    return scores.softmax(-1)


class _Attention(Function):
    """Attention piece by piece, and within a piece by blocks of queries.

    For a piece of a single block, the weights are saved for the backward pass. For longer pieces
    they are recomputed there, so that memory is linear in N and never holds a ``[T, T]`` matrix of
    more than `QUERIES` rows. `pieces_of` yields views, so writing to them fills `attended` and
    `d_qkv` in place.
    """

    @staticmethod
    def forward(ctx: Any, qkv: Tensor, lengths: tuple[int, ...]) -> Tensor:
        attended = torch.empty_like(qkv[:, 0])
        mask = future_mask(qkv, lengths)
        kept: list[Tensor] = []
        with torch.autocast("cpu", enabled=False):
            for piece, out in zip(
                pieces_of(qkv, lengths), pieces_of(attended, lengths), strict=True
            ):
                query, key, value = piece
                query = query * query.shape[-1] ** -0.5
                for start, end in query_blocks(query.shape[1]):
                    weights = _weights(query[:, start:end], key, mask, start)
                    out[:, start:end] = torch.bmm(weights, value[:, :end])
                if len(out[0]) <= QUERIES:  # a single block, whose weights are the loop's last
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
        mask = future_mask(qkv, lengths)
        pieces = (pieces_of(tensor, lengths) for tensor in (qkv, d_qkv, d_attended))
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
    """Gradients of queries ``[H, Q, C]``, keys and values ``[H, T, C]``.

    Args:
        query: unscaled queries.
        key: keys.
        value: values.
        weights: ``[H, Q, T]`` attention weights W = softmax(S), S = Q K^T / sqrt(C).
        d_out: ``[H, Q, C]`` gradient of the output W V.
    """
    # dV = W^T dO; dW = dO V^T; dS = W * (dW - rowsum(W * dW)), the softmax backward pass, which is
    # 0 wherever the mask made W 0; then dQ = dS K / sqrt(C) and dK = dS^T Q / sqrt(C).
    d_weights = torch.bmm(d_out, value.transpose(1, 2))
    d_scores = softmax_backward(d_weights, weights)
    scale = query.shape[-1] ** -0.5
    return (
        torch.bmm(d_scores, key).mul_(scale),
        torch.bmm(d_scores.transpose(1, 2), query).mul_(scale),
        torch.bmm(weights.transpose(1, 2), d_out),
    )


def _add_gradients(piece: Tensor, d_piece: Tensor, d_out: Tensor, mask: Tensor) -> None:
    """The same for a piece of several blocks, whose weights are recomputed.

    Each query is in one block, so its gradient is assigned; keys and values are read by their own
    block and all later ones, so their gradients add up, which is why `d_piece` starts at zero.
    """
    query, key, value = piece
    scaled = query * query.shape[-1] ** -0.5
    for start, end in query_blocks(query.shape[1]):
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
