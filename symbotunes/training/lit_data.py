"""Music data as Lightning's trainer asks for them."""

from typing import Any, TypeVar

import lightning

from symbotunes.data.batches.loading import ResumableLoader
from symbotunes.data.module import MusicData

Loader = TypeVar("Loader", ResumableLoader, ResumableLoader | list[ResumableLoader])


class LitData(lightning.LightningDataModule):
    """Gives each process of a trainer its share of the batches.

    `MusicData` itself is no part of Lightning, which takes several seconds to import, so that
    sampling and evaluating do without it.

    Args:
        data: prepared at the latest when training starts.
    """

    def __init__(self, data: MusicData) -> None:
        super().__init__()
        self.data = data

    def prepare_data(self) -> None:
        self.data.prepare_data()

    def train_dataloader(self) -> ResumableLoader:
        return self._rounded_up("train", self.data.train_dataloader(**self._share()))

    def val_dataloader(self) -> ResumableLoader | list[ResumableLoader]:
        return self._rounded_up("val", self.data.val_dataloader(**self._share()))

    def test_dataloader(self) -> ResumableLoader | list[ResumableLoader]:
        return self._rounded_up("test", self.data.test_dataloader(**self._share()))

    def _rounded_up(self, split: str, loader: Loader) -> Loader:
        """Let a small fraction of the batches be one batch, which Lightning calls a mistake."""
        name = f"limit_{split}_batches"
        limit = getattr(self.trainer, name, None)
        if isinstance(limit, float) and 0 < len(loader) * limit < 1:
            setattr(self.trainer, name, 1)
        return loader

    def _share(self) -> dict[str, Any]:
        if self.trainer is None:
            return {}
        return {"rank": self.trainer.global_rank, "processes": self.trainer.world_size}


def music_data_of(trainer: lightning.Trainer) -> MusicData | None:
    """The data that a trainer reads; ``None`` if it has none of ours."""
    return getattr(getattr(trainer, "datamodule", None), "data", None)
