"""Which examples are in which batch, the same after a resume."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from symbotunes.data.batches.grouping import Grouping, Integers


@dataclass(frozen=True)
class Draws:
    """What one batch is made of.

    Attributes:
        examples: ``[N]`` indices of its examples.
        seeds: ``[N]`` seeds of their random transforms.
        rows: ``[N]`` row of the batch for each, in ascending order; ``None``: one row per example.
        repeated: whether another process has this batch too, see `Batches`.
        tokens: ``[B, T]`` rows that are cut from these examples already; ``None``: they are not.
    """

    examples: Integers
    seeds: Integers
    rows: Integers | None = None
    repeated: bool = False
    tokens: NDArray[np.uint16] | None = None


class Batches(Sampler[Draws]):
    """The batches of one process, in random order.

    All processes have the same number of batches, since they wait for each other in every step. In
    training, batches beyond a multiple of `world_size` are left out. Held-out batches must all be
    read, so processes that would have one fewer get a batch of another one, marked as repeated.

    Args:
        examples: indices of the examples of one split.
        grouping: which of them share a batch.
        seed: of the order; ``None``: held-out data, whose batches are the same in the same order
            every time. That order is random too, so that the first batches are a sample of all.
        rank: which of `world_size` processes this is; each takes every `world_size`-th batch.
        world_size: number of processes.
        repeat: use only this many batches, the first ones of epoch 0, in every epoch; ``None``:
            use all.

    Attributes:
        epoch: passes over the data so far.
        done: batches of this epoch that were already drawn.
    """

    def __init__(
        self,
        examples: Integers,
        grouping: Grouping,
        seed: int | None,
        *,
        rank: int = 0,
        world_size: int = 1,
        repeat: int | None = None,
    ) -> None:
        self.examples = examples
        self.grouping = grouping
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.repeat = repeat
        self.epoch = 0
        self.done = 0

    def __len__(self) -> int:
        if self.seed is not None:
            count = self.grouping.count // self.world_size
            return count if self.repeat is None else min(count, self.repeat)
        return -(-self.grouping.count // self.world_size)

    def __iter__(self) -> Iterator[Draws]:
        epoch = 0 if self.seed is None or self.repeat is not None else self.epoch
        random = np.random.default_rng([self.seed or 0, epoch])
        groups = self.grouping.groups(random if self.seed is not None else None)
        shuffled = random.permutation(np.arange(self.grouping.count))
        own = self.rank + self.world_size * np.arange(len(self))
        for index in own[self.done :]:
            group = shuffled[index % len(shuffled)]
            members = slice(groups.bounds[group], groups.bounds[group + 1])
            examples = self.examples[groups.order[members]]
            rows = (
                None if groups.rows is None else groups.rows[members] - groups.rows[members.start]
            )
            seeds = seeds_of(examples, self.seed, epoch)
            yield Draws(examples, seeds, rows, repeated=bool(index >= len(shuffled)))


def seeds_of(examples: Integers, seed: int | None, epoch: int) -> Integers:
    """A 63-bit seed for each example that depends only on seed, epoch and index.

    Held-out data (no seed) have the same seeds in every epoch. The indices go through the mixing
    function of SplitMix64 (Steele, Lea, Flood 2014), so that neighboring indices get unrelated
    seeds.
    """
    words = np.random.SeedSequence([0 if seed is None else seed + 1, 0 if seed is None else epoch])
    mixed = examples.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed += words.generate_state(1, np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(1)).astype(np.int64)
