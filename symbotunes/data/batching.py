"""Length-bucketed batches whose order is a function of seed and epoch alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Sampler

from symbotunes.data.cache import Encoded
from symbotunes.models.base import Batch
from symbotunes.transforms.base import Chain

JITTER = 0.1  # lengths are blurred by 10 % before sorting, so that batches differ between epochs


@dataclass(frozen=True)
class Draw:
    """One example to be made: which piece, and the seed of its random transforms."""

    piece: int
    seed: int


class Examples(Dataset[list[int]]):
    """Pieces of one split after the random transforms, with ``bos`` and ``eos``."""

    def __init__(self, encoded: Encoded, chain: Chain, *, augment: bool) -> None:
        self.encoded = encoded
        self.chain = chain
        self.augment = augment

    def __getitem__(self, draw: Draw) -> list[int]:
        ids: Sequence[int] = self.encoded.piece(draw.piece).tolist()
        if self.augment:
            ids = self.chain.augment(ids, torch.Generator().manual_seed(draw.seed))
        vocabulary = self.chain.tokenizer.vocabulary
        return [vocabulary.bos, *ids, vocabulary.eos]


def collate(examples: Sequence[Sequence[int]]) -> Batch:
    """Pad to the longest; what fills the tail is id 0 and is never read."""
    lengths = torch.tensor([len(example) for example in examples])
    tokens = torch.zeros(len(examples), int(lengths.max()), dtype=torch.int64)
    for row, example in enumerate(examples):
        tokens[row, : len(example)] = torch.tensor(example)
    return Batch(tokens, lengths)


@dataclass
class Buckets(Sampler[list[Draw]]):
    """Batches of pieces of like length, in random order for training.

    Attributes:
        pieces: indices of the pieces of one split.
        lengths: their lengths in tokens.
        batch_size: pieces per batch; the last may hold fewer.
        seed: of the order; ``None`` keeps pieces sorted by length, the same every time.
        rank: which of `world_size` processes this is; each takes every `world_size`-th batch.
        world_size: number of processes; in training, batches beyond a multiple of it are left out,
            since all processes must take the same number of steps.
        epoch: passes over the data so far.
        done: batches of this epoch that were already drawn.
    """

    pieces: NDArray[np.int64]
    lengths: NDArray[np.int64]
    batch_size: int
    seed: int | None
    rank: int = 0
    world_size: int = 1
    epoch: int = field(default=0, init=False)
    done: int = field(default=0, init=False)

    def __len__(self) -> int:
        batches = -(-len(self.pieces) // self.batch_size)
        if self.seed is not None:
            return batches // self.world_size
        return len(range(self.rank, batches, self.world_size))

    def __iter__(self) -> Iterator[list[Draw]]:
        random = np.random.default_rng([self.seed or 0, self.epoch])
        keys = self.lengths.astype(np.float64)
        if self.seed is not None:
            keys *= 1 + JITTER * random.random(len(keys))
        order = self.pieces[np.argsort(keys, kind="stable")]
        batches = [
            order[start : start + self.batch_size]
            for start in range(0, len(order), self.batch_size)
        ]
        turn = random.permutation(len(batches)) if self.seed is not None else range(len(batches))
        mine = list(turn)[self.rank :: self.world_size][: len(self)]
        for number in mine[self.done :]:
            yield [Draw(int(piece), self._seed(int(piece))) for piece in batches[number]]

    def _seed(self, piece: int) -> int:
        words = np.random.SeedSequence([self.seed or 0, self.epoch, piece]).generate_state(2)
        return int(words[0]) << 31 | int(words[1]) >> 1


class ResumableLoader(DataLoader[Any]):
    """A loader that knows how many batches it has handed out, and can go on from there.

    Lightning saves `state_dict` in every checkpoint. The count is of batches handed to the trainer,
    so workers that fetch ahead do not disturb it.
    """

    def __init__(self, examples: Examples, buckets: Buckets, *, workers: int) -> None:
        super().__init__(
            examples,
            batch_sampler=buckets,
            collate_fn=collate,
            num_workers=workers,
            # A generator of its own: opening a loader must not move the global stream, on which
            # dropout depends.
            generator=torch.Generator().manual_seed(buckets.seed or 0),
        )
        self.buckets = buckets

    def __iter__(self) -> Any:
        for batch in super().__iter__():
            self.buckets.done += 1
            if self.buckets.done == len(self.buckets):
                self.buckets.epoch += 1
                self.buckets.done = 0
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Position: passes so far and batches of the present one."""
        return {"epoch": self.buckets.epoch, "done": self.buckets.done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on from `state_dict`."""
        self.buckets.epoch = state["epoch"]
        self.buckets.done = state["done"]
