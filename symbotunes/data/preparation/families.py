"""Families: which pieces of a corpus are versions of one another, and the split of each.

Pieces are joined first by what is certain: the same notes, the same piece that a step derived them
from, the source's name for the work, and equal outlines in any key. Then they are joined by the
similarity of their melodies, the strongest first; such a join is refused if it would make a family
too large, since families also merge by chance. The result depends neither on the order of files nor
on the number of workers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.preparation.likeness import Ints, Melodies, alike, shapes
from symbotunes.data.preparation.parts import Part
from symbotunes.data.split import (
    CONTENT,
    SPLITS,
    UNFORCED,
    Shares,
    family_hash,
    positions_of,
    splits_at,
)

LARGEST = 0.01  # largest share of the corpus in a family joined by similarity,
ALWAYS = 10  # but this many pieces are always allowed
TRAIN = SPLITS.index("train")
EXCLUDED = "version of a piece that is held out"  # why a piece is left out


@dataclass(frozen=True)
class Assignment:
    """Where every piece of a corpus goes, in corpus order, including dropped pieces.

    Attributes:
        families: ``[P]`` number of each piece's family.
        splits: ``[P]`` index into `SPLITS`.
        excluded: ``[P]`` whether it must be left out, since a given split holds out its family.
    """

    families: NDArray[np.int32]
    splits: NDArray[np.uint8]
    excluded: NDArray[np.bool_]


@dataclass(frozen=True)
class Pieces:
    """The columns of all parts that decide families and splits; see `Part`."""

    digests: NDArray[np.uint8]
    origins: NDArray[np.uint8]
    works: NDArray[np.uint8]
    forced: NDArray[np.uint8]
    outlines: NDArray[np.uint8]
    melodies: NDArray[np.int64]

    @classmethod
    def of(cls, parts: Sequence[Path]) -> "Pieces":
        """Read the columns of parts; takes about 250 bytes per piece with one melody."""
        columns: dict[str, list[NDArray[Any]]] = {name: [] for name in cls.__annotations__}
        first = 0
        for path in parts:
            part = Part.load(path)
            for name, column in columns.items():
                column.append(getattr(part, name))
            columns["melodies"][-1] = part.melodies + np.array([first, 0])
            first += len(part.names)
        return cls(**{name: np.concatenate(column) for name, column in columns.items()})

    @property
    def distinct(self) -> Ints:
        """One piece of each digest, in the order of the digests."""
        known = np.flatnonzero(self.digests.any(1))
        rows = self.digests[known].view(f"S{self.digests.shape[1]}")[:, 0]
        return known[np.unique(rows, return_index=True)[1]]

    def melodies_of(self, chosen: Ints) -> Melodies:
        """Melodies of the chosen pieces, which are renumbered in the order given."""
        numbers = np.full(len(self.digests), -1)
        numbers[chosen] = np.arange(len(chosen))
        owners = numbers[self.melodies[:, 0]]
        order = np.argsort(owners, kind="stable")
        order = order[owners[order] >= 0]
        lengths = self.melodies[:, 1]
        ends = np.cumsum(lengths)
        parts = [self.outlines[ends[k] - lengths[k] : ends[k]] for k in order.tolist()]
        return Melodies(
            np.concatenate([np.zeros(0, np.uint8), *parts]),
            np.concatenate([[0], np.cumsum(lengths[order])]),
            owners[order],
        )


def assign(parts: Sequence[Path], shares: Shares) -> Assignment:
    """Find the families of a corpus and draw their splits.

    In splits by family, a piece that its corpus assigns to the training split takes its family
    there. If it is assigned to a held-out split, the rest of its family is left out, so that the
    held-out split stays as published.

    Args:
        parts: of the corpus, in its order.
        shares: of the splits, and the rule by which they are drawn.
    """
    pieces = Pieces.of(parts)
    families = families_of(pieces)
    forced = pieces.forced != UNFORCED
    if shares.by == CONTENT:
        drawn = splits_at(positions_of(pieces.origins), shares)
        excluded = np.zeros(len(drawn), np.bool_)
    else:
        positions = positions_of(_hashes(pieces, families))
        trained = np.isin(families, families[forced & (pieces.forced == TRAIN)])
        held_out = np.isin(families, families[forced & (pieces.forced != TRAIN)])
        positions[trained] = 1.0
        drawn = splits_at(positions, shares)
        drawn[forced] = pieces.forced[forced]
        kept = pieces.digests.any(1)  # a dropped piece fills no split
        filled, free = drawn[kept], (~trained & ~held_out)[kept]
        _fill_empty(filled, positions[kept], families[kept], free, shares)
        drawn[kept] = filled
        excluded = held_out & ~forced
    drawn[forced] = pieces.forced[forced]
    return Assignment(families, drawn, excluded)


def _fill_empty(
    drawn: NDArray[np.uint8],
    positions: NDArray[np.float64],
    families: NDArray[np.int32],
    free: NDArray[np.bool_],
    shares: Shares,
) -> None:
    """Give a split without a family the one that came nearest to it, as far as there are enough.

    A share of 5 % of 30 families holds none in one corpus of five, and then no checkpoint of a
    model could be the best. Training comes first, then validation, then test.

    Args:
        drawn: ``[P]`` index into `SPLITS` of pieces that are kept, changed in place.
        positions: ``[P]`` of the families.
        families: ``[P]`` their numbers.
        free: ``[P]`` whether the corpus leaves the choice to us.
        shares: of the splits.
    """
    shared = {"train": 1.0, "val": shares.val, "test": shares.test}
    wanted = [SPLITS.index(name) for name, share in shared.items() if share > 0]
    for rank, split in enumerate(wanted):
        if (drawn == split).any():
            continue
        sizes = {other: len(np.unique(families[drawn == other])) for other in wanted}
        givers = [other for other in wanted if sizes[other] > 1] + wanted[rank + 1 :]
        pieces = np.flatnonzero(free & np.isin(drawn, givers))
        if len(pieces):
            heights = positions[pieces]
            nearest = pieces[heights.argmax() if split == TRAIN else heights.argmin()]
            drawn[families == families[nearest]] = split


def families_of(pieces: Pieces) -> NDArray[np.int32]:
    """``[P]`` numbers of families; a dropped piece is a family of one."""
    joined = Joined(len(pieces.digests))
    for column in (pieces.digests, pieces.origins, pieces.works):
        firsts: dict[bytes, int] = {}
        for index in np.flatnonzero(column.any(1)).tolist():
            joined.join(index, firsts.setdefault(column[index].tobytes(), index))
    # The piece that a step derived others from may be in the corpus itself, under its own digest.
    known = {digest.tobytes(): index for index, digest in enumerate(pieces.digests)}
    for index in np.flatnonzero(pieces.origins.any(1)).tolist():
        joined.join(index, known.get(pieces.origins[index].tobytes(), index))
    _join_alike(joined, pieces)
    return np.unique(joined.roots(), return_inverse=True)[1].astype(np.int32)


def _join_alike(joined: "Joined", pieces: Pieces) -> None:
    """Join pieces with equal outlines, then those with a similar melody."""
    distinct = pieces.distinct
    melodies = pieces.melodies_of(distinct)
    firsts: dict[bytes, int] = {}
    for piece, shape in shapes(melodies).items():
        joined.join(distinct[piece], distinct[firsts.setdefault(shape, piece)])
    most = max(ALWAYS, int(LARGEST * len(distinct)))
    pairs = alike(melodies)
    for first, second in zip(distinct[pairs.first], distinct[pairs.second], strict=True):
        joined.join(first, second, most)


def _hashes(pieces: Pieces, families: NDArray[np.int32]) -> NDArray[np.uint8]:
    """``[P, 32]`` the hash of each piece's family.

    It is the hash of the family's works, if it has any, so that adding pieces of these works does
    not change its split.
    """
    named = np.asarray(pieces.works.any(axis=1), np.bool_)
    by_family: dict[int, list[bytes]] = {}
    in_named = np.isin(families, families[named])
    for index in np.flatnonzero(named | ~in_named).tolist():
        column = pieces.works if named[index] else pieces.origins
        by_family.setdefault(int(families[index]), []).append(column[index].tobytes())
    hashes = {family: family_hash(members) for family, members in by_family.items()}
    rows = b"".join(hashes[family] for family in families.tolist())
    return np.frombuffer(rows, np.uint8).reshape(len(families), -1)


class Joined:
    """Disjoint sets of ``0 .. count - 1`` (union by size, with path halving)."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))
        self._sizes = [1] * count

    def root(self, index: int) -> int:
        """The number that represents the set of `index`."""
        while self._above[index] != index:
            self._above[index] = self._above[self._above[index]]
            index = self._above[index]
        return index

    def join(self, first: int, second: int, most: int | None = None) -> bool:
        """Merge the sets of two numbers; ``False`` if the result would exceed `most`."""
        a, b = self.root(first), self.root(second)
        if a == b:
            return True
        if most is not None and self._sizes[a] + self._sizes[b] > most:
            return False
        large, small = (a, b) if (self._sizes[a], -a) > (self._sizes[b], -b) else (b, a)
        self._above[small] = large
        self._sizes[large] += self._sizes[small]
        return True

    def roots(self) -> NDArray[np.int64]:
        """The root of every number."""
        return np.array([self.root(index) for index in range(len(self._above))], np.int64)
