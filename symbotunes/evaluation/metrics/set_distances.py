"""How two sets of pieces lie to each other: distances within them and between them.

Yang and Lerch, "On the Evaluation of Generative Models in Music", Neural Computing and Applications
32, 2020, https://doi.org/10.1007/s00521-018-3849-7. Of each feature, Euclidean distances between
all pieces of a set (intra-set) and between all of one set and all of another (inter-set) become
densities by Gaussian kernels of Scott's width, which are compared. The published code is
https://github.com/RichardYang40148/mgeval.

Not ``scipy.stats.gaussian_kde``, which nothing else here needs, and whose densities are 0 far from
all distances, where a divergence needs their logarithms.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
POINTS = 1000  # at which densities are compared
MOST_CELLS = 2_000_000  # of a table of points and distances, to bound memory
LEAST_PIECES = 3  # of a set; two have a single distance, which has no density


@dataclass(frozen=True)
class Likeness:
    """How the distances within a set relate to those between the sets.

    Attributes:
        mean: of the distances within the set.
        area: that both densities share, from 0 to 1.
        divergence: Kullback and Leibler's, of the density within from that between, in nats.
        published: what the published code gives for it: each density is read at points across its
            own distances, so that only the shapes are compared.
    """

    mean: float
    area: float
    divergence: float
    published: float


@dataclass(frozen=True)
class SetDistances:
    """One feature of two sets.

    Attributes:
        between: mean distance between a piece of one set and one of the other.
        generated: distances within the generated pieces, next to those between.
        held_out: distances within the held-out pieces, next to those between.
    """

    between: float
    generated: Likeness
    held_out: Likeness


def set_distances(generated: Floats, held_out: Floats) -> SetDistances | None:
    """Compare two sets by one feature.

    Args:
        generated: ``[N, F]`` vectors of pieces.
        held_out: ``[M, F]`` of the others; the published code takes equally many.

    Returns:
        The distances; ``None`` if a set is too small, or all distances of one kind are equal.
    """
    if min(len(generated), len(held_out)) < LEAST_PIECES:
        return None
    between = _distances(generated, held_out).reshape(-1)
    within = [_within(part) for part in (generated, held_out)]
    if any(np.ptp(values) == 0 for values in (between, *within)):
        return None
    ours, theirs = (_likeness(values, between) for values in within)
    return SetDistances(float(between.mean()), ours, theirs)


def _likeness(within: Floats, between: Floats) -> Likeness:
    """How distances within a set relate to those between two."""
    low, high = min(within.min(), between.min()), max(within.max(), between.max())
    points = np.linspace(low, high, POINTS)
    inside, across = log_density(within, points), log_density(between, points)
    apart = [
        log_density(values, np.linspace(values.min(), values.max(), POINTS))
        for values in (within, between)
    ]
    return Likeness(
        mean=float(within.mean()),
        area=float(np.trapezoid(np.exp(np.minimum(inside, across)), points)),
        divergence=divergence(inside, across),
        published=divergence(*apart),
    )


def log_density(values: Floats, points: Floats) -> Floats:
    """The logarithm of the density of values, by Gaussian kernels of Scott's width, at points.

    The width is n^(-1/5) standard deviations. Equal values are counted once, with their number.

    Args:
        values: ``[n]``, not all equal.
        points: ``[P]``.
    """
    width = values.std(ddof=1) * len(values) ** -0.2
    places, counts = np.unique(values, return_counts=True)
    weights = np.log(counts / (len(values) * width * np.sqrt(2 * np.pi)))
    size = max(1, MOST_CELLS // len(places))
    parts = []
    for start in range(0, len(points), size):
        far = (points[start : start + size, None] - places) / width
        terms = weights - far**2 / 2
        largest = terms.max(1, keepdims=True)  # so that none of the sums is 0
        parts.append(largest[:, 0] + np.log(np.exp(terms - largest).sum(1)))
    return np.concatenate(parts)


def divergence(first: Floats, second: Floats) -> float:
    """KL divergence in nats of two densities, of which logarithms at some points are given.

    Both are scaled to sum to 1 over the points.
    """
    p, q = (_normalized(logs) for logs in (first, second))
    return float((np.exp(p) * (p - q)).sum())


def _normalized(logs: Floats) -> Floats:
    shifted = logs - logs.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()), np.float64)


def _distances(first: Floats, second: Floats) -> Floats:
    """``[N, M]`` Euclidean distances."""
    return np.stack([np.sqrt(((second - row) ** 2).sum(1)) for row in first])


def _within(vectors: Floats) -> Floats:
    """``[N * (N - 1)]`` distances of every piece to all others, each pair twice."""
    distances = _distances(vectors, vectors)
    return distances[~np.eye(len(vectors), dtype=bool)]


def stacked(pieces: Sequence[dict[str, Floats]], name: str) -> Floats:
    """``[N, F]`` one feature of all pieces."""
    return np.stack([piece[name] for piece in pieces])
