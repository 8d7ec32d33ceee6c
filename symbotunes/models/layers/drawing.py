"""Drawing ids from logits."""

from torch import Tensor


def draw(probabilities: Tensor, uniform: Tensor) -> Tensor:
    """Ids ``[B]`` by inverse CDF: probabilities ``[B, V]`` float64, uniform ``[B]`` in [0, 1)."""
    cumulative = probabilities.cumsum(-1)
    threshold = uniform[:, None] * cumulative[:, -1:]
    return (cumulative <= threshold).sum(-1).clamp_max(probabilities.shape[-1] - 1)
