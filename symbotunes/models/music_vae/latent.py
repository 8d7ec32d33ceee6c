"""The posterior over latent vectors, its distance from the prior, and whether it is used."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symbotunes.models.music_vae.stack import small_linear

BIT = math.log(2)  # nats


@dataclass(frozen=True)
class Posterior:
    """Normal distributions with independent axes, one per piece.

    Attributes:
        mean: ``[B, Z]``.
        std: ``[B, Z]`` standard deviations, above 0.
    """

    mean: Tensor
    std: Tensor

    def sample(self) -> Tensor:
        """Latent vectors ``[B, Z]``, with gradients to mean and deviation."""
        return self.mean + self.std * torch.randn_like(self.mean)

    def kl_nats(self) -> Tensor:
        """Divergence from the standard normal prior in nats, ``[B]``: the sum over all axes."""
        each = self.mean.square() + self.std.square() - 1 - 2 * self.std.log()
        return each.sum(-1) / 2


def kl_cost(kl_nats: Tensor, free_bits: float) -> Tensor:
    """What of each piece's total divergence is charged; the first `free_bits` bits are free."""
    return (kl_nats - free_bits * BIT).clamp_min(0)


def active_units(means: Tensor, threshold: float = 0.01) -> int:
    """Axes that carry information: those along which the posterior means differ between pieces.

    Burda et al. 2016, https://arxiv.org/abs/1509.00519. Zero is a collapsed posterior: the decoder
    writes without listening to the encoder.

    Args:
        means: ``[N, Z]`` posterior means of many pieces.
        threshold: variance over pieces above which an axis counts.
    """
    return int((means.var(0) > threshold).sum())


class PosteriorHead(nn.Module):
    """Mean and deviation from what the encoder heard.

    Args:
        inputs: width of the encoder's output.
        latent: Z.
    """

    def __init__(self, inputs: int, latent: int) -> None:
        super().__init__()
        self.mean = small_linear(inputs, latent)
        self.std = small_linear(inputs, latent)

    def forward(self, heard: Tensor) -> Posterior:
        """The posterior of each piece; softplus gives the deviation itself, no log-variance."""
        return Posterior(self.mean(heard).float(), F.softplus(self.std(heard).float()))
