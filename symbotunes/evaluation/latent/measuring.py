"""From a latent model and its data to the figures of an evaluation.

Roberts et al. 2018, table 1 and figure 4, https://arxiv.org/abs/1803.05428.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symbotunes.errors import UserError
from symbotunes.evaluation.latent.active_units import active_units
from symbotunes.evaluation.latent.findings import Apart, Path, Reconstruction, WindowValues
from symbotunes.evaluation.metrics.bootstrap import Bootstrap, Interval
from symbotunes.evaluation.metrics.losses import LOSSES, Likelihoods
from symbotunes.evaluation.metrics.reconstruction import ACCURACIES, COSTS, Costs, Rewritten
from symbotunes.evaluation.twins import window_twins
from symbotunes.evaluation.windows.measuring import WindowSubject
from symbotunes.generation.latent.player import LatentPlayer
from symbotunes.generation.latent.slerp import slerp

PLACES = 11  # points of an interpolation, both ends included
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LatentSubject(WindowSubject):
    """What is evaluated; its player can encode, too."""

    player: LatentPlayer


@dataclass(frozen=True)
class _Read:
    """What a model makes of windows.

    Attributes:
        z: ``[N, Z]`` drawn from the posteriors.
        means: ``[N, Z]``.
        right: ``[N, K]`` share of steps that are right, teacher-forced.
        nats: ``[N]`` of the windows, given `z`.
        kl_nats: ``[N]``.
    """

    z: Tensor
    means: Tensor
    right: Floats
    nats: Floats
    kl_nats: Floats


def measure_reconstruction(subject: LatentSubject) -> Reconstruction:
    """Accuracies and costs of held-out windows; intervals are over families of pieces.

    Raises:
        UserError: if the split is empty, or the network has diverged.
    """
    player, plan = subject.player, subject.plan
    windows, families = subject.windows(plan.split, plan.windows)
    read = _read(player, windows, subject.seed)
    if not np.isfinite(read.nats).all() or not np.isfinite(read.kl_nats).all():
        raise UserError("the network gives held-out windows no finite likelihood; did it diverge?")
    seeds = subject.seeds(len(windows))
    sampled = player.write(read.z, seeds, 1.0)
    right, _ = ACCURACIES.measure(
        Rewritten(windows, read.right, sampled, player.write(read.means, seeds, 0.0))
    )
    costs, _ = COSTS.measure(Costs(read.nats, read.kl_nats, player.tokenizer.steps))
    draws = subject.bootstrap.over(families)
    owners = subject.encoded.owners[subject.examples(plan.split, plan.windows)]
    columns: dict[str, list[int]] = {name: [k] for k, name in enumerate(player.net.tracks)}
    if len(columns) > 1:
        columns = {"all": list(range(len(columns))), **columns}
    return Reconstruction(
        split=plan.split,
        windows=len(windows),
        pieces=len(np.unique(owners)),
        families=len(np.unique(families)),
        accuracies={
            track: {name: draws.mean(shares[:, own].mean(1)) for name, shares in right.items()}
            for track, own in columns.items()
        },
        costs={name: draws.mean(values) for name, values in costs.items()},
        active=active_units(read.means) if len(windows) > 1 else 0,
        latent=player.net.latent,
        raw=tuple(
            WindowValues(
                piece=int(owners[index]),
                family=int(families[index]),
                steps=player.tokenizer.steps,
                right={name: tuple(shares[index].tolist()) for name, shares in right.items()},
                nats=float(read.nats[index]),
                kl_nats=float(read.kl_nats[index]),
            )
            for index in range(len(windows))
        ),
        apart=None if plan.split == "train" else _apart(subject, windows, draws, (right, costs)),
    )


def _apart(
    subject: LatentSubject,
    windows: NDArray[Any],
    draws: Bootstrap,
    measured: tuple[Mapping[str, Floats], Mapping[str, Floats]],
) -> Apart:
    """The figures of windows without a twin in the training data."""
    twins = window_twins(subject.player.tokenizer, subject.encoded, windows)
    others = ~twins.in_some_key
    right, costs = measured
    return Apart(
        exact=int(twins.exact.sum()),
        in_some_key=int(twins.in_some_key.sum()),
        accuracies={
            name: draws.at(others).mean(shares.mean(1)[others]) for name, shares in right.items()
        },
        costs={name: draws.at(others).mean(values[others]) for name, values in costs.items()},
    )


def measure_bound(subject: LatentSubject, notes: Sequence[int]) -> dict[str, Interval]:
    """`LOSSES` of the upper bound of a model's negative log-likelihood of held-out windows.

    Args:
        subject: the model with its windows.
        notes: heard in each window.

    Raises:
        UserError: if the network has diverged.
    """
    windows, families = subject.windows(subject.plan.split, subject.plan.windows)
    read = _read(subject.player, windows, subject.seed)
    nats = read.nats + read.kl_nats
    if not np.isfinite(nats).all():
        raise UserError("the network gives held-out windows no finite likelihood; did it diverge?")
    figures, _ = LOSSES.measure(
        Likelihoods(
            nats=nats,
            tokens=np.full(len(nats), float(windows[0].size)),
            notes=np.asarray(notes, np.float64),
            bootstrap=subject.bootstrap.over(families),
        )
    )
    return figures


@torch.inference_mode()
def _read(player: LatentPlayer, windows: NDArray[Any], seed: int) -> _Read:
    random = torch.Generator().manual_seed(seed)
    parts = []
    for start in range(0, len(windows), player.batch_size):
        tokens = player.tokens(windows[start : start + player.batch_size])
        posterior = player.net.encode(tokens)
        noise = torch.randn(posterior.mean.shape, generator=random).to(player.device)
        z = posterior.mean + posterior.std * noise
        nats, right = player.net.score(z, tokens)
        parts.append(
            (
                z,
                posterior.mean,
                right.cpu().double().mean(1),
                nats.cpu().double().sum((1, 2)),
                posterior.kl_nats().cpu().double(),
            )
        )
    z, means, right, nats, kl_nats = (torch.cat(column) for column in zip(*parts, strict=True))
    return _Read(z, means, right.numpy(), nats.numpy(), kl_nats.numpy())


def measure_path(subject: LatentSubject) -> Path:
    """Distances of interpolations from their ends, in the latent space and in that of the data.

    Points are written at temperature 1, each with its own random seed.
    """
    player, plan = subject.player, subject.plan
    windows, families = subject.windows(plan.split, plan.windows)
    first, second = choose_pairs(families, plan.pairs, subject.seed)
    draws = subject.bootstrap.over(families[first])
    means = player.means(windows)
    shares = torch.linspace(0, 1, PLACES)
    arcs = [slerp(means[a], means[b], shares) for a, b in zip(first, second, strict=True)]
    z = torch.cat(arcs)  # [pairs * places, Z]
    written = np.stack(player.write(z, subject.seeds(len(z)), 1.0))
    written = written.reshape(len(first), PLACES, *windows.shape[1:])
    a, b = windows[first][:, None], windows[second][:, None]  # [pairs, 1, T(, F)]
    random = np.random.default_rng(subject.seed)
    chances = random.random((len(first), 1, windows.shape[1]))
    from_b = chances < shares.numpy()[:, None]  # [pairs, places, T]
    mixed = np.where(from_b if a.ndim == 3 else from_b[..., None], b, a)
    measured = {
        "latent, to A": hamming(written, a),
        "latent, to B": hamming(written, b),
        "mix of data, to A": hamming(mixed, a),
        "mix of data, to B": hamming(mixed, b),
    }
    return Path(
        pairs=len(first),
        shares=tuple(round(share, 6) for share in shares.tolist()),
        distances={
            name: tuple(draws.mean(column) for column in table.T)
            for name, table in measured.items()
        },
    )


def choose_pairs(
    families: NDArray[np.int64], count: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Random pairs of windows, of different families where there are several.

    Args:
        families: ``[N]`` the family of each window.
        count: of pairs.
        seed: of the choice.
    """
    random = np.random.default_rng(seed)
    first = random.integers(len(families), size=count)
    second = random.integers(len(families), size=count)
    if len(np.unique(families)) > 1:
        while (alike := families[first] == families[second]).any():
            second[alike] = random.integers(len(families), size=int(alike.sum()))
    return first, second


def hamming(windows: NDArray[Any], others: NDArray[Any]) -> Floats:
    """``[N, P]`` share of the numbers of windows ``[N, P, T(, F)]`` that differ."""
    differs = windows != others
    return np.asarray(differs.mean(tuple(range(2, differs.ndim))), np.float64)
