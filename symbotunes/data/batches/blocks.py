"""Batches of blocks: excerpts of one length of a stream of all pieces, cut anew in every epoch."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from symbotunes.data.batches.grouping import Integers, Windows
from symbotunes.data.batches.sampler import Batches, Draws, seeds_of
from symbotunes.data.cache.encoded import Encoded
from symbotunes.data.receipt import BlockCount
from symbotunes.datasets.base import DatasetError
from symbotunes.music.arrival.blocks import Blocks, blocks_of, count_blocks
from symbotunes.music.arrival.clock import unwrapped
from symbotunes.music.arrival.vocabulary import AUTOREGRESS, BLOCK, TRIPLET, Triplets
from symbotunes.transforms.base import Chain


def count_split(encoded: Encoded, examples: Integers) -> BlockCount:
    """Cut pieces into blocks, in their order and without augmentation, and count these.

    An epoch of training has another order and other controls, so its counts differ a little.
    """
    blocks = blocks_of(flagged(np.asarray(encoded.example(i), np.int64)) for i in examples.tolist())
    return BlockCount(len(blocks.tokens), blocks.dropped)


class BlockBatches(Batches):
    """The batches of one process, each of some blocks from all over the corpus.

    In every training epoch pieces are augmented, put in random order, cut into blocks (see
    `symbotunes.music.arrival.blocks`), and these shuffled, so that those of one piece are far
    apart. Their number per epoch is always that of the pieces without augmentation. Controls bring
    rests, so more may be cut, of which some are then left out at random; if fewer are left because
    some were dropped, a few come twice. Held-out pieces are cut once, in their order, and all
    blocks are read.

    An epoch's blocks are in memory as 2 kB each, about 120 MB for the 8,000 hours of Lakh. They are
    made when it begins, by each process.

    Args:
        encoded: the corpus.
        chain: its token steps run for every training piece.
        examples: indices of the examples of one split.
        batch_size: blocks per batch; the last may hold fewer.
        seed: of the order and the augmentation; ``None``: held-out data.
        share: rank of this process, and their number.
        repeat: as in `Batches`.

    Attributes:
        dropped: how many blocks of 100 s or more were left out of the last epoch that was cut.

    Raises:
        DatasetError: if all pieces together are shorter than a block.
    """

    def __init__(
        self,
        encoded: Encoded,
        chain: Chain,
        examples: Integers,
        batch_size: int,
        seed: int | None,
        *,
        share: tuple[int, int] = (0, 1),
        repeat: int | None = None,
    ) -> None:
        self.encoded = encoded
        self.chain = chain
        self.batch_size = batch_size
        self.dropped = 0
        self._held_out: Blocks | None = None
        self.examples, self.seed = examples, seed
        if seed is None:
            self._held_out = self._cut(examples, 0)
            count = len(self._held_out.tokens)
        else:
            count = count_blocks(encoded.lengths(examples) // TRIPLET)
        if not count:
            raise DatasetError(
                f"the pieces of a split make no block of {BLOCK} notes and rests: more pieces are "
                "needed, or another loader"
            )
        grouping = Windows(count, batch_size)
        super().__init__(
            examples, grouping, seed, rank=share[0], world_size=share[1], repeat=repeat
        )

    def __iter__(self) -> Iterator[Draws]:
        epoch = 0 if self.seed is None or self.repeat is not None else self.epoch
        random = np.random.default_rng([self.seed or 0, epoch])
        pieces = self.examples
        if self._held_out is None:
            pieces = random.permutation(pieces)
        blocks = self._held_out or self._cut(pieces, epoch)
        self.dropped = blocks.dropped
        if not len(blocks.tokens):
            raise DatasetError(
                f"all {blocks.dropped} blocks span 100 s or more: use another loader"
            )
        groups = self.grouping.groups(None)
        order = np.resize(random.permutation(len(blocks.tokens)), groups.bounds[-1])
        own = self.rank + self.world_size * np.arange(len(self))
        for index in own[self.done :]:
            group = index % self.grouping.count
            rows = order[groups.bounds[group] : groups.bounds[group + 1]]
            spans = zip(blocks.first[rows].tolist(), blocks.last[rows].tolist(), strict=True)
            touched = np.unique(np.concatenate([np.arange(a, b + 1) for a, b in spans]))
            examples = pieces[touched]
            yield Draws(
                examples,
                seeds_of(examples, self.seed, epoch),
                repeated=bool(index >= self.grouping.count),
                tokens=blocks.tokens[rows],
            )

    def _cut(self, pieces: Integers, epoch: int) -> Blocks:
        """The blocks of pieces in the order given, augmented if they are for training."""
        generator = torch.Generator()
        augments = self.seed is not None and bool(self.chain.token_steps)

        def stream() -> Iterator[tuple[int, Triplets]]:
            seeds = seeds_of(pieces, self.seed, epoch)
            for piece, seed in zip(pieces.tolist(), seeds.tolist(), strict=True):
                ids = self.encoded.example(piece)
                if augments:
                    ids = self.chain.augment(ids, generator.manual_seed(seed))
                yield flagged(np.asarray(ids, np.int64))

        return blocks_of(stream())


def flagged(ids: Any) -> tuple[int, Triplets]:
    """The flag of an example and its triplets, with times from the beginning."""
    has_flag = len(ids) % TRIPLET == 1
    flag = int(ids[0]) if has_flag else AUTOREGRESS
    return flag, unwrapped(ids[int(has_flag) :].reshape(-1, TRIPLET))
