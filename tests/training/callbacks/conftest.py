from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

BATCHES = 4  # batches per epoch of `numbers`


class Tiny(lightning.LightningModule):
    """One weight and a scripted validation loss, so that every expectation can be written down."""

    def __init__(self, val_losses: tuple[float, ...] = (3.0, 2.0, 2.5, 1.0)) -> None:
        super().__init__()
        self.net = nn.Linear(1, 1)
        self.val_losses = val_losses
        self.validations = 0
        self.real_tokens = 0
        self.recipe = {"config": "seed: 7\n", "data": "fingerprint"}

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        self.real_tokens += 10
        loss = self.net(batch).pow(2).mean()
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        pass

    def on_validation_epoch_end(self) -> None:
        if not self.trainer.sanity_checking:
            self.log("val/loss", self.val_losses[self.validations % len(self.val_losses)])
            self.validations += 1

    def configure_optimizers(self) -> Any:
        return torch.optim.AdamW(self.parameters(), lr=0.1)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["real_tokens"] = self.real_tokens
        checkpoint["validations"] = self.validations

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.real_tokens = checkpoint["real_tokens"]
        self.validations = checkpoint["validations"]


def numbers() -> DataLoader[Tensor]:
    return DataLoader(torch.arange(1.0, BATCHES + 1).unsqueeze(1))


Fit = Callable[..., tuple[lightning.Trainer, Tiny]]


@pytest.fixture
def fit(tmp_path: Path) -> Fit:
    """Trains a `Tiny` on the CPU in the run folder ``tmp_path / "run"``."""

    def run(
        *callbacks: lightning.Callback,
        model: Tiny | None = None,
        resume: Path | None = None,
        logger: Any = False,
        loader: Callable[[], DataLoader[Tensor]] = numbers,
        **settings: Any,
    ) -> tuple[lightning.Trainer, Tiny]:
        torch.manual_seed(0)
        model = model or Tiny()
        settings = {
            "max_epochs": 2,
            "num_sanity_val_steps": 0,
            "enable_progress_bar": False,
            "enable_checkpointing": any(
                isinstance(call, lightning.pytorch.callbacks.Checkpoint) for call in callbacks
            ),
            "default_root_dir": tmp_path / "run",
        } | settings
        trainer = lightning.Trainer(
            accelerator="cpu",
            logger=logger,
            callbacks=list(callbacks),
            enable_model_summary=False,
            **settings,
        )
        trainer.fit(model, loader(), loader(), ckpt_path=resume, weights_only=True)
        return trainer, model

    return run


@pytest.fixture
def tiny() -> type[Tiny]:
    return Tiny


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return tmp_path / "run"
