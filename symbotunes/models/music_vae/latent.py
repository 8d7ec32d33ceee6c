"""The posterior over latent vectors, its KL divergence, and the fitted prior."""

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symbotunes.models.music_vae.stack import small_linear

BIT = math.log(2)  # nats per bit


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
        """Sample latent vectors ``[B, Z]``, with gradients to mean and standard deviation."""
        return self.mean + self.std * torch.randn_like(self.mean)

    def kl_nats(self) -> Tensor:
        """KL divergence from the standard normal prior in nats, ``[B]``, summed over all axes."""
        twice = self.mean.square() + self.std.square() - 1 - 2 * self.std.log()
        return twice.sum(-1) / 2


def kl_cost(kl_nats: Tensor, free_bits: float) -> Tensor:
    """The part of each piece's total KL divergence that counts: what exceeds `free_bits` bits."""
    return (kl_nats - free_bits * BIT).clamp_min(0)


class FittedPrior(nn.Module):
    """A prior fitted to the latent vectors of training windows: the last `KEPT` of them.

    An informative posterior moves away from the prior: samples from the standard normal then lie
    between the windows, not among them. Ghosh et al. 2020, https://arxiv.org/abs/1903.12436, sample
    from mixtures of normals that are fitted to the vectors. With hundreds of axes and vectors along
    curved paths, these samples leave the windows, too; the midpoint between a window and one of its
    nearest neighbors does not. (SMOTE, Chawla et al. 2002, https://doi.org/10.1613/jair.953,
    samples a random point between neighbors; near the ends it would copy.) Until two windows have
    been seen, it is the standard normal.

    Args:
        latent: Z.
    """

    KEPT = 2000
    NEAREST = 5
    TWINS = 0.25  # of the median distance; closer vectors are the same window, seen twice

    vectors: Tensor  # [KEPT, Z] posterior means; a ring buffer
    windows: Tensor  # number of windows seen so far

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(self.KEPT, latent))
        self.register_buffer("windows", torch.zeros((), dtype=torch.int64))
        self._last_distinct: tuple[tuple[int, ...], Tensor] | None = None
        self.register_load_state_dict_pre_hook(self._keep_missing)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def observe(self, posterior: Posterior) -> None:
        """Store the posterior means of a batch."""
        mean = posterior.mean.detach()
        rows = self.windows + torch.arange(len(mean), device=mean.device)
        self.vectors[rows[-self.KEPT :] % self.KEPT] = mean[-self.KEPT :].to(self.vectors)
        self.windows += len(mean)

    @property
    def knows_windows(self) -> bool:
        """Whether at least two different windows have been seen."""
        return len(self._distinct()) > 1

    def draw(self, noise: Tensor) -> Tensor:
        """Vectors ``[B, Z]`` of this distribution, from standard normal `noise` ``[B, Z]``.

        The first axis of the noise selects the window, the last axis one of its neighbors.
        """
        known = self._distinct()
        nearest = min(self.NEAREST, len(known) - 1)
        if nearest < 1:
            return noise
        # The normal CDF turns the two axes into uniform numbers.
        uniform = torch.special.ndtr(noise[:, [0, -1]].cpu().double())
        first = (uniform[:, 0] * len(known)).long().clamp_max(len(known) - 1)
        distances = distances_between(known[first], known).scatter(1, first[:, None], torch.inf)
        rank = (uniform[:, 1:] * nearest).long().clamp_max(nearest - 1)
        second = distances.topk(nearest, largest=False).indices.gather(1, rank)[:, 0]
        return ((known[first] + known[second]) / 2).to(noise)

    def _distinct(self) -> Tensor:
        """The vectors ``[N, Z]`` of different windows, the last one of each.

        They are found once: with 2,000 vectors it takes a second of a CPU.
        """
        if self.vectors.is_inference():  # whose changes are not counted
            return self._find_distinct()
        state = (self.vectors.data_ptr(), self.vectors._version, int(self.windows))
        if self._last_distinct is None or self._last_distinct[0] != state:
            self._last_distinct = state, self._find_distinct()
        return self._last_distinct[1]

    def _find_distinct(self) -> Tensor:
        # On the CPU: not every device has float64, and half precision lacks some operations.
        known = self.vectors[: min(int(self.windows), self.KEPT)].cpu().float()
        known = known[known.isfinite().all(-1)]  # the network may have diverged
        if len(known) < 2:
            return known
        distances = distances_between(known, known)
        twins = distances <= self.TWINS * distances.median()
        return known[~twins.triu(1).any(-1)]

    @staticmethod
    def _keep_missing(prior: nn.Module, state_dict: dict[str, Any], prefix: str, *_: Any) -> None:
        """Before loading: weights from other programs lack these buffers, which then stay."""
        for name, buffer in prior.named_buffers():
            state_dict.setdefault(prefix + name, buffer)


def distances_between(some: Tensor, others: Tensor) -> Tensor:
    """Euclidean distances ``[N, M]``; exact, so that equal vectors have distance 0."""
    return torch.cdist(some, others, compute_mode="donot_use_mm_for_euclid_dist")


class PosteriorHead(nn.Module):
    """Mean and standard deviation of the posterior from the encoder's output.

    Args:
        inputs: width of the encoder's output.
        latent: Z.
    """

    def __init__(self, inputs: int, latent: int) -> None:
        super().__init__()
        self.mean = small_linear(inputs, latent)
        self.std = small_linear(inputs, latent)

    def forward(self, heard: Tensor) -> Posterior:
        """The posterior of each piece; softplus gives the deviation, not a log-variance."""
        return Posterior(self.mean(heard).float(), F.softplus(self.std(heard).float()))
