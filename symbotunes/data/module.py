"""A prepared corpus as training, validation and test batches."""

from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.batches.blocks import BlockBatches, count_split
from symbotunes.data.batches.grouping import Grouping
from symbotunes.data.batches.loading import Examples, ResumableLoader
from symbotunes.data.batches.rule import BatchRule
from symbotunes.data.batches.sampler import Batches
from symbotunes.data.cache.encoded import Encoded
from symbotunes.data.limits import Limits
from symbotunes.data.preparation.prepare import Plan, prepare
from symbotunes.data.preparation.workers import Workers
from symbotunes.data.receipt import BlockCount
from symbotunes.data.split import SPLITS, Shares
from symbotunes.datasets.base import Corpus, DatasetError
from symbotunes.errors import UserError, require_whole_number
from symbotunes.transforms.base import Chain


class MusicData:
    """Prepares a corpus once and serves batches of it.

    Args:
        corpus: where the pieces come from.
        chain: turns pieces into ids; its tokenizer has a vocabulary once `prepare_data` has run.
        key: text that changes whenever the config of the corpus or of a cached step does.
        cache: folder for prepared corpora.
        batch_size: examples per batch and process; see `BatchRule` for the next three.
        batch_tokens: maximum tokens per batch, instead of `batch_size`.
        pack: whether rows of training batches hold several whole examples.
        pack_length: length of such a row in tokens.
        split: shares for ``val`` and ``test``, and ``by``: what they are shares of, see `Shares`.
        min_tokens: shorter examples are left out.
        max_tokens: longer ones are left out, unless the chain cuts them; ``None`` sets no limit.
        workers: processes that make batches; 0 makes them in the training process.
        prepare_workers: processes that prepare the corpus; see `Workers` for the next two.
        file_seconds: time limit for preparing a file.
        file_gib: memory limit for preparing a file.
        repeat: train on this many batches over and over; ``None``: on all.
        even_batches: whether batches share the remainder. Recipes of earlier versions lack it, and
            resume with the batches that they had.
        blocks: whether batches are blocks of a stream of all pieces, see `BlockBatches`.
        seed: of the order of batches and of random transforms.

    Attributes:
        WRITES: arguments that name where files go, which a checkpoint may not decide.
    """

    WRITES: ClassVar[tuple[str, ...]] = ("cache",)

    def __init__(
        self,
        *,
        corpus: Corpus,
        chain: Chain,
        key: str,
        cache: str | Path,
        batch_size: int,
        split: dict[str, Any],
        min_tokens: int,
        max_tokens: int | None,
        workers: int,
        seed: int,
        batch_tokens: int | None = None,
        pack: bool = False,
        pack_length: int = 1024,
        prepare_workers: int | None = None,
        file_seconds: float = 60.0,
        file_gib: float = 2.0,
        repeat: int | None = None,
        even_batches: bool = False,
        blocks: bool = False,
    ) -> None:
        require_whole_number("loader.repeat", repeat, optional=True)
        require_blocks(chain, blocks=blocks)
        self.corpus = corpus
        self.chain = chain
        self.plan = Plan(
            key=key,
            limits=Limits(min_tokens, None if chain.cuts else max_tokens),
            shares=Shares(**split | ({"val": 0.0} if corpus.validates else {})),
            cache=Path(cache),
            workers=Workers(prepare_workers, file_seconds, file_gib),
        )
        self.rule = BatchRule(batch_size, batch_tokens, pack, pack_length, even_batches, blocks)
        self.workers = workers
        self.repeat = repeat
        self.seed = seed
        self._encoded: Encoded | None = None

    @property
    def encoded(self) -> Encoded:
        """The prepared corpus; it is prepared at first use."""
        if self._encoded is None:
            self._encoded = prepare(self.corpus, self.chain, self.plan)
        return self._encoded

    def prepare_data(self) -> None:
        """Prepare the corpus, unless that has been done."""
        _ = self.encoded

    def count_blocks(self) -> dict[str, BlockCount]:
        """Blocks by split, each cut once to see how many; empty where batches are not blocks."""
        if not self.rule.blocks:
            return {}
        return {split: count_split(self.encoded, self.encoded.examples(split)) for split in SPLITS}

    def train_dataloader(self, *, rank: int = 0, processes: int = 1) -> ResumableLoader:
        """Batches of the training split, in a new random order in every epoch.

        Args:
            rank: of the process that trains on them.
            processes: that share the batches.

        Raises:
            DatasetError: if the split is empty, or there are fewer batches than processes.
        """
        return self._loader("train", self.seed, rank, processes)

    def val_dataloader(
        self, *, rank: int = 0, processes: int = 1
    ) -> ResumableLoader | list[ResumableLoader]:
        """Held-out batches, in the same random order every time; an empty list if none."""
        return self._held_out("val", rank, processes)

    def test_dataloader(
        self, *, rank: int = 0, processes: int = 1
    ) -> ResumableLoader | list[ResumableLoader]:
        """The same of the test split."""
        return self._held_out("test", rank, processes)

    def held_out_examples(self, split: str, batches: int, processes: int = 1) -> NDArray[np.int64]:
        """Examples of the first batches of a held-out split, which validations are limited to.

        Args:
            split: ``val`` or ``test``.
            batches: of each process.
            processes: that share the batches.
        """
        loaders = [self._held_out(split, rank, processes) for rank in range(processes)]
        found = [
            draws.examples
            for loader in loaders
            if isinstance(loader, ResumableLoader)
            for draws in islice(loader.batches, batches)
        ]
        return np.unique(np.concatenate([np.zeros(0, np.int64), *found]))

    def _held_out(
        self, split: str, rank: int, processes: int
    ) -> ResumableLoader | list[ResumableLoader]:
        if not len(self.encoded.examples(split)):
            return []
        return self._loader(split, None, rank, processes)

    def _loader(self, split: str, seed: int | None, rank: int, processes: int) -> ResumableLoader:
        training = split == "train"
        examples = self.encoded.examples(split)
        if not len(examples):
            raise DatasetError(f"the {split} split is empty")
        batches = self._batches(examples, seed, rank, processes)
        if training and batches.grouping.count < processes:
            raise DatasetError(
                f"the {split} split makes {batches.grouping.count} batches, fewer than the "
                f"{processes} processes: lower loader.batch_size, or trainer.devices"
            )
        source = Examples(self.encoded, self.chain, augment=training)
        return ResumableLoader(source, batches, workers=self.workers)

    def _batches(
        self, examples: NDArray[np.int64], seed: int | None, rank: int, processes: int
    ) -> Batches:
        if self.rule.blocks:
            return BlockBatches(
                self.encoded,
                self.chain,
                examples,
                self.rule.batch_size,
                seed,
                share=(rank, processes),
                repeat=self.repeat,
            )
        grouping = self._grouping(examples, training=seed is not None)
        return Batches(
            examples, grouping, seed, rank=rank, world_size=processes, repeat=self.repeat
        )

    def _grouping(self, examples: NDArray[np.int64], *, training: bool) -> Grouping:
        pack = self.rule.pack and training
        tokenizer = self.chain.tokenizer
        frame = len(tokenizer.vocabulary.framed(np.zeros(0, np.int64))) if tokenizer.FRAMED else 0
        length = self.encoded.length
        if length is not None and not pack and not self.chain.cuts_pieces:
            (cut,) = self.chain.longest(np.array([length + frame]))
            return self.rule.windows(len(examples), int(cut))
        lengths = self.encoded.lengths(examples) + frame
        if self.chain.cuts_pieces and not training:
            (most,) = self.chain.longest(lengths.max(keepdims=True))
            return self.rule.whole(lengths, int(most))
        return self.rule.grouping(self.chain.longest(lengths), pack=pack)


def require_blocks(chain: Chain, *, blocks: bool) -> None:
    """See that blocks are cut of what can be cut, and steps that need blocks get them.

    Raises:
        UserError: if not.
    """
    if blocks and not chain.tokenizer.TRIPLETS:
        raise UserError(
            f"loader=blocks cuts arrival times, not transforms=[{chain}]: "
            "use transforms=[arrival_times], or another loader"
        )
    if blocks and chain.cuts:
        raise UserError(
            f"loader=blocks cuts pieces itself: leave the last step out of transforms=[{chain}]"
        )
    if chain.needs_blocks and not blocks:
        raise UserError(f"{chain.needs_blocks} needs loader=blocks")
