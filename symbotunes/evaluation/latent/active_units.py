"""How much of a latent space is in use."""

from torch import Tensor


def active_units(means: Tensor, threshold: float = 0.01) -> int:
    """Axes that carry information: those along which the posterior means differ between pieces.

    Burda et al. 2016, https://arxiv.org/abs/1509.00519. Zero is a collapsed posterior: the decoder
    writes without listening to the encoder.

    Args:
        means: ``[N, Z]`` posterior means of many pieces.
        threshold: variance over pieces above which an axis counts.
    """
    return int((means.var(0) > threshold).sum())
