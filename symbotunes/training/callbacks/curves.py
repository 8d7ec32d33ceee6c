"""What every run folder has, whatever its loggers: ``metrics.csv`` and ``training.html``."""

from typing import Any

import lightning
import torch

from symbotunes.training.callbacks.checkpoints import saving_makes_sense
from symbotunes.training.callbacks.interrupt import Interrupted
from symbotunes.training.callbacks.vitals import log_interval
from symbotunes.training.loggers.csv import RunCsvLogger


class Curves(lightning.Callback):
    """Lets all loggers count optimizer steps as checkpoints, panels and the console do.

    Lightning numbers the first step 0, but a checkpoint after that step says 1. A logged value
    named ``step`` takes the place of its number. This callback also starts the clock of
    ``metrics.csv``, and drops rows of steps that a resumed run repeats. It belongs after all
    callbacks that measure something.
    """

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, RunCsvLogger):
                logger.begin(trainer.global_step)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any
    ) -> None:
        log_step(trainer, pl_module, on_step=True)

    def on_validation_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        if trainer.state.fn == "fit":
            log_step(trainer, pl_module, on_step=False)

    def on_exception(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,  # noqa: ARG002
        exception: BaseException,
    ) -> None:
        if isinstance(exception, Interrupted) and saving_makes_sense(trainer):
            log_last_step(trainer)


def log_step(
    trainer: lightning.Trainer, pl_module: lightning.LightningModule, *, on_step: bool
) -> None:
    """Log the number of optimizer steps taken, and of passes over the data completed."""
    # As tensors in float32, which is exact up to 16 million, whatever precision is the default.
    position = {
        "step": torch.tensor(trainer.global_step, dtype=torch.float32),
        "epoch": torch.tensor(trainer.current_epoch, dtype=torch.float32),
    }
    pl_module.log_dict(
        position, on_step=on_step, on_epoch=not on_step, batch_size=1, rank_zero_only=True
    )


def log_last_step(trainer: lightning.Trainer) -> None:
    """Log the step after which a signal stopped the training.

    Lightning logs a step after the hook in which `OnInterrupt` saves it and stops, and the resumed
    run goes on with the next one.
    """
    step = trainer.global_step
    if not trainer.is_global_zero or step % log_interval(trainer) != 0:
        return
    newest = [logger.last_step for logger in trainer.loggers if isinstance(logger, RunCsvLogger)]
    if step in newest:  # it was logged, and the signal came during the validation after it
        return
    values = {
        name: float(value)
        for name, value in trainer.logged_metrics.items()
        if not name.startswith("val/") and name != "step"  # those of earlier steps
    }
    for logger in trainer.loggers:
        logger.log_metrics(values, step)
        logger.save()
