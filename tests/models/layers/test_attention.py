"""Attention of pieces of unequal length, off the CPU: in groups of like length."""

import pytest
import torch
import torch.nn.functional as F

from symbotunes.models.layers.attention import Layout, attend_by_groups, causal_attention

HEADS, WIDTH = 2, 4


def packed_lengths() -> list[int]:
    """Pieces as sixteen packed rows of 1,024 tokens hold them: many short, few long."""
    generator = torch.Generator().manual_seed(0)
    lengths: list[int] = []
    while sum(lengths) < 16_384:
        length = int(torch.empty(()).log_normal_(5.0, 0.8, generator=generator))
        lengths.append(max(1, min(length, 1_024)))
    return lengths


def causal(query, key, value):
    return F.scaled_dot_product_attention(query, key, value, is_causal=True)


@pytest.mark.parametrize("lengths", [[5, 9, 1, 7, 9, 8], [3], [1, 1, 1], [2, 40, 3, 39]])
def test_groups_attend_as_each_piece_does_by_itself(lengths):
    torch.manual_seed(0)
    qkv = torch.randn(sum(lengths), 3, HEADS, WIDTH, requires_grad=True)
    layout = Layout.of(lengths, qkv.device)
    attended = attend_by_groups(qkv, layout, causal)
    alone = []
    for piece in qkv.split(lengths):  # softmax(q k^T / 2 + mask) v, written out
        query, key, value = piece.permute(1, 2, 0, 3)
        scores = query @ key.transpose(1, 2) / 2
        future = torch.ones(len(piece), len(piece)).triu(1).bool()
        weights = scores.masked_fill(future, float("-inf")).softmax(-1)
        alone.append((weights @ value).transpose(0, 1))
    expected = torch.cat(alone)
    torch.testing.assert_close(attended, expected)
    torch.testing.assert_close(attended, causal_attention(qkv, layout))
    weight = torch.randn_like(expected)
    (gradient,) = torch.autograd.grad(attended, qkv, weight)
    (expected_gradient,) = torch.autograd.grad(expected, qkv, weight)
    torch.testing.assert_close(gradient, expected_gradient)


def test_packed_pieces_attend_with_hardly_any_padding():
    lengths = packed_lengths()
    layout = Layout.of(lengths, torch.device("cpu"))
    rows, longest = layout.padded
    assert rows * longest > 3 * sum(lengths)  # padded to the longest of all
    padded = sum(
        rows * longest for rows, longest in (part.padded for part in layout.groups.layouts)
    )
    assert padded < 1.1 * sum(lengths)
    assert len(layout.groups.layouts) < 50  # calls of a kernel
