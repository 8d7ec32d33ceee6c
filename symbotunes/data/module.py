"""The data module: a prepared corpus as training, validation and test batches."""

from pathlib import Path

import lightning
from torch.utils.data import DataLoader

from symbotunes.data.batching import Buckets, Examples, ResumableLoader
from symbotunes.data.cache import Encoded
from symbotunes.data.prepare import Limits, prepare
from symbotunes.data.split import Shares
from symbotunes.datasets.base import Corpus, DatasetError
from symbotunes.transforms.base import Chain


class MusicData(lightning.LightningDataModule):
    """Prepares a corpus once and serves batches of it.

    Args:
        corpus: where the pieces come from.
        chain: from piece to ids; its tokenizer has a vocabulary once `prepare_data` has run.
        key: text that changes whenever the config of corpus or cached steps does.
        cache: folder for tokenized corpora.
        batch_size: pieces per batch, for each process.
        split: shares of pieces for ``val`` and ``test``.
        min_tokens: shorter pieces are left out.
        max_tokens: longer pieces are left out.
        workers: processes that make examples; 0 makes them in the training process.
        seed: of the order of batches and of random transforms.
    """

    def __init__(
        self,
        *,
        corpus: Corpus,
        chain: Chain,
        key: str,
        cache: str | Path,
        batch_size: int,
        split: dict[str, float],
        min_tokens: int,
        max_tokens: int,
        workers: int,
        seed: int,
    ) -> None:
        super().__init__()
        self.corpus = corpus
        self.chain = chain
        self.key = key
        self.cache = Path(cache)
        self.batch_size = batch_size
        self.shares = Shares(**split)
        self.limits = Limits(min_tokens, max_tokens)
        self.workers = workers
        self.seed = seed
        self._encoded: Encoded | None = None

    @property
    def encoded(self) -> Encoded:
        """The prepared corpus; prepared now if it was not yet."""
        if self._encoded is None:
            self._encoded = prepare(
                self.corpus,
                self.chain,
                key=self.key,
                limits=self.limits,
                shares=self.shares,
                cache=self.cache,
            )
        return self._encoded

    def prepare_data(self) -> None:
        _ = self.encoded

    def setup(self, stage: str) -> None:  # noqa: ARG002  (Lightning passes it by name)
        _ = self.encoded

    def train_dataloader(self) -> ResumableLoader:
        return self._loader("train", self.seed, augment=True)

    def val_dataloader(self) -> DataLoader[list[int]] | list[DataLoader[list[int]]]:
        """Held-out batches, sorted by length; an empty list when the split is empty."""
        return self._held_out("val")

    def test_dataloader(self) -> DataLoader[list[int]] | list[DataLoader[list[int]]]:
        return self._held_out("test")

    def _held_out(self, split: str) -> DataLoader[list[int]] | list[DataLoader[list[int]]]:
        if not len(self.encoded.pieces(split)):
            return []
        return self._loader(split, None, augment=False)

    def _loader(self, split: str, seed: int | None, *, augment: bool) -> ResumableLoader:
        pieces = self.encoded.pieces(split)
        if not len(pieces):
            raise DatasetError(f"the {split} split is empty")
        buckets = Buckets(
            pieces,
            self.encoded.lengths(pieces),
            self.batch_size,
            seed,
            rank=self.trainer.global_rank if self.trainer else 0,
            world_size=self.trainer.world_size if self.trainer else 1,
        )
        examples = Examples(self.encoded, self.chain, augment=augment)
        return ResumableLoader(examples, buckets, workers=self.workers)
