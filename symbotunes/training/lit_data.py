"""Music data as Lightning's trainer asks for them."""

from typing import Any

import lightning

from symbotunes.data.batches.loading import ResumableLoader
from symbotunes.data.module import MusicData


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
        return self.data.train_dataloader(**self._share())

    def val_dataloader(self) -> ResumableLoader | list[ResumableLoader]:
        return self.data.val_dataloader(**self._share())

    def test_dataloader(self) -> ResumableLoader | list[ResumableLoader]:
        return self.data.test_dataloader(**self._share())

    def _share(self) -> dict[str, Any]:
        if self.trainer is None:
            return {}
        return {"rank": self.trainer.global_rank, "processes": self.trainer.world_size}


def music_data_of(trainer: lightning.Trainer) -> MusicData | None:
    """The data that a trainer reads; ``None`` if it has none of ours."""
    return getattr(getattr(trainer, "datamodule", None), "data", None)
