"""What a piece shares with the training pieces, word for word.

One suffix order of all pieces, by prefix doubling: after round k every place knows the rank of the
2^k tokens that begin there. Neighbours in the final order share the longest beginnings, and the
ranks of all rounds measure how long these are. Manber and Myers, "Suffix arrays", 1993.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Copies:
    """What one piece shares with the training pieces.

    Attributes:
        lengths: ``[T]``, how many tokens from each place on stand in this order in one training
            piece.
        pieces: ``[T]``, a training piece that holds them; of no meaning where the length is 0.
    """

    lengths: Ints
    pieces: Ints

    @property
    def longest(self) -> int:
        """Tokens of the longest shared run."""
        return int(self.lengths.max(initial=0))

    @property
    def source(self) -> int | None:
        """The training piece that the longest run stands in."""
        return int(self.pieces[self.lengths.argmax()]) if self.longest else None

    def seen(self, order: int) -> tuple[int, int]:
        """Number of n-grams that the training pieces hold, and of all n-grams of the piece."""
        possible = self.lengths[: max(0, len(self.lengths) - order + 1)]
        return int((possible >= order).sum()), len(possible)


def copies(
    training: Sequence[Sequence[int]] | Sequence[NDArray[np.integer]],
    pieces: Sequence[Sequence[int]] | Sequence[NDArray[np.integer]],
) -> list[Copies]:
    """Compare pieces with the training pieces.

    The cost is a few sorts of all tokens together: seconds for a million.

    Args:
        training: ids of every training piece.
        pieces: ids of the pieces to look at.
    """
    everything = [np.asarray(each, np.int64) for each in (*training, *pieces)]
    sizes = np.array([len(each) + 1 for each in everything], np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    ranks = _ranks(_joined(everything), int(sizes.max(initial=1)))
    split = int(starts[len(training)])
    lengths, sources = _longest_beginnings(ranks, split)
    owners = np.repeat(np.arange(len(everything)), sizes)[sources]
    bounds = zip(starts[len(training) : -1] - split, sizes[len(training) :] - 1, strict=True)
    return [
        Copies(lengths[at : at + size], owners[at : at + size])
        for at, size in ((int(start), int(count)) for start, count in bounds)
    ]


def _joined(everything: Sequence[Ints]) -> Ints:
    """All pieces end to end; each ends with a sign of its own, so that no run crosses an end."""
    above = 1 + max((int(each.max(initial=0)) for each in everything), default=0)
    parts = [np.append(each, above + index) for index, each in enumerate(everything)]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _ranks(text: Ints, longest: int) -> list[Ints]:
    """For k = 0, 1, ...: equal where the next 2^k tokens are, and ordered as they are."""
    ranks = [np.unique(text, return_inverse=True)[1].astype(np.int64)]
    width = 1
    while width < longest:
        latest = ranks[-1]
        following = np.zeros_like(latest)  # what lies beyond the text comes after a unique sign
        following[:-width] = latest[width:] + 1
        pairs = latest * (len(text) + 2) + following
        ranks.append(np.unique(pairs, return_inverse=True)[1].astype(np.int64))
        width *= 2
    return ranks


def _longest_beginnings(ranks: Sequence[Ints], split: int) -> tuple[Ints, Ints]:
    """For every place from `split` on: the longest run shared with a place before, and the place.

    The best partner of a place is the nearest place before `split` above or below it in the order.
    """
    size = len(ranks[0])
    order = np.argsort(ranks[-1], kind="stable")
    at = np.arange(size)
    early = order < split
    above = np.maximum.accumulate(np.where(early, at, -1))
    below = np.minimum.accumulate(np.where(early, at, size)[::-1])[::-1]
    late = np.flatnonzero(~early)
    best = np.zeros(size - split, np.int64)
    partner = np.zeros(size - split, np.int64)
    for neighbour in (above[late], below[late]):
        real = (neighbour >= 0) & (neighbour < size)
        here, there = order[late[real]], order[neighbour[real]]
        shared = _shared(ranks, here, there)
        longer = shared > best[here - split]
        best[here[longer] - split] = shared[longer]
        partner[here[longer] - split] = there[longer]
    return best, partner


def _shared(ranks: Sequence[Ints], here: Ints, there: Ints) -> Ints:
    """How many tokens the text has in common from pairs of places on."""
    shared = np.zeros_like(here)
    last = len(ranks[0]) - 1
    for power in range(len(ranks) - 1, -1, -1):
        left, right = here + shared, there + shared
        inside = (left <= last) & (right <= last)
        same = ranks[power][np.minimum(left, last)] == ranks[power][np.minimum(right, last)]
        shared += (inside & same) << power
    return shared
