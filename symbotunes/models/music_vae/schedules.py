"""What changes while a MusicVAE trains, as functions of the optimizer steps taken."""

import math


def kl_weight(step: int, max_beta: float, rate: float, start: int = 0) -> float:
    """Weight of the divergence: 0 up to step `start`, then it rises to `max_beta`.

    What it still lacks shrinks by the factor `rate` per step; 0 is all at once.
    """
    return float(max_beta * (1 - rate ** max(0, step - start)))


def sampling_probability(step: int, rate: float) -> float:
    """Share of the decoder's inputs that are its own samples: an inverse sigmoid.

    ``1 - rate / (rate + exp(step / rate))``: about ``1 / rate`` at first, one half at step
    ``rate ln rate``. Bengio et al. 2015, https://arxiv.org/abs/1506.03099.
    """
    return 1 / (1 + rate * math.exp(-step / rate))  # the same, safe from overflow
