"""N-gram models with interpolated modified Kneser-Ney smoothing, as baselines on the same data.

Chen and Goodman, "An empirical study of smoothing techniques for language modeling", 1999.

Not nltk's, which has a single discount and takes 2 ms per token; not KenLM, which has to be
compiled and reserves probability for words outside the vocabulary, which music does not have.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbotunes.errors import require_whole_number

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Sequences = Sequence[Sequence[int] | NDArray[np.integer]]
ABSENT = -1  # in place of the number of a k-gram that does not occur in training
AT_ONCE = 2**20  # tokens that are scored at once


@dataclass(frozen=True)
class _Level:
    """The k-grams of one order, numbered as they stand in `keys`.

    A k-gram is a (k - 1)-gram and one more token, so its key is the number of the former times the
    size of the vocabulary, plus the token: exact for any order and vocabulary, where the tokens
    themselves would not fit 64 bits.

    Attributes:
        keys: ``[G]``, sorted.
        discounted: ``[G]`` their share of their context after discounting.
        left: ``[C]`` probability that discounting leaves for the next lower order, by context.
    """

    keys: Ints
    discounted: Floats
    left: Floats


@dataclass(frozen=True)
class _Text:
    """Sequences end to end, each padded with its first id up to as many as a context has tokens.

    Attributes:
        tokens: ``[N]``.
        places: ``[N]`` of each token in its own sequence.
        predicted: ``[N]`` whether it is one that is predicted.
    """

    tokens: Ints
    places: Ints
    predicted: NDArray[np.bool_]

    def longer(self, shorter: Ints, k: int, vocabulary_size: int) -> Ints:
        """``[N]`` keys of the k-grams that end at every token, or `ABSENT`.

        Args:
            shorter: ``[N]`` numbers of the (k - 1)-grams that end there, or `ABSENT`.
            k: at least 1.
            vocabulary_size: V.
        """
        contexts = np.concatenate([[0], shorter[:-1]]) if k > 1 else np.zeros_like(self.tokens)
        known = (contexts != ABSENT) & (self.places >= k - 1)
        return np.where(known, contexts * vocabulary_size + self.tokens, ABSENT)


class NGram:
    """Predicts a token from the ``order - 1`` tokens before it.

    Order 1 is the smoothed frequency of tokens: one is added to every count.

    Args:
        order: n, at least 1.
        vocabulary_size: V; ids are ``0 .. V - 1``.
        framed: whether all sequences begin with the same id, which stands nowhere else.

    Raises:
        ValueError: if the order is too small.
    """

    def __init__(self, order: int, vocabulary_size: int, *, framed: bool = True) -> None:
        require_whole_number("order", order)
        self.order = order
        self.size = vocabulary_size
        self.framed = framed
        self._levels: list[_Level] = []
        self._frequencies: Floats = np.empty(0)
        self._base: Floats = np.empty(0)

    def fit(self, sequences: Sequences) -> None:
        """Count the sequences, each from ``bos`` to ``eos`` if there are such ids."""
        text = _text(sequences, self.order)
        tokens = np.bincount(text.tokens[text.predicted], minlength=self.size).astype(np.float64)
        possible = np.ones(self.size, bool)
        if self.framed:
            possible[int(sequences[0][0])] = False  # what opens a sequence is never predicted
        self._frequencies = (tokens + 1) * possible / (tokens + 1)[possible].sum()
        self._base = possible / possible.sum()
        self._levels = self._count(text) if self.order > 1 else []

    def _count(self, text: _Text) -> list[_Level]:
        """The levels from 1 to n."""
        keys: list[Ints] = []
        numbers: list[Ints] = []  # of the k-grams that end at every token
        for k in range(1, self.order + 1):
            own = text.longer(numbers[-1] if numbers else text.tokens, k, self.size)
            keys.append(np.unique(own[own != ABSENT]))
            numbers.append(_numbers(keys[-1], own))
        places = np.flatnonzero(text.predicted)  # where the k-grams end that are counted
        levels: list[_Level] = []
        for k in range(self.order, 0, -1):
            counts = np.bincount(numbers[k - 1][places], minlength=len(keys[k - 1]))
            contexts = len(keys[k - 2]) if k > 1 else 1
            levels.insert(0, _level(keys[k - 1], counts, contexts, self.size))
            # Lower orders count in how many contexts a k-gram occurs, not how often.
            places = places[np.unique(numbers[k - 1][places], return_index=True)[1]]
        return levels

    def nats_per_token(self, sequences: Sequences) -> float:
        """Mean negative log-probability of all ids except the first of each sequence."""
        return float(np.concatenate(self.nats(sequences)).mean())

    def nats(self, sequences: Sequences) -> list[Floats]:
        """Negative log-probability of every id except the first, per sequence."""
        result: list[Floats] = []
        for part in _parts(sequences):
            text = _text(part, self.order)
            ends = np.cumsum([len(sequence) - 1 for sequence in part])
            result += np.split(-np.log(self._probabilities(text)), ends[:-1])
        return result

    def _probabilities(self, text: _Text) -> Floats:
        """Of every predicted token."""
        tokens = text.tokens[text.predicted]
        if self.order == 1:
            return self._frequencies[tokens]
        result: Floats = self._base[tokens]
        numbers = np.zeros_like(text.tokens)  # of the contexts that end at every token
        for k, level in enumerate(self._levels, start=1):
            contexts = np.concatenate([[0], numbers[:-1]])[text.predicted]
            numbers = _numbers(level.keys, text.longer(numbers, k, self.size))
            own = numbers[text.predicted]
            left = np.where(contexts != ABSENT, level.left[contexts], 1.0)
            result = np.where(own != ABSENT, level.discounted[own], 0.0) + left * result
        return result


def _parts(sequences: Sequences) -> Iterator[list[Sequence[int] | NDArray[np.integer]]]:
    """Sequences in order, about `AT_ONCE` tokens at once."""
    part: list[Sequence[int] | NDArray[np.integer]] = []
    size = 0
    for sequence in sequences:
        part.append(sequence)
        size += len(sequence)
        if size >= AT_ONCE:
            yield part
            part, size = [], 0
    if part:
        yield part


def _text(sequences: Sequences, order: int) -> _Text:
    first = max(order - 1, 0)  # the places of what is predicted begin here
    sizes = np.array([first + len(sequence) - 1 for sequence in sequences], np.int64)
    begins = np.cumsum(sizes) - sizes
    places = np.arange(sizes.sum()) - np.repeat(begins, sizes)
    predicted = places >= first
    tokens = np.repeat([int(sequence[0]) for sequence in sequences], sizes)
    tokens[predicted] = np.concatenate(
        [np.asarray(sequence[1:], np.int64) for sequence in sequences]
    )
    return _Text(tokens, places, predicted)


def _numbers(keys: Ints, wanted: Ints) -> Ints:
    """Positions of keys among sorted ones; `ABSENT` for keys that are not among them."""
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, places, ABSENT)


def _level(keys: Ints, counts: Ints, contexts: int, size: int) -> _Level:
    """A level from its k-grams, how often each occurs (0 as a context alone), and the contexts."""
    discounts = _discounts(counts)
    taken = discounts[np.minimum(counts, 3)]
    context = keys // size
    totals = np.bincount(context, counts, minlength=contexts)
    divisors = np.maximum(totals, 1)
    left = np.where(totals > 0, np.bincount(context, taken, minlength=contexts) / divisors, 1.0)
    return _Level(keys, (counts - taken) / divisors[context], left)


def _discounts(counts: Ints) -> Floats:
    """What is taken from counts of 0, 1, 2, and 3 or more."""
    n1, n2, n3, n4 = (max(int((counts == times).sum()), 1) for times in (1, 2, 3, 4))
    y = n1 / (n1 + 2 * n2)
    wanted = np.array([0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
    clipped: Floats = np.clip(wanted, [0, 0.05, 0.05, 0.05], [0, 0.95, 1.95, 2.95])
    return clipped
