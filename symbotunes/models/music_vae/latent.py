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
    between the windows, not among them. Ghosh et al. 2020, https://arxiv.org/abs/1903.12436, draw
    from mixtures of normals that are fitted to the vectors. In hundreds of axes, with vectors that
    lie along curved paths, these too leave the windows; the middle between a window and one of its
    nearest does not. (SMOTE, Chawla et al. 2002, https://doi.org/10.1613/jair.953, draws a random
    point between neighbours; near its ends it would copy.) Before the second window, it is the
    standard normal.

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
        mean = posterior.mean.detach()
        rows = self.windows + torch.arange(len(mean), device=mean.device)
        self.vectors[rows[-self.KEPT :] % self.KEPT] = mean[-self.KEPT :].to(self.vectors)
        self.windows += len(mean)

    @property
    def knows_windows(self) -> bool:
        """Whether two windows that differ have gone by."""
        return len(self._distinct()) > 1

    def draw(self, noise: Tensor) -> Tensor:
        """Vectors ``[B, Z]`` of this distribution, made of standard normal `noise` ``[B, Z]``.

        The noise decides by its first and last axis which window, and which neighbour of it.
        """
        known = self._distinct()
        nearest = min(self.NEAREST, len(known) - 1)
        if nearest < 1:
            return noise
        share = torch.special.ndtr(noise[:, [0, -1]].cpu().double())
        first = (share[:, 0] * len(known)).long().clamp_max(len(known) - 1)
        distances = distances_between(known[first], known).scatter(1, first[:, None], torch.inf)
        rank = (share[:, 1:] * nearest).long().clamp_max(nearest - 1)
        second = distances.topk(nearest, largest=False).indices.gather(1, rank)[:, 0]
        return ((known[first] + known[second]) / 2).to(noise)

    def _distinct(self) -> Tensor:
        """The vectors ``[N, Z]`` of windows that differ, each as it went by last."""
        # On the CPU: not every device has float64, nor half precision all operations.
        known = self.vectors[: min(int(self.windows), self.KEPT)].cpu().float()
        known = known[known.isfinite().all(-1)]  # a network may have diverged
        if len(known) < 2:
            return known
        distances = distances_between(known, known)
        twins = distances <= self.TWINS * distances.median()
        return known[~twins.triu(1).any(-1)]

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        # The weights of other programs know nothing of it: then it stays as it is.
        for name, buffer in self.named_buffers():
            state_dict.setdefault(prefix + name, buffer)
        super()._load_from_state_dict(state_dict, prefix, *rest)


def distances_between(some: Tensor, others: Tensor) -> Tensor:
    """Euclidean distances ``[N, M]``; exact, so that equal vectors have none."""
    return torch.cdist(some, others, compute_mode="donot_use_mm_for_euclid_dist")


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
