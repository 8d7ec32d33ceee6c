"""What every process of a training says of its own settings."""

import os
import time
from pathlib import Path
from typing import Any

import lightning

from symbotunes.training.callbacks.interrupt import OnInterrupt


class LearningRates(lightning.Callback):
    """Writes the learning rate that this rank begins with to ``rank_N.txt`` in the run folder."""

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        path = Path(trainer.default_root_dir) / f"rank_{trainer.global_rank}.txt"
        path.write_text(repr(rate))


class Nodes(lightning.Callback):
    """Writes the machine on which this rank trains, and of how many, to ``node_N.txt``."""

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        path = Path(trainer.default_root_dir) / f"node_{trainer.global_rank}.txt"
        path.write_text(f"{os.environ.get('SLURMD_NODENAME')} of {trainer.world_size}")


class Waiting(lightning.Callback):
    """Trains a few steps, then waits to be interrupted, however long that takes.

    Args:
        steps: that an attempt trains before it waits.
        attempts: of a job of SLURM's that wait; the ones after those train to the end.
    """

    def __init__(self, steps: int, attempts: int = 1) -> None:
        self.last = steps
        self.waits = int(os.environ.get("SLURM_RESTART_COUNT", "0")) < attempts

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        self.last += trainer.global_step

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        (interrupt,) = (call for call in trainer.callbacks if isinstance(call, OnInterrupt))
        while self.waits and trainer.global_step >= self.last and not interrupt.signal_received:
            time.sleep(0.05)
