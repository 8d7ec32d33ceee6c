"""Which examples share a batch, and in which order batches come: a function of seed and epoch."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.cache.arrays import flat_index
from symbotunes.errors import UserError

JITTER = 0.1  # lengths are blurred by 10 % before sorting, so that batches differ between epochs
CLASSES_PER_OCTAVE = 16  # lengths within 6 % change places where shapes of batches are fixed
EVENED = 16  # last groups of a token budget, among which what is missing in the last is shared
GROUPING = 2  # version of the rules below, kept with a position in an epoch
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Groups:
    """All examples of an epoch in groups, each of which becomes a batch.

    Attributes:
        order: ``[N]`` positions of examples.
        bounds: ``[groups + 1]`` where each group begins in `order`.
        rows: ``[N]`` row of each example, counted over the epoch; ``None``: one row for each.
    """

    order: Integers
    bounds: Integers
    rows: Integers | None = None


class Grouping(Protocol):
    """A rule that puts examples into groups, always the same number of them."""

    @property
    def count(self) -> int:
        """Number of groups."""

    @property
    def is_evened(self) -> bool:
        """Whether version 1 gave other groups: it left the remainder to the last."""

    def groups(self, random: np.random.Generator | None) -> Groups:
        """One epoch's groups; ``None`` gives those of held-out data, the same every time."""


@dataclass(frozen=True)
class Windows:
    """Examples of one length: nothing to sort, nothing to pad.

    Attributes:
        total: number of examples.
        batch_size: examples per batch; the last may hold fewer.
    """

    total: int
    batch_size: int

    @property
    def count(self) -> int:
        """Number of groups."""
        return -(-self.total // self.batch_size)

    @property
    def is_evened(self) -> bool:
        """Never: any examples may be in the last group."""
        return False

    def groups(self, random: np.random.Generator | None) -> Groups:
        """Any examples together."""
        order = np.arange(self.total) if random is None else random.permutation(self.total)
        return Groups(order, even_bounds(self.total, self.batch_size))


@dataclass(frozen=True)
class Buckets:
    """Examples of like length share a batch, and all batches have as many, or one fewer.

    Batches of `batch_size` with the remainder in the last would give the longest examples a batch
    of their own, in every epoch, in which each weighs more than any other example.

    Attributes:
        lengths: tokens of each example.
        batch_size: largest number of examples per batch.
    """

    lengths: Integers
    batch_size: int

    @property
    def count(self) -> int:
        """Number of groups."""
        return -(-len(self.lengths) // self.batch_size)

    @property
    def is_evened(self) -> bool:
        """Whether there is a remainder."""
        return len(self.lengths) % self.batch_size != 0

    def groups(self, random: np.random.Generator | None) -> Groups:
        """Neighbours after sorting by blurred lengths."""
        keys = self.lengths.astype(np.float64)
        if random is not None:
            keys *= 1 + JITTER * random.random(len(keys))
        order = np.argsort(keys, kind="stable")
        return Groups(order, np.arange(self.count + 1) * len(order) // max(self.count, 1))


class TokenBudget:
    """Examples of like length share a batch of at most so many tokens, padding included.

    The shapes of batches are the same in every epoch; examples within 6 % of length change places.
    What is left for the last batch, the longest examples, is shared with the batches before it: in
    a batch with few tokens, each would weigh more.

    Args:
        lengths: tokens of each example.
        batch_tokens: rows times longest row.

    Raises:
        UserError: if an example alone is longer.
    """

    def __init__(self, lengths: Integers, batch_tokens: int) -> None:
        longest = int(lengths.max(initial=0))
        if longest > batch_tokens:
            raise UserError(
                f"loader.batch_tokens={batch_tokens} is less than the longest example, {longest} "
                "tokens: raise it, lower loader.max_tokens, or put sample_subsequence last in "
                "transforms"
            )
        self.lengths = lengths
        self.keys = np.minimum(rounded_up(lengths), batch_tokens)
        filled = budget_bounds(np.sort(self.keys), batch_tokens)
        self.bounds = with_even_end(filled, self.keys)
        self.is_evened = not np.array_equal(filled, self.bounds)

    @property
    def count(self) -> int:
        """Number of groups."""
        return len(self.bounds) - 1

    def groups(self, random: np.random.Generator | None) -> Groups:
        """Neighbours after sorting by rounded lengths, in random order where these are equal."""
        ties = self.lengths if random is None else random.random(len(self.keys))
        return Groups(np.lexsort((ties, self.keys)), self.bounds)


class Packing:
    """Several whole examples share a row, so that hardly any padding is left.

    How rows are composed of lengths is fixed, by best fit; which examples of equal length go where
    is drawn anew in every epoch, and so is which rows share a batch.

    Args:
        lengths: tokens of each example.
        row_tokens: length of a row.
        rows: rows per batch; the last batch may hold fewer.

    Raises:
        UserError: if an example is longer than a row.
    """

    def __init__(self, lengths: Integers, row_tokens: int, rows: int) -> None:
        longest = int(lengths.max(initial=0))
        if longest > row_tokens:
            raise UserError(
                f"loader.pack_length={row_tokens} is less than the longest example, {longest} "
                "tokens: raise it, lower loader.max_tokens, or put sample_subsequence last in "
                "transforms"
            )
        self.lengths = lengths
        self.rows = rows
        contents = best_fit(-np.sort(-lengths), row_tokens)
        self.sizes = np.array([len(row) for row in contents], np.int64)
        self.places = np.array([rank for row in contents for rank in row], np.int64)
        self.is_evened = False  # any rows may be in the last batch

    @property
    def count(self) -> int:
        """Number of groups."""
        return -(-len(self.sizes) // self.rows)

    def groups(self, random: np.random.Generator | None) -> Groups:
        """Rows in random order, a number of them together."""
        total = len(self.sizes)
        ties = np.arange(len(self.lengths)) if random is None else random.random(len(self.lengths))
        by_length = np.lexsort((ties, -self.lengths))
        turn = np.arange(total) if random is None else random.permutation(total)
        starts = np.cumsum(self.sizes) - self.sizes
        order = by_length[self.places[flat_index(starts[turn], self.sizes[turn])]]
        ends = np.concatenate([[0], np.cumsum(self.sizes[turn])])
        rows = np.repeat(np.arange(total), self.sizes[turn])
        return Groups(order, ends[even_bounds(total, self.rows)], rows)


def even_bounds(total: int, size: int) -> Integers:
    """Bounds of groups of `size`, the last of which may hold fewer."""
    return np.append(np.arange(0, total, size), total)


def rounded_up(lengths: Integers) -> Integers:
    """Lengths rounded up to one of 16 values between a power of two and the next."""
    octave = np.floor(np.log2(np.maximum(lengths, 1))).astype(np.int64)
    step = np.maximum((1 << octave) // CLASSES_PER_OCTAVE, 1)
    rounded: Integers = -(-lengths // step) * step
    return rounded


def budget_bounds(keys: Integers, budget: int) -> Integers:
    """Bounds of the largest groups of rising keys whose number times largest is in the budget."""
    bounds = [0]
    while bounds[-1] < len(keys):
        begin = bounds[-1]
        # The largest key of a group of n rises with n, so n * key does too.
        most = min(budget // int(keys[begin]), len(keys) - begin)
        costs = keys[begin : begin + most] * np.arange(1, most + 1)
        bounds.append(begin + int(np.searchsorted(costs, budget, side="right")))
    return np.array(bounds, np.int64)


def with_even_end(bounds: Integers, keys: Integers) -> Integers:
    """The same number of groups, with the last `EVENED` of them as small as that allows.

    Args:
        bounds: of groups of the sorted keys, as `budget_bounds` gives them.
        keys: in any order.
    """
    first = bounds[max(0, len(bounds) - 1 - EVENED)]
    tail = np.sort(keys)[first:]
    if not len(tail):
        return bounds
    groups = min(EVENED, len(bounds) - 1)
    least, enough = int(tail[-1]), int(tail[-1]) * len(tail)
    while least < enough:
        middle = (least + enough) // 2
        if len(budget_bounds(tail, middle)) - 1 <= groups:
            enough = middle
        else:
            least = middle + 1
    evened = first + budget_bounds(tail, enough)
    return np.concatenate([bounds[: len(bounds) - 1 - groups], evened])


def best_fit(falling: Integers, capacity: int) -> list[list[int]]:
    """Rows of indices of falling lengths: each goes where it leaves the least room, or opens a row.

    Rooms are kept as bits of one number, so that the smallest that suffices is found at once.
    """
    rows: list[list[int]] = []
    by_room: dict[int, list[int]] = {}
    rooms = 0
    for index, length in enumerate(falling.tolist()):
        enough = rooms >> length
        if enough:
            room = length + (enough & -enough).bit_length() - 1
            row = by_room[room].pop()
            if not by_room[room]:
                rooms &= ~(1 << room)
            rows[row].append(index)
        else:
            room, row = capacity, len(rows)
            rows.append([index])
        by_room.setdefault(room - length, []).append(row)
        rooms |= 1 << (room - length)
    return rows
