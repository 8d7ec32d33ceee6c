"""From draws to batches, and a loader that can resume in the middle of an epoch."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from symbotunes.data.batches.sampler import Batches, Draws
from symbotunes.data.cache.arrays import flat_index
from symbotunes.data.cache.encoded import Encoded
from symbotunes.models.base import Batch
from symbotunes.tokenizers.base import NO_ID, Vocabulary
from symbotunes.transforms.base import Chain


class Examples(Dataset[Batch]):
    """Examples of a prepared corpus, a whole batch at a time.

    Args:
        encoded: the corpus.
        chain: its token steps run for every example; its tokenizer has the ids that open and close
            one.
        augment: whether these are training examples, for which the random steps and the cuts run.
            Windows are cut in any case.
    """

    def __init__(self, encoded: Encoded, chain: Chain, *, augment: bool) -> None:
        self.encoded = encoded
        self.chain = chain
        self.augment = augment and bool(chain.token_steps)
        self.cut = bool(chain.cuts) and (augment or not chain.cuts_pieces)

    def __getitem__(self, draws: Draws) -> Batch:
        if draws.tokens is not None:
            lengths = np.full(len(draws.tokens), draws.tokens.shape[1])
            return replace(collate(draws.tokens.flatten(), lengths), repeated=draws.repeated)
        ids, lengths = self.encoded.gather(draws.examples)
        if self.augment:
            augmented = self._each(self.chain.augment, ids, lengths, draws.seeds)
            ids, lengths = joined(augmented)
        if self.chain.tokenizer.FRAMED:
            ids, lengths = framed(ids, lengths, self.chain.tokenizer.vocabulary)
        offsets = None
        if self.cut:
            cuts = self._each(self.chain.cut, ids, lengths, draws.seeds ^ 1)
            ids, lengths = joined([span for span, _ in cuts])
            offsets = torch.tensor([offset for _, offset in cuts])
        batch = collate(ids, lengths, draws.rows)
        return replace(batch, offsets=offsets, repeated=draws.repeated)

    @staticmethod
    def _each(
        change: Any, ids: NDArray[Any], lengths: NDArray[np.int64], seeds: NDArray[np.int64]
    ) -> list[Any]:
        generator = torch.Generator()
        return [
            change(example, generator.manual_seed(seed))
            for example, seed in zip(
                np.split(ids, np.cumsum(lengths)[:-1]), seeds.tolist(), strict=True
            )
        ]


def joined(examples: list[NDArray[Any]]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Examples end to end, and their lengths."""
    return np.concatenate(examples), np.array([len(example) for example in examples], np.int64)


def framed(
    ids: NDArray[Any], lengths: NDArray[np.int64], vocabulary: Vocabulary
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Examples end to end with ``bos`` before and ``eos`` after each, and their lengths.

    A vocabulary may have ``bos`` alone.
    """
    begins, ends = vocabulary.bos != NO_ID, vocabulary.eos != NO_ID
    longer = lengths + begins + ends
    borders = np.cumsum(longer)
    result = np.empty(int(borders[-1]), np.int64)
    if begins:
        result[borders - longer] = vocabulary.bos
    if ends:
        result[borders - 1] = vocabulary.eos
    result[flat_index(borders - longer + begins, lengths)] = ids
    return result, longer


def collate(
    ids: NDArray[Any], lengths: NDArray[np.int64], rows: NDArray[np.int64] | None = None
) -> Batch:
    """Lay examples out in rows, padded to the longest with id 0, which is never read.

    Args:
        ids: ``[sum of lengths]`` or ``[sum of lengths, F]``, examples end to end.
        lengths: ``[N]`` of them.
        rows: ``[N]`` row of each, in ascending order; ``None``: one row per example.
    """
    widths = lengths if rows is None else np.bincount(rows, weights=lengths).astype(np.int64)
    count, longest = len(widths), int(widths.max())
    real = np.arange(longest) < widths[:, None]  # [B, T]
    if len(ids) == real.size:
        tokens = ids.reshape(count, longest, *ids.shape[1:]).astype(np.int64)
    else:
        tokens = np.zeros((count, longest, *ids.shape[1:]), np.int64)
        tokens[real] = ids
    segments = None
    if rows is not None:
        firsts = np.searchsorted(rows, rows)  # index of the first example in the same row
        numbers = np.arange(len(rows)) - firsts + 1
        segments = np.zeros((count, longest), np.int64)
        segments[real] = np.repeat(numbers, lengths)
    return Batch(
        torch.from_numpy(tokens),
        torch.from_numpy(widths),
        None if segments is None else torch.from_numpy(segments),
    )


class ResumableLoader(DataLoader[Batch]):
    """A loader that counts the batches it has handed out, and can resume from there.

    Lightning saves `state_dict` in every checkpoint. Batches count when the trainer gets them, so
    prefetching workers make no difference. Held-out batches are not counted: every validation
    starts with the first, even if the previous one did not reach the last.
    """

    def __init__(self, examples: Examples, batches: Batches, *, workers: int) -> None:
        super().__init__(
            examples,
            sampler=batches,  # type: ignore[arg-type]  # it draws batches, not single examples
            batch_size=None,
            collate_fn=whole,  # type: ignore[arg-type]  # as above
            num_workers=workers,
            # A separate generator: opening a loader must not advance the global one, which dropout
            # draws from.
            generator=torch.Generator().manual_seed(batches.seed or 0),
        )
        self.batches = batches

    def __iter__(self) -> Any:
        if self.batches.seed is None:
            yield from super().__iter__()
            return
        for batch in super().__iter__():
            self.batches.done += 1
            if self.batches.done == len(self.batches):
                self.batches.epoch += 1
                self.batches.done = 0
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Position: passes over the data so far, and batches of the current one."""
        return {"epoch": self.batches.epoch, "done": self.batches.done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Resume from `state_dict`; if there are fewer batches now, at the next pass at most."""
        is_over = state["done"] >= len(self.batches)
        self.batches.epoch = state["epoch"] + is_over
        self.batches.done = 0 if is_over else state["done"]


def whole(batch: Batch) -> Batch:
    """Return a batch as it is: `Examples` already makes whole batches."""
    return batch
