"""Figures of negative log-likelihoods, with confidence intervals over pieces."""

import math
from collections.abc import Sequence

import numpy as np

from symbotunes.evaluation.metrics.bootstrap import Bootstrap, Floats, Interval, ratio


def loss_figures(
    nats: Sequence[Floats], notes: Sequence[int], bootstrap: Bootstrap
) -> dict[str, Interval]:
    """``nats_per_token``, ``perplexity`` and ``bits_per_note``.

    Args:
        nats: for every piece the negative log-likelihood of each token, the closing one included.
        notes: for every piece the number of notes heard in it.
        bootstrap: draws the pieces anew.
    """
    totals = np.array([each.sum() for each in nats])
    tokens = np.array([len(each) for each in nats], np.float64)
    by_token = np.stack([totals, tokens], axis=1)
    by_note = np.stack([totals / math.log(2), np.asarray(notes, np.float64)], axis=1)
    return {
        "nats_per_token": bootstrap.interval(by_token, ratio),
        "perplexity": bootstrap.interval(by_token, lambda sums: np.exp(ratio(sums))),
        "bits_per_note": bootstrap.interval(by_note, ratio),
    }


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
        bootstrap: draws the pieces anew.
    """
    names = sorted({name for piece in classes for name in piece})
    places = {name: place for place, name in enumerate(names)}
    sums = np.zeros((len(names), len(nats), 2))
    for piece, (values, kinds) in enumerate(zip(nats, classes, strict=True)):
        index = [places[kind] for kind in kinds]
        sums[:, piece, 0] = np.bincount(index, values, minlength=len(names))
        sums[:, piece, 1] = np.bincount(index, minlength=len(names))
    return {name: bootstrap.interval(sums[place], ratio) for name, place in places.items()}
