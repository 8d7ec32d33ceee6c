"""Trains without end in the folder given as the first argument; the tests send it signals.

The second argument is the number of data workers. At its end it prints what the tests look at.
"""

import signal
import sys
import time
from pathlib import Path
from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from symbotunes.training.callbacks.checkpoints import BestAndLast
from symbotunes.training.callbacks.interrupt import OnInterrupt


class Slow(lightning.LightningModule):
    def __init__(self, workers: int) -> None:
        super().__init__()
        self.workers = workers
        self.net = nn.Linear(1, 1)

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        ready = self.trainer.global_step == 3
        if ready:
            print("ready", flush=True)
        # Without workers a second signal comes, whenever the test gets there: in this step.
        for _ in range(30_000 if ready and not self.workers else 20):
            time.sleep(0.01)
        return self.net(batch).mean()

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        self.log("val/loss", 1.0)

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=1.0)


def main(folder: str, workers: int) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    before = [signal.getsignal(number) for number in numbers]
    stopper = OnInterrupt()
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_steps=10_000,
        logger=False,
        callbacks=[BestAndLast(), stopper],
        default_root_dir=folder,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    model = Slow(workers)
    batches = DataLoader(torch.ones(1000, 1), num_workers=workers)
    try:
        trainer.fit(model, batches, DataLoader(torch.ones(1, 1)))
    finally:
        saved = torch.load(Path(folder) / "checkpoints" / "last.ckpt", weights_only=True)
        after = [signal.getsignal(number) for number in numbers]
        print("signal", stopper.signal_received)
        print("steps", saved["global_step"] - trainer.global_step)
        # Every step takes the gradient 1 times the rate 1 off the bias.
        difference = saved["state_dict"]["net.bias"] - model.net.bias.detach()
        print("bias", float(difference))
        print("handlers", before == after)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
