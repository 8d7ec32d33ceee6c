"""Held-out music that is also in the training data, which a model may have memorized.

Splits keep versions of a piece together, but two pieces may share two bars note for note, and a
published split, or one by content, may put versions on both sides. Figures are reported with and
without such twins.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.cache.encoded import Encoded
from symbotunes.tokenizers.windows import Windows

AT_ONCE = 2**16  # training windows

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class WindowTwins:
    """Which of N windows are training windows.

    Attributes:
        exact: ``[N]`` whether all numbers are equal.
        in_some_key: ``[N]`` all pitches up or down by one interval, or none.
    """

    exact: Flags
    in_some_key: Flags


def window_twins(tokenizer: Windows, encoded: Encoded, windows: NDArray[Any]) -> WindowTwins:
    """Look windows up among all training windows, in their own key and in all others.

    Args:
        tokenizer: knows which numbers are pitches.
        encoded: the corpus.
        windows: ``[N, T]`` or ``[N, T, F]``.
    """
    ours = rows(windows), rows(tokenizer.without_key(windows))
    known: tuple[set[bytes], set[bytes]] = (set(), set())
    for training in _training(encoded, tokenizer.steps):
        for keys, candidates, seen in zip(
            ours, (training, tokenizer.without_key(training)), known, strict=True
        ):
            seen.update(set(keys).intersection(rows(candidates)))
    exact, moved = (
        np.array([key in seen for key in keys], np.bool_)
        for keys, seen in zip(ours, known, strict=True)
    )
    return WindowTwins(exact, moved)


def rows(windows: NDArray[Any]) -> list[bytes]:
    """The numbers of each window as bytes."""
    flat = np.ascontiguousarray(windows, "<i8").reshape(len(windows), -1)
    return [window.tobytes() for window in flat]


def _training(encoded: Encoded, steps: int) -> Iterator[NDArray[Any]]:
    examples = encoded.examples("train")
    for start in range(0, len(examples), AT_ONCE):
        ids, lengths = encoded.gather(examples[start : start + AT_ONCE])
        yield ids.reshape(len(lengths), steps, *ids.shape[1:])


def related(encoded: Encoded, examples: NDArray[np.int64]) -> Flags:
    """``[N]`` whether a version of the piece of each example is trained on."""
    trained = np.unique(encoded.families(encoded.examples("train")))
    return np.asarray(np.isin(encoded.families(examples), trained), np.bool_)
