"""Relative attention beside Tensor2Tensor's and beside its definition, all pairs written out."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from symbotunes.models.layers.relative_attention import (
    distance_table,
    packed_relative_attention,
    relative_attention,
    relative_scores,
)

VECTORS = Path(__file__).parents[2] / "files" / "music_transformer" / "relative_attention.npz"
CASES = ["L1_R4_H2_d3", "L7_R16_H3_d4", "L20_R6_H2_d4", "L13_R5_H2_d4_shared"]


def case_of(name):
    with np.load(VECTORS) as file:
        return {
            key.partition("|")[2]: torch.tensor(file[key])
            for key in file.files
            if key.startswith(f"{name}|")
        }


def direct(query, key, value, embeddings, *, clip):
    """The definition, by a tensor of queries x keys x width; for one piece ``[H, T, C]``."""
    length, known = query.shape[1], embeddings.shape[1]
    distance = torch.arange(length)[:, None] - torch.arange(length)
    pairs = embeddings[:, (known - 1 - distance).clamp(0, known - 1)]  # [H, T, T, C]
    if not clip:
        pairs = pairs * (distance < known)[None, :, :, None]
    scores = torch.einsum("hqc,hkc->hqk", query, key)
    scores = scores + torch.einsum("hqc,hqkc->hqk", query, pairs)
    scores = (scores / query.shape[-1] ** 0.5).masked_fill(distance < 0, -torch.inf)
    return scores.softmax(-1) @ value


@pytest.mark.parametrize("mode", ["zero", "clip"])
@pytest.mark.parametrize("name", CASES)
def test_scores_and_outputs_are_those_of_tensor2tensor(name, mode):
    case = case_of(name)
    query, key, value, embeddings = (case[part] for part in ("q", "k", "v", "E"))
    _, heads, length, width = query.shape
    table = distance_table(embeddings.expand(heads, -1, -1), length, clip=mode == "clip")
    scores = relative_scores(query / width**0.5, table, length).tril()
    torch.testing.assert_close(scores, case[f"relative_logits_{mode}"], rtol=0, atol=1e-5)
    attended = relative_attention(query, key, value, table)
    torch.testing.assert_close(attended, case[f"output_{mode}"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("clip", [False, True])
@pytest.mark.parametrize(
    ("lengths", "distances"),
    [([5, 1, 9], 4), ([5, 1, 9], 20), ([520, 300], 300), ([520, 30], 1000)],
)
def test_packed_pieces_have_the_outputs_and_gradients_of_the_definition(lengths, distances, clip):
    torch.manual_seed(0)
    heads, width = 2, 3
    qkv = torch.randn(sum(lengths), 3, heads, width, dtype=torch.float64, requires_grad=True)
    embeddings = torch.randn(heads, distances, width, dtype=torch.float64, requires_grad=True)
    alone = [
        direct(*piece.permute(1, 2, 0, 3), embeddings, clip=clip).transpose(0, 1)
        for piece in qkv.split(lengths)
    ]
    expected = torch.cat(alone)
    table = distance_table(embeddings, max(lengths), clip=clip)
    attended = packed_relative_attention(qkv, table, lengths)
    torch.testing.assert_close(attended, expected)
    weight = torch.randn_like(expected)
    gradients = torch.autograd.grad(attended, (qkv, embeddings), weight)
    torch.testing.assert_close(gradients, torch.autograd.grad(expected, (qkv, embeddings), weight))


@pytest.mark.parametrize("clip", [False, True])
@pytest.mark.parametrize(("queries", "distances"), [(1, 4), (1, 50), (6, 4), (9, 4), (9, 50)])
def test_the_last_queries_alone_have_the_outputs_that_they_have_with_all_others(
    queries, distances, clip
):
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 9, 3, dtype=torch.float64)
    embeddings = torch.randn(2, distances, 3, dtype=torch.float64)
    table = distance_table(embeddings, 9, clip=clip)
    attended = relative_attention(query[None, :, -queries:], key[None], value[None], table)
    expected = direct(query, key, value, embeddings, clip=clip)[:, -queries:]
    torch.testing.assert_close(attended[0], expected)


def test_gradients_of_a_padded_batch_are_those_of_the_definition():
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 9, 3, dtype=torch.float64, requires_grad=True)
    embeddings = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    inputs = (query, key, value, embeddings)
    table = distance_table(embeddings, 9, clip=False)
    attended = relative_attention(query[None], key[None], value[None], table)[0]
    weight = torch.randn_like(attended)
    gradients = torch.autograd.grad(attended, inputs, weight)
    expected = torch.autograd.grad(direct(*inputs, clip=False), inputs, weight)
    torch.testing.assert_close(gradients, expected)


def test_bfloat16_comes_near_float32():
    torch.manual_seed(0)
    qkv, table = torch.randn(40, 3, 2, 8), torch.randn(2, 30, 8)
    exact = packed_relative_attention(qkv, table, [40])
    rounded = packed_relative_attention(qkv.bfloat16(), table.bfloat16(), [40])
    assert rounded.dtype == torch.bfloat16
    assert (rounded.float() - exact).norm() < 0.02 * exact.norm()


class Largest(TorchDispatchMode):
    """Notes how many numbers the largest tensor holds that any operation returns."""

    def __init__(self):
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        tensors = result if isinstance(result, tuple | list) else [result]
        sizes = [tensor.numel() for tensor in tensors if isinstance(tensor, torch.Tensor)]
        self.numbers = max([self.numbers, *sizes])
        return result


def test_no_tensor_of_a_training_step_grows_with_the_square_of_the_length():
    largest = {}
    for length in (1024, 2048):
        qkv = torch.randn(length, 3, 1, 4, requires_grad=True)
        embeddings = torch.randn(1, length // 2, 4, requires_grad=True)
        with Largest() as seen:
            table = distance_table(embeddings, length, clip=False)
            packed_relative_attention(qkv, table, [length]).sum().backward()
        largest[length] = seen.numbers
    assert largest[1024] >= 256 * 1024  # the scores of a block of queries
    assert largest[2048] <= 2.1 * largest[1024]
