"""Causal attention that also scores the distance between query and key.

Huang et al., "Music Transformer", ICLR 2019 (https://arxiv.org/abs/1809.04281), as computed by
Tensor2Tensor's ``dot_product_relative_v2``: the score of query i and key j is
``q_i . (k_j + e_{i-j}) / sqrt(C)``, with an embedding per head for each of R distances. Farther
keys have no second term; with `clip` they share the embedding of the farthest distance (Shaw et
al. 2018).

No tensor of queries x keys x width is formed. Queries are multiplied by the embeddings of all
distances at once, and the rows of the result are shifted against each other, since a step to the
next query moves every key one distance away.

Shapes: B pieces, N tokens of all pieces together, H heads, Q queries, T keys, C width of a head,
D distances. Embeddings are ordered from the farthest distance to distance 0, as Tensor2Tensor
stores them.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from symbotunes.models.layers.attention import QUERIES, future_mask, pieces_of, query_blocks
from symbotunes.models.layers.private_torch import softmax_backward


def distance_table(embeddings: Tensor, longest: int, *, clip: bool) -> Tensor:
    """Embeddings of the distances within `longest` tokens, as far as they are scored.

    Args:
        embeddings: ``[H, R, C]``.
        longest: number of tokens of the longest piece.
        clip: whether distances of R and more have the embedding of distance R - 1.

    Returns:
        ``[H, D, C]``, where D is `longest`, or R if that is less and nothing is clipped.
    """
    known = embeddings.shape[1]
    if longest <= known:
        return embeddings[:, known - longest :]
    if not clip:
        return embeddings
    farthest = embeddings[:, :1].expand(-1, longest - known, -1)
    return torch.cat([farthest, embeddings], 1)


def relative_scores(query: Tensor, table: Tensor, keys: int) -> Tensor:
    """Second term of the scores, of the last Q of `keys` tokens.

    Args:
        query: ``[B, H, Q, C]``.
        table: ``[H, D, C]`` from `distance_table`, D at most `keys`.
        keys: T.

    Returns:
        ``[B, H, Q, T]``; what is right of the diagonal has no meaning and must be masked.
    """
    queries = query.shape[2]
    scores = query @ table.transpose(1, 2)  # [B, H, Q, D]; the last column is distance 0
    # Zeros for keys that are too far, and one more column: read in rows that are shorter by it,
    # each row starts one column later than the row before, which turns distances into positions.
    scores = F.pad(scores, (keys - table.shape[1] + 1, 0))
    return scores.flatten(2)[..., queries:].view(*query.shape[:2], queries, keys)


def relative_attention(
    query: Tensor, key: Tensor, value: Tensor, table: Tensor, *, dropout: float = 0.0
) -> Tensor:
    """Attention of a padded batch on any device, also of the last queries alone.

    Memory is that of the scores, ``[B, H, Q, T]``.

    Args:
        query: ``[B, H, Q, C]``, the last Q of the T tokens.
        key: ``[B, H, T, C]``.
        value: ``[B, H, T, C]``, or of another width.
        table: ``[H, D, C]`` from `distance_table`.
        dropout: fraction of attention weights zeroed; the rest are scaled up.

    Returns:
        ``[B, H, Q, C]``, of the width of values.
    """
    queries, keys = query.shape[2], key.shape[2]
    query = query * query.shape[-1] ** -0.5
    bias = relative_scores(query, table, keys)
    if queries > 1:
        future = torch.ones(queries, keys, dtype=torch.bool, device=query.device)
        bias = bias.masked_fill(future.triu(keys - queries + 1), float("-inf"))
    return F.scaled_dot_product_attention(
        query, key, value, attn_mask=bias, dropout_p=dropout, scale=1.0
    )


def packed_relative_attention(qkv: Tensor, table: Tensor, lengths: Sequence[int]) -> Tensor:
    """Attention of pieces stored end to end, for CPUs.

    Blocks of queries read only the keys up to them, so that the masked half of the scores costs
    nothing; the scores of long pieces are computed again for the gradients.

    Args:
        qkv: ``[N, 3, H, C]`` queries, keys and values.
        table: ``[H, D, C]`` from `distance_table` for the longest piece.
        lengths: number of tokens of each piece, N in all.

    Returns:
        ``[N, H, C]``.
    """
    attended: Tensor = _RelativeAttention.apply(qkv, table, tuple(lengths))  # type: ignore[no-untyped-call]
    return attended


class _RelativeAttention(Function):
    """Like `attention._Attention`, with scores of distances and gradients of their embeddings."""

    @staticmethod
    def forward(ctx: Any, qkv: Tensor, table: Tensor, lengths: tuple[int, ...]) -> Tensor:
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
                    near = table[:, -end:]
                    weights = _weights(query[:, start:end], key[:, :end], near, mask)
                    out[:, start:end] = torch.bmm(weights, value[:, :end])
                if len(out[0]) <= QUERIES:  # a single block, whose weights are the loop's last
                    kept.append(weights)
        ctx.save_for_backward(qkv, table, *kept)
        ctx.lengths = lengths
        return attended

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_attended: Tensor) -> tuple[Tensor, Tensor, None]:
        qkv, table, *saved = ctx.saved_tensors
        kept = iter(saved)
        d_qkv = torch.zeros_like(qkv)
        # All tokens add to these, so that bfloat16 would lose most of the sum.
        d_table = torch.zeros_like(table, dtype=torch.promote_types(table.dtype, torch.float32))
        mask = future_mask(qkv, ctx.lengths)
        pieces = (pieces_of(tensor, ctx.lengths) for tensor in (qkv, d_qkv, d_attended))
        with torch.autocast("cpu", enabled=False):
            for length, piece, d_piece, d_out in zip(ctx.lengths, *pieces, strict=True):
                known = next(kept) if length <= QUERIES else None
                _add_gradients(piece, table, known, mask, d_out=d_out, into=(d_piece, d_table))
        return d_qkv, d_table.to(table.dtype), None


def _weights(query: Tensor, key: Tensor, table: Tensor, mask: Tensor) -> Tensor:
    """Attention weights ``[H, Q, T]`` of scaled queries, the last Q of the T tokens."""
    heads, queries, _ = query.shape
    keys, margin = key.shape[1], _margin(query, key, table)
    scores = query.new_empty(heads, queries, margin + keys)
    visible = scores[:, :, margin:]
    torch.bmm(query, key.transpose(1, 2), out=visible)
    _band(scores, table.shape[1]).baddbmm_(query, table.transpose(1, 2))
    visible[:, :, keys - queries :] += mask[:queries, :queries]
    return visible.softmax(-1)


def _margin(query: Tensor, key: Tensor, table: Tensor) -> int:
    """Columns before the first key that the band of the first query reaches into."""
    return max(0, table.shape[1] - 1 - (key.shape[1] - query.shape[1]))


def _band(scores: Tensor, distances: int) -> Tensor:
    """The scores by distance: a view ``[H, Q, D]`` of contiguous ``[H, Q, columns]``.

    The last query and the last column are at distance 0. An entry of the view is one distance away
    from the entry before it in its row, and from the one above it, so that rows of the view begin
    one column later each: they are `columns` + 1 entries apart. No entry is there twice. Products
    are written into it, and read from it, without a copy.
    """
    heads, queries, columns = scores.shape
    first = columns - queries - (distances - 1)
    return scores.as_strided(
        (heads, queries, distances),
        (queries * columns, columns + 1, 1),
        scores.storage_offset() + first,
    )


def _add_gradients(
    piece: Tensor,
    table: Tensor,
    weights: Tensor | None,
    mask: Tensor,
    *,
    d_out: Tensor,
    into: tuple[Tensor, Tensor],
) -> None:
    """Add the gradients of one piece.

    Args:
        piece: ``[3, H, T, C]`` unscaled queries, keys and values.
        table: ``[H, D, C]``.
        weights: those of a piece of one block; ``None``: they are computed again.
        mask: of the block on the diagonal.
        d_out: ``[H, T, C]`` gradient of the output.
        into: sums of the gradients of `piece` and `table`.
    """
    # With weights W = softmax(S), S = Q K^T + shifted(Q E^T) and Q already scaled:
    # dV = W^T dO; dW = dO V^T; dS is the softmax's gradient, 0 wherever the mask made W 0;
    # dQ = dS K + band(dS) E, dK = dS^T Q, dE = band(dS)^T Q.
    (query, key, value), (d_piece, d_table) = piece, into
    scale = query.shape[-1] ** -0.5
    query = query * scale
    for start, end in query_blocks(query.shape[1]):
        own, seen, near = query[:, start:end], key[:, :end], table[:, -end:]
        w = _weights(own, seen, near, mask) if weights is None else weights
        d_weights = torch.bmm(d_out[:, start:end], value[:, :end].transpose(1, 2))
        d_scores = softmax_backward(d_weights, w)
        # Gradients of the columns before the first key are zero.
        padded = F.pad(d_scores, (_margin(own, seen, near), 0)).contiguous()
        d_band = _band(padded, near.shape[1])
        d_query = torch.bmm(d_scores, seen).baddbmm_(d_band, near)
        d_piece[0, :, start:end] = d_query.mul_(scale)
        d_piece[1, :, :end] += torch.bmm(d_scores.transpose(1, 2), own)
        d_piece[2, :, :end] += torch.bmm(w.transpose(1, 2), d_out[:, start:end])
        d_table[:, -end:] += torch.bmm(d_band.transpose(1, 2), own)
