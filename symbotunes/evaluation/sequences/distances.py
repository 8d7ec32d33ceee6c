"""Distances within and between generated and held-out tunes."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.evaluation.metrics.notes import notes_of
from symbotunes.evaluation.metrics.set_distances import (
    Floats,
    SetDistances,
    set_distances,
    stacked,
)
from symbotunes.evaluation.metrics.set_features import FEATURES, features_of
from symbotunes.evaluation.sequences.measuring import Subject
from symbotunes.generation.sequences import Generated

MOST_PIECES = 200  # of each set: the time grows with their square


def measure_distances(
    subject: Subject, generated: Sequence[Generated], split: str, seed: int
) -> dict[str, SetDistances]:
    """`FEATURES` of generated and of as many random held-out tunes, where they are defined.

    Args:
        subject: the model and its data.
        generated: what it wrote.
        split: of the held-out tunes.
        seed: of their choice, which is that of the tunes that are measured next to them.
    """
    pool = subject.ids(split)
    order = np.random.default_rng(seed).permutation(len(pool)).tolist()
    ours = _features(subject, (np.array(tune.ids, np.int64) for tune in generated))
    theirs = _features(subject, (pool[index] for index in order))
    count = min(len(ours), len(theirs))
    found = {}
    for name in FEATURES if count else ():
        distances = set_distances(stacked(ours[:count], name), stacked(theirs[:count], name))
        if distances is not None:
            found[name] = distances
    return found


def _features(subject: Subject, tunes: Iterable[NDArray[Any]]) -> list[dict[str, Floats]]:
    """Those of the first tunes that have any."""
    found: list[dict[str, Floats]] = []
    for ids in tunes:
        features = features_of(notes_of(subject.render(ids).score))
        if features is not None:
            found.append(features)
        if len(found) == MOST_PIECES:
            break
    return found
