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
    """Where the latent vectors of training windows lie: the last `KEPT` that went by.

    A posterior that says much leaves the prior: what is drawn from the standard normal then lies
    between the windows, not among them. Drawing from a density that was fitted to the latent
    vectors is the remedy of Ghosh et al. 2020, https://arxiv.org/abs/1903.12436. Theirs is a
    mixture of normals; in hundreds of axes and with so few windows, whose vectors lie along curved
    paths, ours is half way from a window to one of its nearest, as Chawla et al. 2002 (SMOTE,
    https://doi.org/10.1613/jair.953) make new examples. Before the first, it is the standard
    normal.

    Args:
        latent: Z.
    """

    KEPT = 2000
    NEAREST = 5
    TWINS = 0.25  # of the median distance; nearer ones are the same window, come by once more

    vectors: Tensor  # [KEPT, Z] posterior means, the oldest overwritten
    windows: Tensor  # how many have gone by

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(self.KEPT, latent))
        self.register_buffer("windows", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def observe(self, posterior: Posterior) -> None:
        """Take in the posteriors of one batch."""
        mean = posterior.mean.detach()[-self.KEPT :]
        rows = (self.windows + torch.arange(len(mean), device=mean.device)) % self.KEPT
        self.vectors[rows] = mean.to(self.vectors)
        self.windows += len(mean)

    def draw(self, noise: Tensor) -> Tensor:
        """Vectors ``[B, Z]`` of this distribution, made of standard normal `noise` ``[B, Z]``.

        The noise decides by its first and last axis which window, and which neighbour of it.
        """
        known = self.vectors[: min(int(self.windows), self.KEPT)]
        known = known[known.isfinite().all(-1)]  # a network may have diverged
        nearest = min(self.NEAREST, len(known) - 1)
        if nearest < 1:
            return noise
        share = torch.special.ndtr(noise[:, [0, -1]].double())
        first = (share[:, 0] * len(known)).long().clamp_max(len(known) - 1)
        distances = torch.cdist(known[first], known)
        twins = distances <= self.TWINS * distances.median(-1, keepdim=True).values
        near = distances.masked_fill(twins, torch.inf).topk(nearest, largest=False).indices
        rank = (share[:, 1:] * nearest).long().clamp_max(nearest - 1)
        second = near.gather(1, rank)[:, 0]
        return ((known[first] + known[second]) / 2).to(noise)

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
