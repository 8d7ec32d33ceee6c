"""Sampling ids from probabilities."""

import torch
from torch import Tensor

PARTS = 2**40  # of a probability of 1, where probabilities are whole numbers


def draw(probabilities: Tensor, uniform: Tensor) -> Tensor:
    """Sample ids ``[B]`` by inverse CDF.

    Args:
        probabilities: ``[B, V]`` floats; they need not sum to 1.
        uniform: ``[B]`` random numbers in [0, 1).
    """
    if torch.are_deterministic_algorithms_enabled():
        cumulative, uniform = whole_sums(probabilities), uniform.double()
    else:
        cumulative = probabilities.cumsum(-1)
    threshold = uniform[:, None] * cumulative[:, -1:]
    return (cumulative <= threshold).sum(-1).clamp_max(probabilities.shape[-1] - 1)


def whole_sums(probabilities: Tensor) -> Tensor:
    """Cumulative sums ``[B, V]`` in float64, up to a factor for each row.

    With ``trainer.deterministic=true``, CUDA refuses to sum floats cumulatively, since the order of
    additions varies; whole numbers have the same sum in any order. No id with a probability of more
    than 2^-41 is lost.
    """
    shares = probabilities.double() / probabilities.double().sum(-1, keepdim=True)
    return (shares * PARTS).round().long().cumsum(-1).double()
