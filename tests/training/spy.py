"""What every process of a training says of its own settings."""

from pathlib import Path
from typing import Any

import lightning


class LearningRates(lightning.Callback):
    """Writes the learning rate that this rank begins with to ``rank_N.txt`` in the run folder."""

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        path = Path(trainer.default_root_dir) / f"rank_{trainer.global_rank}.txt"
        path.write_text(repr(rate))
