"""Figures of negative log-likelihoods, with confidence intervals over pieces."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from symbotunes.evaluation.metrics.bootstrap import Bootstrap, Floats, Interval, ratio
from symbotunes.evaluation.metrics.figure import Figure, Metrics


@dataclass(frozen=True)
class Likelihoods:
    """Negative log-likelihoods of held-out pieces.

    Attributes:
        nats: ``[N]`` negative log-likelihood of each piece, its closing token included.
        tokens: ``[N]`` predicted tokens of each.
        notes: ``[N]`` notes heard in each.
        bootstrap: how pieces are resampled.
    """

    nats: Floats
    tokens: Floats
    notes: Floats
    bootstrap: Bootstrap

    @property
    def by_token(self) -> Floats:
        """``[N, 2]`` nats and tokens."""
        return np.stack([self.nats, self.tokens], axis=1)


LOSSES: Metrics[Likelihoods, Interval] = Metrics()


@LOSSES.register(
    Figure(
        "nats_per_token",
        "nats per token",
        "Negative log-likelihood of the held-out tokens, the one that closes a piece included.",
        "lower",
        unit="nats per token",
        decimals=3,
        headline=True,
    )
)
def nats_per_token(likelihoods: Likelihoods) -> Interval:
    """All nats over all tokens."""
    return likelihoods.bootstrap.interval(likelihoods.by_token, ratio)


@LOSSES.register(
    Figure(
        "perplexity",
        "perplexity",
        "e raised to the nats per token.",
        "lower",
        decimals=2,
        compared=False,  # it says the same as nats per token
    )
)
def perplexity(likelihoods: Likelihoods) -> Interval:
    """The number of tokens over which a uniform model would be equally uncertain."""
    return likelihoods.bootstrap.interval(likelihoods.by_token, lambda sums: np.exp(ratio(sums)))


@LOSSES.register(
    Figure(
        "bits_per_note",
        "bits per note",
        "All bits of the pieces, signs included, over the notes heard: tied notes are one, every "
        "note of a chord counts, and a repeated note counts as often as it is played.",
        "lower",
        unit="bits per note",
        decimals=2,
        headline=True,
    )
)
def bits_per_note(likelihoods: Likelihoods) -> Interval:
    """All bits over all notes."""
    rows = np.stack([likelihoods.nats / math.log(2), likelihoods.notes], axis=1)
    return likelihoods.bootstrap.interval(rows, ratio)


def loss_figures(
    nats: Sequence[Floats], notes: Sequence[int], bootstrap: Bootstrap
) -> dict[str, Interval]:
    """`LOSSES` of pieces.

    Args:
        nats: for every piece the negative log-likelihood of each token, the closing one included.
        notes: for every piece the number of notes heard in it.
        bootstrap: how pieces are resampled.
    """
    totals = np.array([values.sum() for values in nats])
    tokens = np.array([len(values) for values in nats], np.float64)
    figures, _ = LOSSES.measure(
        Likelihoods(totals, tokens, np.asarray(notes, np.float64), bootstrap)
    )
    return figures


def gain(baseline: Sequence[Floats], model: Sequence[Floats], bootstrap: Bootstrap) -> Interval:
    """By how many nats per token a model is better on the same pieces; the draws are paired."""
    rows = [(a.sum() - b.sum(), len(a)) for a, b in zip(baseline, model, strict=True)]
    return bootstrap.interval(rows, ratio)


def class_figures(
    nats: Sequence[Floats], classes: Sequence[Sequence[str]], bootstrap: Bootstrap
) -> dict[str, Interval]:
    """Nats per token of each class of tokens, by class.

    Args:
        nats: for every piece the negative log-likelihood of each token.
        classes: for every piece the class of each token.
        bootstrap: how pieces are resampled.
    """
    names = sorted({name for piece in classes for name in piece})
    rows = {name: row for row, name in enumerate(names)}
    sums = np.zeros((len(names), len(nats), 2))
    for piece, (values, kinds) in enumerate(zip(nats, classes, strict=True)):
        index = [rows[kind] for kind in kinds]
        sums[:, piece, 0] = np.bincount(index, values, minlength=len(names))
        sums[:, piece, 1] = np.bincount(index, minlength=len(names))
    return {name: bootstrap.interval(sums[row], ratio) for name, row in rows.items()}
