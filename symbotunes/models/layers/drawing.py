"""Sampling ids from probabilities."""

from torch import Tensor


def draw(probabilities: Tensor, uniform: Tensor) -> Tensor:
    """Sample ids ``[B]`` by inverse CDF.

    Args:
        probabilities: ``[B, V]`` float64; they need not sum to 1.
        uniform: ``[B]`` random numbers in [0, 1).
    """
    cumulative = probabilities.cumsum(-1)
    threshold = uniform[:, None] * cumulative[:, -1:]
    return (cumulative <= threshold).sum(-1).clamp_max(probabilities.shape[-1] - 1)
