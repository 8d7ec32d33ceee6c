"""Families: which pieces of a corpus are versions of one another, and the split of each.

Pieces are joined first by what is certain: the same notes, the piece that a step made both of, the
source's own name of the work, and equal outlines in whatever key. Then by likeness of their
melodies, the strongest first; a join by likeness that would make a family too large is refused,
since families grow together by chance. Neither the order of files nor the number of workers makes
a difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.preparation.likeness import Ints, Melodies, alike, shapes
from symbotunes.data.preparation.parts import Part
from symbotunes.data.split import CONTENT, SPLITS, UNFORCED, Shares, family_hash, splits_of

LARGEST = 0.01  # share of the corpus that a family joined by likeness may have,
ALWAYS = 10  # but so many pieces in any case
TRAIN = SPLITS.index("train")
EXCLUDED = "version of a piece that is held out"  # why a piece is left out


@dataclass(frozen=True)
class Assignment:
    """Where every piece of a corpus goes, in corpus order, pieces that were dropped included.

    Attributes:
        families: ``[P]`` number of each piece's family.
        splits: ``[P]`` index into `SPLITS`.
        excluded: ``[P]`` whether it must be left out, since another corpus holds out its family.
    """

    families: NDArray[np.int32]
    splits: NDArray[np.uint8]
    excluded: NDArray[np.bool_]


@dataclass(frozen=True)
class Pieces:
    """What decides families and splits, of all parts; see `Part` for the columns."""

    digests: NDArray[np.uint8]
    origins: NDArray[np.uint8]
    works: NDArray[np.uint8]
    forced: NDArray[np.uint8]
    outlines: NDArray[np.uint8]
    melodies: NDArray[np.int64]

    @classmethod
    def of(cls, parts: Sequence[Path]) -> "Pieces":
        """Read the columns of parts; about 250 bytes for each piece of one melody stay."""
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
        """Those of some pieces, which are numbered as they are given."""
        numbers = np.full(len(self.digests), -1)
        numbers[chosen] = np.arange(len(chosen))
        owners = numbers[self.melodies[:, 0]]
        order = np.argsort(owners, kind="stable")
        order = order[owners[order] >= 0]
        lengths = self.melodies[:, 1]
        ends = np.cumsum(lengths)
        parts = [self.outlines[ends[at] - lengths[at] : ends[at]] for at in order.tolist()]
        return Melodies(
            np.concatenate([np.zeros(0, np.uint8), *parts]),
            np.concatenate([[0], np.cumsum(lengths[order])]),
            owners[order],
        )


def assign(parts: Sequence[Path], shares: Shares) -> Assignment:
    """Find the families of a corpus and draw their splits.

    By family, pieces that must go to a split take the others of their family along to the training
    split; if their split is held out, the others are left out, so that it stays what it was said to
    be.

    Args:
        parts: of the corpus, in its order.
        shares: of the splits, and the rule by which they are drawn.
    """
    pieces = Pieces.of(parts)
    families = families_of(pieces)
    forced = pieces.forced != UNFORCED
    if shares.by == CONTENT:
        drawn = splits_of(pieces.origins, shares)
        excluded = np.zeros(len(drawn), np.bool_)
    else:
        drawn = splits_of(_hashes(pieces, families), shares)
        trained = np.isin(families, families[forced & (pieces.forced == TRAIN)])
        held_out = np.isin(families, families[forced & (pieces.forced != TRAIN)])
        drawn[trained] = TRAIN
        excluded = held_out & ~forced
    splits = np.where(forced, pieces.forced, drawn).astype(np.uint8)
    return Assignment(families, splits, excluded)


def families_of(pieces: Pieces) -> NDArray[np.int32]:
    """``[P]`` numbers of families; a piece that was dropped is one by itself."""
    joined = Joined(len(pieces.digests))
    for column in (pieces.digests, pieces.origins, pieces.works):
        firsts: dict[bytes, int] = {}
        for index in np.flatnonzero(column.any(1)).tolist():
            joined.join(index, firsts.setdefault(column[index].tobytes(), index))
    # What a step made is found under its own digest, too.
    known = {digest.tobytes(): index for index, digest in enumerate(pieces.digests)}
    for index in np.flatnonzero(pieces.origins.any(1)).tolist():
        joined.join(index, known.get(pieces.origins[index].tobytes(), index))
    _join_alike(joined, pieces)
    return np.unique(joined.roots(), return_inverse=True)[1].astype(np.int32)


def _join_alike(joined: "Joined", pieces: Pieces) -> None:
    """Join what has equal outlines, then what has a melody in common."""
    distinct = pieces.distinct
    melodies = pieces.melodies_of(distinct)
    firsts: dict[bytes, int] = {}
    for piece, shape in shapes(melodies).items():
        joined.join(distinct[piece], distinct[firsts.setdefault(shape, piece)])
    most = max(ALWAYS, int(LARGEST * len(distinct)))
    found = alike(melodies)
    for one, other in zip(distinct[found.first], distinct[found.second], strict=True):
        joined.join(one, other, most)


def _hashes(pieces: Pieces, families: NDArray[np.int32]) -> NDArray[np.uint8]:
    """``[P, 32]`` the hash of each piece's family.

    It is of the works in it, if any: then later pieces of these works do not move the family.
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
    """Sets of numbers ``0 .. count - 1`` that grow together (union by size)."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))
        self._sizes = [1] * count

    def root(self, index: int) -> int:
        """The number that stands for the set of another."""
        while self._above[index] != index:
            self._above[index] = self._above[self._above[index]]
            index = self._above[index]
        return index

    def join(self, first: int, second: int, most: int | None = None) -> bool:
        """Make one set of those of two numbers; ``False`` if it would have more than `most`."""
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
