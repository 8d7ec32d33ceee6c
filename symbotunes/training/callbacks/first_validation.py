"""A validation before the first step, so that weights that are already good can be kept."""

from typing import Any

import lightning
from lightning.pytorch import LightningModule

from symbotunes.training.callbacks.checkpoints import chosen_monitor, saving_makes_sense, score_of
from symbotunes.training.lit_base import random_state, restore_random_state


class FirstValidation(lightning.Callback):
    """Validates before the first optimizer step.

    ``best.ckpt`` then holds the weights that the run starts from until others are better.

    Attributes:
        value: of the metric that decides which checkpoint is best, before the first step; ``None``
            if there was no such validation.
    """

    def __init__(self) -> None:
        self.value: float | None = None

    def on_train_epoch_start(
        self, trainer: lightning.Trainer, pl_module: LightningModule
    ) -> None:  # and not `on_train_start`, in which `Curves` opens the file of metrics
        done = self.value is not None or trainer.global_step
        if done or not trainer.enable_validation or not saving_makes_sense(trainer):
            return
        state = random_state()
        trainer.validating = True  # as Lightning's loop does before it validates
        trainer.fit_loop.epoch_loop.val_loop.run()
        trainer.training = True
        restore_random_state(state)
        monitor, _ = chosen_monitor(trainer, getattr(pl_module, "net", None))
        self.value = score_of(trainer, monitor)

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.value}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.value = state_dict["value"]
