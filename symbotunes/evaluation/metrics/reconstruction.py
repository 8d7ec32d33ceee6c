"""Figures of a latent model: how well it writes windows again, and what that costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.evaluation.metrics.bootstrap import Floats
from symbotunes.evaluation.metrics.figure import Figure, Metrics

ROBERTS = "Roberts et al. 2018"


@dataclass(frozen=True)
class Rewritten:
    """Windows and their reconstructions; each has T steps of F numbers, and K tracks.

    Attributes:
        windows: ``[N, T]`` or ``[N, T, F]``.
        right: ``[N, K]`` share of steps that are right, teacher-forced.
        sampled: windows written at temperature 1 from vectors of the posterior.
        likeliest: windows written from the posterior's means by greedy decoding.
    """

    windows: NDArray[Any]
    right: Floats
    sampled: Sequence[Any]
    likeliest: Sequence[Any]

    def agreement(self, written: Sequence[Any]) -> Floats:
        """``[N, K]`` share of steps in which windows agree."""
        shares = (self.windows == np.stack(list(written))).mean(1)
        return np.asarray(shares if shares.ndim > 1 else shares[:, None], np.float64)


@dataclass(frozen=True)
class Costs:
    """The two terms of the bound for N windows.

    Attributes:
        nats: ``[N]`` negative log-likelihood, given a vector of the posterior.
        kl_nats: ``[N]`` divergence of the posterior from the prior.
        steps: of a window, T.
    """

    nats: Floats
    kl_nats: Floats
    steps: int


ACCURACIES: Metrics[Rewritten, Floats] = Metrics()  # ``[N, K]``
COSTS: Metrics[Costs, Floats] = Metrics()  # ``[N]``


@ACCURACIES.register(
    Figure(
        "teacher_forced",
        "teacher-forced",
        "Share of steps whose likeliest class is right, given the true steps before it and a "
        "vector drawn from the posterior.",
        "higher",
        decimals=3,
        source=f"{ROBERTS}, table 1",
        headline=True,
    )
)
def teacher_forced(windows: Rewritten) -> Floats:
    """Given the true steps."""
    return windows.right


@ACCURACIES.register(
    Figure(
        "free_running",
        "free-running",
        "Share of steps that are right when the model writes the window from a vector drawn from "
        "the posterior, its own steps before it, by sampling at temperature 1.",
        "higher",
        decimals=3,
        source=f"{ROBERTS}, table 1",
        headline=True,
    )
)
def free_running(windows: Rewritten) -> Floats:
    """Given its own steps."""
    return windows.agreement(windows.sampled)


@ACCURACIES.register(
    Figure(
        "likeliest",
        "likeliest",
        "The same from the posterior's mean, taking the likeliest class at every step: what "
        "sample=reconstruct sample.temperature=0 gives.",
        "higher",
        decimals=3,
        headline=True,
    )
)
def likeliest(windows: Rewritten) -> Floats:
    """Given its own steps, by greedy decoding."""
    return windows.agreement(windows.likeliest)


@COSTS.register(
    Figure(
        "reconstruction_nats",
        "reconstruction, nats per window",
        "Negative log-likelihood of a window, given a vector drawn from its posterior.",
        "lower",
        unit="nats per window",
        decimals=2,
        headline=True,
    )
)
def reconstruction_nats(costs: Costs) -> Floats:
    """The first term of the bound."""
    return costs.nats


@COSTS.register(
    Figure(
        "kl_nats",
        "divergence, nats per window",
        "Kullback-Leibler divergence of the posterior from the prior: what the vector says. "
        "Near 0 the decoder does not listen to it.",
        None,
        unit="nats per window",
        decimals=2,
        headline=True,
    )
)
def kl_nats(costs: Costs) -> Floats:
    """The second term of the bound."""
    return costs.kl_nats


@COSTS.register(
    Figure(
        "bound_nats",
        "bound, nats per step",
        "Reconstruction and divergence together, per step: no less than what the model pays for "
        "the music.",
        "lower",
        unit="nats per step",
        decimals=3,
        source="Kingma and Welling 2014",
    )
)
def bound_nats(costs: Costs) -> Floats:
    """Both terms."""
    return (costs.nats + costs.kl_nats) / costs.steps


DISTANCE = Figure(
    "distance",
    "normalized Hamming distance",
    "Share of steps in which a point of the path differs from an end. The mix of data takes each "
    "step from the second end with the probability that grows along the path.",
    None,
    decimals=3,
    source=f"{ROBERTS}, figure 4",
)
