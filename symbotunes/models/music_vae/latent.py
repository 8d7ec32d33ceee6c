"""The posterior over latent vectors, its distance from the prior, and whether it is used."""

import math
from dataclasses import dataclass
from typing import Any

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


class FittedPrior(nn.Module):
    """The normal distribution of the latent vectors of training windows, learned as they go by.

    A posterior that says much leaves the prior: what is drawn from the standard normal then lies
    between the windows, not among them. Drawing from a density that was fitted to the latent
    vectors is the remedy of Ghosh et al. 2020, https://arxiv.org/abs/1903.12436. Means run over the
    last batches, about `BATCHES` of them; before the first, it is the standard normal.

    Args:
        latent: Z.
    """

    BATCHES = 500
    JITTER = 1e-6  # added to variances, against rounding

    first: Tensor  # [Z] mean of the vectors
    second: Tensor  # [Z, Z] mean of their outer products
    batches: Tensor  # how many have gone by

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.register_buffer("first", torch.zeros(latent))
        self.register_buffer("second", torch.eye(latent))
        self.register_buffer("batches", torch.zeros(()))

    @torch.no_grad()
    def observe(self, posterior: Posterior) -> None:
        """Take in the posteriors of one batch."""
        mean, std = posterior.mean.detach(), posterior.std.detach()
        with torch.autocast(mean.device.type, enabled=False):
            outer = mean.T @ mean / len(mean) + std.square().mean(0).diag()
        self.batches += 1
        share = self.batches.reciprocal().clamp_min(1 / self.BATCHES)
        self.first.lerp_(mean.mean(0), share)
        self.second.lerp_(outer, share)

    def draw(self, noise: Tensor) -> Tensor:
        """Vectors ``[B, Z]`` of this distribution, made of standard normal `noise` ``[B, Z]``."""
        # On the CPU: not every device has float64.
        first, second = self.first.cpu().double(), self.second.cpu().double()
        covariance = second - first.outer(first) + self.JITTER * torch.eye(len(first))
        root, failed = torch.linalg.cholesky_ex(covariance)
        if not self.batches or failed:  # no window yet, or a network that has diverged
            return noise
        drawn: Tensor = first + noise.cpu().double() @ root.T
        return drawn.to(noise)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        # The weights of other programs know nothing of it: then it stays as it is.
        for name, buffer in self.named_buffers():
            state_dict.setdefault(prefix + name, buffer)
        super()._load_from_state_dict(state_dict, prefix, *rest)


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
