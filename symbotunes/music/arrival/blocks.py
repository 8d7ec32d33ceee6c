"""Blocks of 341 triplets, across pieces, as the published models were trained on.

Thickstun et al. 2023, https://arxiv.org/abs/2306.08620, section 3.3, as the authors' code cuts
them (``tokenize.py``).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.arrival.vocabulary import (
    BLOCK,
    MAX_TIME,
    SEPARATOR,
    TRIPLET,
    Triplets,
    is_separator,
    times,
)
from symbotunes.music.midi.decoding import Integers

CHUNK = 1000 * BLOCK  # triplets that are cut at once, so that memory does not grow with the corpus
_SEPARATORS = np.full((1, TRIPLET), SEPARATOR)


@dataclass(frozen=True)
class Blocks:
    """Excerpts of a stream of pieces.

    Attributes:
        tokens: ``[B, 1024]`` a flag and 341 triplets each.
        first: ``[B]`` number of the piece in which each begins.
        last: ``[B]`` number of the piece in which each ends.
        dropped: how many more were left out, since they span 100 s or more.
    """

    tokens: NDArray[np.uint16]
    first: Integers
    last: Integers
    dropped: int


def count_blocks(triplets: Integers) -> int:
    """How many blocks pieces of so many triplets make, dropped ones included."""
    return int((triplets + 1).sum()) // BLOCK


def blocks_of(pieces: Iterable[tuple[int, Triplets]]) -> Blocks:
    """Cut pieces, end to end, into blocks; what is left over at the end is not used.

    Three separators precede each piece. A block has the flag of the piece in which it begins, and
    times from its earliest one; those after a separator are those of the next piece. A block with a
    time of 100 s or more cannot be written with the ids, and is dropped. The authors' code gives
    the block after a dropped one the flag of the latter; here it has its own.

    Args:
        pieces: flag and ``[N, 3]`` triplets of each, with times from the beginning.
    """
    parts = list(_parts(pieces))
    tokens = [np.zeros((0, 1 + TRIPLET * BLOCK), np.uint16), *(part.tokens for part in parts)]
    empty = np.zeros(0, np.int64)
    return Blocks(
        np.concatenate(tokens),
        np.concatenate([empty, *(part.first for part in parts)]),
        np.concatenate([empty, *(part.last for part in parts)]),
        sum(part.dropped for part in parts),
    )


def _parts(pieces: Iterable[tuple[int, Triplets]]) -> Iterator[Blocks]:
    """The blocks of some pieces at a time."""
    waiting: list[Triplets] = []
    owners: list[Integers] = []  # number of the piece of each triplet
    flags: list[int] = []
    size = 0
    for number, (flag, triplets) in enumerate(pieces):
        flags.append(flag)
        waiting += [_SEPARATORS, triplets]
        owners.append(np.full(len(triplets) + 1, number))
        size += len(triplets) + 1
        if size >= CHUNK:
            stream, numbers = np.concatenate(waiting), np.concatenate(owners)
            whole = size - size % BLOCK
            yield _cut(stream[:whole], numbers[:whole], np.array(flags))
            waiting, owners, size = [stream[whole:]], [numbers[whole:]], size - whole
    if size >= BLOCK:
        whole = size - size % BLOCK
        stream, numbers = np.concatenate(waiting), np.concatenate(owners)
        yield _cut(stream[:whole], numbers[:whole], np.array(flags))


def _cut(stream: Triplets, numbers: Integers, flags: Integers) -> Blocks:
    """The blocks of a whole number of them."""
    rows = stream.reshape(-1, BLOCK, TRIPLET)
    separators = is_separator(stream).reshape(-1, BLOCK)
    onsets = times(stream).reshape(-1, BLOCK)
    # Times count from the earliest before the first separator, which is MAX where there is none.
    is_head = np.cumsum(separators, axis=1) == 0
    earliest = np.where(is_head, onsets, np.iinfo(np.int64).max).min(axis=1)
    shift = np.where(is_head, earliest[:, None], 0)
    latest = np.where(separators, 0, onsets - shift).max(axis=1)
    kept = latest < MAX_TIME
    rows = rows[kept] - np.stack([shift[kept], *2 * [np.zeros_like(shift[kept])]], axis=2)
    first, last = numbers[::BLOCK][kept], numbers[BLOCK - 1 :: BLOCK][kept]
    flat = rows.reshape(len(rows), TRIPLET * BLOCK)
    tokens = np.concatenate([flags[first][:, None], flat], axis=1).astype(np.uint16)
    return Blocks(tokens, first, last, int(np.count_nonzero(~kept)))
