"""Which examples share a batch, and the order of the batches: a function of seed and epoch."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.cache.arrays import flat_index
from symbotunes.errors import UserError

JITTER = (
    0.1  # lengths get up to 10 % of noise before sorting, so that batches differ between epochs
)
CLASSES_PER_OCTAVE = 16  # lengths within 6 % are exchangeable where the shapes of batches are fixed
EVENED = 16  # last groups of a token budget, which share the shortfall of the very last one
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Groups:
    """All examples of an epoch in groups, each of which becomes a batch.

    Attributes:
        order: ``[N]`` positions of examples.
        bounds: ``[groups + 1]`` where each group begins in `order`.
        rows: ``[N]`` row of each example, counted over the epoch; ``None``: one row per example.
    """

    order: Integers
    bounds: Integers
    rows: Integers | None = None


class Grouping(Protocol):
    """A rule that puts examples into groups, always the same number of them."""

    @property
    def count(self) -> int:
        """Number of groups."""

    def groups(self, random: np.random.Generator | None) -> Groups:
        """One epoch's groups; without `random`, those of held-out data, the same every time."""


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

    def groups(self, random: np.random.Generator | None) -> Groups:
        """Groups of any examples."""
        order = np.arange(self.total) if random is None else random.permutation(self.total)
        return Groups(order, even_bounds(self.total, self.batch_size))


@dataclass(frozen=True)
class Buckets:
    """Examples of similar length share a batch; the sizes of batches differ by at most one.

    If all batches had `batch_size` examples and the last one the remainder, the longest examples
    would form a small batch in every epoch, and each would weigh more than any other example.

    Attributes:
        lengths: tokens of each example.
        batch_size: largest number of examples per batch.
        even: ``False`` leaves the remainder to the last batch, as runs of earlier versions did.
    """

    lengths: Integers
    batch_size: int
    even: bool = True

    @property
    def count(self) -> int:
        """Number of groups."""
        return -(-len(self.lengths) // self.batch_size)

    def groups(self, random: np.random.Generator | None) -> Groups:
        """Neighbors after sorting by lengths with noise."""
        keys = self.lengths.astype(np.float64)
        if random is not None:
            keys *= 1 + JITTER * random.random(len(keys))
        order = np.argsort(keys, kind="stable")
        if not self.even:
            return Groups(order, even_bounds(len(order), self.batch_size))
        return Groups(order, np.arange(self.count + 1) * len(order) // max(self.count, 1))


class TokenBudget:
    """Examples of similar length share a batch of at most `batch_tokens`, padding included.

    The shapes of batches are the same in every epoch; examples whose lengths differ by up to 6 %
    are exchanged. The last batch, of the longest examples, would be left with few of them, and each
    would weigh more; it is evened out with the batches before it.

    Args:
        lengths: tokens of each example.
        batch_tokens: rows times longest row.
        even: ``False`` leaves the last batch as it is, as runs of earlier versions did.

    Raises:
        UserError: if a single example is longer.
    """

    def __init__(self, lengths: Integers, batch_tokens: int, *, even: bool = True) -> None:
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
        self.bounds = with_even_end(filled, self.keys) if even else filled

    @property
    def count(self) -> int:
        """Number of groups."""
        return len(self.bounds) - 1

    def groups(self, random: np.random.Generator | None) -> Groups:
        """Neighbors after sorting by rounded lengths, in random order where these are equal."""
        ties = self.lengths if random is None else random.random(len(self.keys))
        return Groups(np.lexsort((ties, self.keys)), self.bounds)


class Packing:
    """Several whole examples share a row, so that hardly any padding is left.

    Which lengths make up a row is decided once, by best fit. In every epoch, examples of equal
    length are assigned to these slots at random, and so are rows to batches.

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
        # Rows hold ranks in the order of falling length, not examples: `groups` turns ranks into
        # examples, and shuffles those of equal length among their ranks.
        self.sizes = np.array([len(row) for row in contents], np.int64)  # [rows] examples per row
        self.places = np.array([rank for row in contents for rank in row], np.int64)  # [N] ranks

    @property
    def count(self) -> int:
        """Number of groups."""
        return -(-len(self.sizes) // self.rows)

    def groups(self, random: np.random.Generator | None) -> Groups:
        """Groups of `rows` rows, which come in random order."""
        total = len(self.sizes)
        ties = np.arange(len(self.lengths)) if random is None else random.random(len(self.lengths))
        by_length = np.lexsort((ties, -self.lengths))  # rank -> example
        row_order = np.arange(total) if random is None else random.permutation(total)
        sizes = self.sizes[row_order]
        starts = (np.cumsum(self.sizes) - self.sizes)[row_order]  # where these rows are in `places`
        order = by_length[self.places[flat_index(starts, sizes)]]
        bounds = np.concatenate([[0], np.cumsum(sizes)])  # of rows in `order`
        rows = np.repeat(np.arange(total), sizes)
        return Groups(order, bounds[even_bounds(total, self.rows)], rows)


def even_bounds(total: int, size: int) -> Integers:
    """Bounds of groups of `size`; the last group may be smaller."""
    return np.append(np.arange(0, total, size), total)


def rounded_up(lengths: Integers) -> Integers:
    """Lengths rounded up to one of 16 values between a power of two and the next."""
    octave = np.floor(np.log2(np.maximum(lengths, 1))).astype(np.int64)
    step = np.maximum((1 << octave) // CLASSES_PER_OCTAVE, 1)
    rounded: Integers = -(-lengths // step) * step
    return rounded


def budget_bounds(keys: Integers, budget: int) -> Integers:
    """Bounds of groups of ascending keys, each as large as the budget allows.

    The cost of a group is that of a padded batch: its size times its largest key.
    """
    bounds = [0]
    while bounds[-1] < len(keys):
        begin = bounds[-1]
        # The keys ascend, so the cost of the first n rises with n: a binary search finds the last
        # n within the budget. No group can have more than the budget divided by its smallest key.
        most = min(budget // int(keys[begin]), len(keys) - begin)
        costs = keys[begin : begin + most] * np.arange(1, most + 1)
        bounds.append(begin + int(np.searchsorted(costs, budget, side="right")))
    return np.array(bounds, np.int64)


def with_even_end(bounds: Integers, keys: Integers) -> Integers:
    """The same number of groups, with the last `EVENED` of them evened out.

    These are grouped again by the smallest budget that needs no more groups than before, found by
    bisection: the number of groups never grows with the budget.

    Args:
        bounds: of groups of the sorted keys, as `budget_bounds` returns them.
        keys: in any order.
    """
    first = bounds[max(0, len(bounds) - 1 - EVENED)]
    tail = np.sort(keys)[first:]
    if not len(tail):
        return bounds
    groups = min(EVENED, len(bounds) - 1)
    # Invariant: `enough` suffices, and no budget below `least` does. At first these are a single
    # group of all examples, and the longest example by itself.
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
    """Rows of indices of descending lengths, each in the fullest row it fits, or else in a new one.

    The free space of the rows is kept as the bits of one integer: bit r is set if some row has room
    for r more tokens. Shifting it right by a length leaves the rows that the length fits; the
    lowest bit that is set there (``x & -x``) is the one with the least room to spare.

    Args:
        falling: ``[N]`` lengths, the longest first.
        capacity: length of a row; no length may exceed it.
    """
    rows: list[list[int]] = []
    by_room: dict[int, list[int]] = {}  # room -> the rows that have exactly this much
    rooms = 0  # bit r is set exactly if `by_room` has rows with room r
    for index, length in enumerate(falling.tolist()):
        fitting = rooms >> length
        if fitting:
            room = length + (fitting & -fitting).bit_length() - 1
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
