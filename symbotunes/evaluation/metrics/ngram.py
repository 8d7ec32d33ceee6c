"""N-gram models with interpolated modified Kneser-Ney smoothing, as baselines of the same data.

Chen and Goodman, "An empirical study of smoothing techniques for language modeling", 1999.

Not nltk's, which knows a single discount and takes 2 ms for a token; not KenLM, which has to be
compiled and keeps probability for words outside the vocabulary, of which music has none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbotunes.errors import require_whole_number

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
MAX_CODE_BITS = 62  # an n-gram is one int64


@dataclass(frozen=True)
class _Level:
    """The k-grams of one order.

    Attributes:
        grams: ``[G]`` their codes, sorted.
        discounted: ``[G]`` their share of their context after discounting.
        contexts: ``[C]`` codes of the contexts, sorted.
        left: ``[C]`` probability that discounting left for the next lower order.
    """

    grams: Codes
    discounted: Floats
    contexts: Codes
    left: Floats


class NGram:
    """Predicts a token from the ``order - 1`` tokens before it.

    Order 1 is the smoothed frequency of tokens: one is added to every count.

    Args:
        order: n, at least 1.
        vocabulary_size: V; ids are ``0 .. V - 1``.

    Raises:
        ValueError: if the order is too small, or n-grams of it do not fit 64 bits.
    """

    def __init__(self, order: int, vocabulary_size: int) -> None:
        require_whole_number("order", order)
        if order * np.log2(vocabulary_size) > MAX_CODE_BITS:
            raise ValueError(f"{order}-grams of {vocabulary_size} tokens do not fit 64 bits")
        self.order = order
        self.size = vocabulary_size
        self._levels: list[_Level] = []
        self._bos = 0
        self._frequencies: Floats = np.empty(0)

    def fit(self, sequences: Sequence[Sequence[int]]) -> None:
        """Count the sequences, each from ``bos`` to ``eos``; all begin with the same id."""
        self._bos = int(sequences[0][0])
        grams = self._grams(sequences, self.order)
        tokens = np.bincount(grams % self.size, minlength=self.size).astype(np.float64)
        possible = np.arange(self.size) != self._bos  # it opens a sequence, it is never predicted
        self._frequencies = (tokens + 1) * possible / (tokens + 1)[possible].sum()
        self._base = possible / possible.sum()
        self._levels = []
        codes, counts = np.unique(grams, return_counts=True)
        for k in range(self.order, 0, -1):
            self._levels.insert(0, _level(codes, counts, self.size))
            # Lower orders count in how many contexts a k-gram occurs, not how often.
            codes, counts = np.unique(codes % self.size ** (k - 1), return_counts=True)

    def nats_per_token(self, sequences: Sequence[Sequence[int]]) -> float:
        """Mean negative log-probability of all ids but the first of each sequence."""
        return float(np.concatenate(self.nats(sequences)).mean())

    def nats(self, sequences: Sequence[Sequence[int]]) -> list[Floats]:
        """Negative log-probability of every id but the first, for each sequence."""
        nats = -np.log(self._probabilities(self._grams(sequences, self.order)))
        ends = np.cumsum([len(sequence) - 1 for sequence in sequences])
        return np.split(nats, ends[:-1])

    def _grams(self, sequences: Sequence[Sequence[int]], order: int) -> Codes:
        """Codes of the n-grams that end at every predicted id; ``bos`` fills what lies before."""
        parts = []
        for sequence in sequences:
            ids = np.asarray([sequence[0]] * (order - 1) + list(sequence[1:]), np.int64)
            if order == 1:
                parts.append(ids)
                continue
            windows = np.lib.stride_tricks.sliding_window_view(ids, order)
            parts.append(windows @ (self.size ** np.arange(order - 1, -1, -1, dtype=np.int64)))
        return np.concatenate(parts)

    def _probabilities(self, grams: Codes) -> Floats:
        if self.order == 1:
            return self._frequencies[grams]
        result: Floats = self._base[grams % self.size]
        for k, level in enumerate(self._levels, start=1):
            codes = grams % self.size**k
            place, known = _find(level.contexts, codes // self.size)
            left = np.where(known, level.left[place], 1.0)
            seen, found = _find(level.grams, codes)
            result = np.where(found, level.discounted[seen], 0.0) + left * result
        return result


def _level(codes: Codes, counts: NDArray[np.int64], size: int) -> _Level:
    discounts = _discounts(counts)
    taken = discounts[np.minimum(counts, 3)]
    contexts, inverse = np.unique(codes // size, return_inverse=True)
    totals = np.bincount(inverse, counts)
    left = np.bincount(inverse, taken) / totals
    return _Level(codes, (counts - taken) / totals[inverse], contexts, left)


def _discounts(counts: NDArray[np.int64]) -> Floats:
    """What is taken from counts of 0, 1, 2, and 3 or more."""
    n1, n2, n3, n4 = (max(int((counts == times).sum()), 1) for times in (1, 2, 3, 4))
    y = n1 / (n1 + 2 * n2)
    wanted = np.array([0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
    clipped: Floats = np.clip(wanted, [0, 0.05, 0.05, 0.05], [0, 0.95, 1.95, 2.95])
    return clipped


def _find(where: Codes, what: Codes) -> tuple[Codes, NDArray[np.bool_]]:
    """Places in a sorted array, and whether the value stands there."""
    place = np.minimum(np.searchsorted(where, what), len(where) - 1)
    return place, where[place] == what
