import math

import pytest
import torch

from symbotunes.generation.sequences import restrict
from symbotunes.generation.sequences.filters import keep_min_p, penalize


def test_min_p_leaves_tokens_with_a_share_of_the_likeliest_ones_probability():
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    for share, count in ((0.0, 4), (0.09, 4), (0.11, 3), (0.29, 3), (0.31, 2), (0.61, 1), (1.0, 1)):
        assert keep_min_p(logits, share).isfinite().sum() == count, share


def test_min_p_reads_the_tempered_distribution():
    logits = torch.tensor([0.5, 0.2]).log()
    kept = restrict(logits, temperature=0.5, top_k=0, top_p=1.0, min_p=0.2)  # 0.16 of the first
    assert kept.isfinite().tolist() == [True, False]


def test_the_penalty_divides_positive_logits_and_multiplies_negative_ones():
    logits = torch.tensor([[3.0, -3.0, 3.0, -3.0], [1.0, 1.0, 1.0, 1.0]])
    held_back = penalize(logits, [[0, 1, 1, 0], []], 1.5)
    assert held_back.tolist() == [[2.0, -4.5, 3.0, -3.0], [1.0, 1.0, 1.0, 1.0]]


def test_a_penalty_leaves_what_no_constraint_allows():
    held_back = penalize(torch.tensor([[-math.inf, 1.0]]), [[0, 1]], 2.0)
    assert held_back.tolist() == [[-math.inf, 0.5]]


@pytest.mark.parametrize("min_p", [0.0, 0.3])
def test_filters_work_on_any_number_of_leading_axes(min_p):
    logits = torch.randn(2, 3, 7, generator=torch.Generator().manual_seed(0))
    options = {"temperature": 0.7, "top_k": 4, "top_p": 0.9, "min_p": min_p}
    whole = restrict(logits, **options)
    for row in range(2):
        for column in range(3):
            assert torch.equal(whole[row, column], restrict(logits[row, column], **options))
