"""What a piece shares with the training pieces, token for token.

This sorts the suffixes of all pieces by prefix doubling: after round k, every position has the rank
of the 2^k tokens that begin there. Neighbors in the final order share the longest prefixes, and the
ranks of all rounds measure how long these are. Manber and Myers, "Suffix arrays", 1993.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Ranks = NDArray[np.int32]
Pieces = Sequence[Sequence[int] | NDArray[np.integer]]
AT_ONCE = 2**20  # tokens of either kind sorted together: a few hundred MiB, for any corpus


@dataclass(frozen=True)
class Copies:
    """What one piece shares with the training pieces.

    Attributes:
        lengths: ``[T]``, how many consecutive tokens from each position on also occur in one
            training piece.
        pieces: ``[T]``, a training piece that contains them; undefined where the length is 0.
    """

    lengths: Ints
    pieces: Ints

    @property
    def longest(self) -> int:
        """Tokens of the longest shared run."""
        return int(self.lengths.max(initial=0))

    @property
    def source(self) -> int | None:
        """The training piece that contains the longest run."""
        return int(self.pieces[self.lengths.argmax()]) if self.longest else None

    def seen(self, order: int) -> tuple[int, int]:
        """Number of the piece's n-grams that occur in training, and of all its n-grams."""
        possible = self.lengths[: max(0, len(self.lengths) - order + 1)]
        return int((possible >= order).sum()), len(possible)


def copies(training: Pieces, pieces: Pieces, at_once: int = AT_ONCE) -> list[Copies]:
    """Compare pieces with the training pieces.

    Memory does not grow with the corpus: both sides are compared part by part, and the longest run
    at every position is kept. The cost is a few sorts of all tokens: seconds for a million.

    Args:
        training: ids of every training piece.
        pieces: ids of the pieces to look at.
        at_once: tokens of either side to compare at once; at least one piece is.
    """
    longest = [Copies(np.zeros(len(piece), np.int64), np.zeros(len(piece), np.int64))
             for piece in pieces]  # fmt: skip
    for first, part in _parts(training, at_once):
        for start, group in _parts(pieces, at_once):
            for index, shared in enumerate(_compared(part, group), start=start):
                longest[index] = _longer(longest[index], shared, first)
    return longest


def _parts(pieces: Pieces, at_once: int) -> Iterator[tuple[int, list[Ints]]]:
    """Consecutive pieces of at most `at_once` tokens together, and the index of the first."""
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


def _longer(known: Copies, more: Copies, first: int) -> Copies:
    """The longer run at every position; the pieces of `more` are numbered from `first`."""
    longer = more.lengths > known.lengths
    return Copies(
        np.where(longer, more.lengths, known.lengths),
        np.where(longer, more.pieces + first, known.pieces),
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
    """All pieces end to end, each with a unique end mark, so that no run crosses an end."""
    above = 1 + max((int(piece.max(initial=0)) for piece in everything), default=0)
    parts = [np.append(piece, above + index) for index, piece in enumerate(everything)]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _ranks(text: Ints, longest: int) -> list[Ranks]:
    """For k = 0, 1, ...: ranks of the positions by their next 2^k tokens; equal where these are.

    In the last round all ranks differ: no two positions share a longer prefix.
    """
    ranks = [_ranked(text)]
    width = 1
    while width < longest and int(ranks[-1].max(initial=0)) < len(text) - 1:
        latest = ranks[-1].astype(np.int64)
        following = np.zeros_like(
            latest
        )  # never decides: only end marks come last, and they are unique
        following[:-width] = latest[width:] + 1
        ranks.append(_ranked(latest * (len(text) + 2) + following))
        width *= 2
    return ranks


def _ranked(values: Ints) -> Ranks:
    return np.unique(values, return_inverse=True)[1].astype(np.int32)


def _longest_beginnings(ranks: Sequence[Ranks], split: int) -> tuple[Ints, Ints]:
    """For positions from `split` on: the longest run shared with one before it, and where.

    The best partner of a position is the nearest one before `split` in the sorted order, above or
    below it.
    """
    size = len(ranks[0])
    order = np.argsort(ranks[-1], kind="stable")
    positions = np.arange(size)
    early = order < split
    above = np.maximum.accumulate(np.where(early, positions, -1))
    below = np.minimum.accumulate(np.where(early, positions, size)[::-1])[::-1]
    late = np.flatnonzero(~early)
    best = np.zeros(size - split, np.int64)
    partner = np.zeros(size - split, np.int64)
    for neighbor in (above[late], below[late]):
        exists = (neighbor >= 0) & (neighbor < size)
        here, there = order[late[exists]], order[neighbor[exists]]
        shared = _shared(ranks, here, there)
        longer = shared > best[here - split]
        best[here[longer] - split] = shared[longer]
        partner[here[longer] - split] = there[longer]
    return best, partner


def _shared(ranks: Sequence[Ranks], here: Ints, there: Ints) -> Ints:
    """How many tokens are equal from each pair of positions on.

    Built from the longest power of two down: equal ranks of round k mean 2^k equal tokens.
    """
    shared = np.zeros_like(here)
    last = len(ranks[0]) - 1
    for power in range(len(ranks) - 1, -1, -1):
        left, right = here + shared, there + shared
        inside = (left <= last) & (right <= last)
        same = ranks[power][np.minimum(left, last)] == ranks[power][np.minimum(right, last)]
        shared += (inside & same) << power
    return shared
