"""What every process of a training says of its own settings."""

import os
import time
from pathlib import Path
from typing import Any

import lightning


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


class Slow(lightning.Callback):
    """Makes a tiny training last long enough to be interrupted.

    Args:
        seconds: that every step takes longer.
        always: also in a job that SLURM started once more.
    """

    def __init__(self, seconds: float, always: bool = True) -> None:
        again = os.environ.get("SLURM_RESTART_COUNT", "0") != "0"
        self.seconds = seconds if always or not again else 0

    def on_train_batch_end(self, *_: Any) -> None:
        time.sleep(self.seconds)
