"""Schedules of MusicVAE's training, as functions of the number of optimizer steps taken."""

import math


def kl_weight(step: int, max_beta: float, rate: float) -> float:
    """Weight of the KL divergence: it rises to `max_beta`, right after step 0 if `rate` is 0."""
    return float(max_beta * (1 - rate**step))


def sampling_probability(step: int, rate: float) -> float:
    """Fraction of the decoder's inputs that are its own samples: an inverse sigmoid.

    ``1 - rate / (rate + exp(step / rate))``: about ``1 / rate`` at first, one half at step
    ``rate ln rate``. Bengio et al. 2015, https://arxiv.org/abs/1506.03099.
    """
    return 1 / (1 + rate * math.exp(-step / rate))  # the same, but does not overflow
