"""What a piece shares with the training pieces, word for word.

One suffix order of all pieces, by prefix doubling: after round k every place knows the rank of the
2^k tokens that begin there. Neighbours in the final order share the longest beginnings, and the
ranks of all rounds measure how long these are. Manber and Myers, "Suffix arrays", 1993.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Ranks = NDArray[np.int32]
Pieces = Sequence[Sequence[int] | NDArray[np.integer]]
AT_ONCE = 2**20  # tokens in one suffix order of each kind: some hundred MiB, for any corpus


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


def copies(training: Pieces, pieces: Pieces, at_once: int = AT_ONCE) -> list[Copies]:
    """Compare pieces with the training pieces.

    Memory does not grow with the corpus: parts of both kinds are compared with each other, and the
    longest run of every place is kept. The cost is a few sorts of all tokens: seconds for a
    million.

    Args:
        training: ids of every training piece.
        pieces: ids of the pieces to look at.
        at_once: tokens of either kind that are compared at once, at least those of one piece.
    """
    found = [Copies(np.zeros(len(piece), np.int64), np.zeros(len(piece), np.int64))
             for piece in pieces]  # fmt: skip
    for first, some in _parts(training, at_once):
        for start, group in _parts(pieces, at_once):
            for place, shared in enumerate(_compared(some, group), start=start):
                found[place] = _longer(found[place], shared, first)
    return found


def _parts(pieces: Pieces, at_once: int) -> Iterator[tuple[int, list[Ints]]]:
    """Pieces in order, as many at once as have so many tokens, and the index of the first."""
    part: list[Ints] = []
    first, size = 0, 0
    for index, piece in enumerate(pieces):
        if part and size + len(piece) > at_once:
            yield first, part
            first, size, part = index, 0, []
        part.append(np.asarray(piece, np.int64))
        size += len(piece)
    if part:
        yield first, part


def _longer(found: Copies, more: Copies, first: int) -> Copies:
    """At every place the longer run; the pieces of `more` are counted from `first`."""
    longer = more.lengths > found.lengths
    return Copies(
        np.where(longer, more.lengths, found.lengths),
        np.where(longer, more.pieces + first, found.pieces),
    )


def _compared(training: Sequence[Ints], pieces: Sequence[Ints]) -> list[Copies]:
    everything = [*training, *pieces]
    sizes = np.array([len(piece) + 1 for piece in everything], np.int64)
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


def _ranks(text: Ints, longest: int) -> list[Ranks]:
    """For k = 0, 1, ...: equal where the next 2^k tokens are, and ordered as they are.

    The last ranks are all different: no two places begin alike for longer.
    """
    ranks = [_ranked(text)]
    width = 1
    while width < longest and int(ranks[-1].max(initial=0)) < len(text) - 1:
        latest = ranks[-1].astype(np.int64)
        following = np.zeros_like(latest)  # what lies beyond the text comes after a unique sign
        following[:-width] = latest[width:] + 1
        ranks.append(_ranked(latest * (len(text) + 2) + following))
        width *= 2
    return ranks


def _ranked(values: Ints) -> Ranks:
    return np.unique(values, return_inverse=True)[1].astype(np.int32)


def _longest_beginnings(ranks: Sequence[Ranks], split: int) -> tuple[Ints, Ints]:
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


def _shared(ranks: Sequence[Ranks], here: Ints, there: Ints) -> Ints:
    """How many tokens the text has in common from pairs of places on."""
    shared = np.zeros_like(here)
    last = len(ranks[0]) - 1
    for power in range(len(ranks) - 1, -1, -1):
        left, right = here + shared, there + shared
        inside = (left <= last) & (right <= last)
        same = ranks[power][np.minimum(left, last)] == ranks[power][np.minimum(right, last)]
        shared += (inside & same) << power
    return shared
