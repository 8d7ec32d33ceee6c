"""What every run folder has, whatever its loggers: ``metrics.csv`` and ``training.html``."""

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning
import torch

from symbotunes.errors import first_line
from symbotunes.training.callbacks.checkpoints import saving_makes_sense
from symbotunes.training.callbacks.interrupt import Interrupted
from symbotunes.training.callbacks.vitals import log_interval
from symbotunes.training.loggers.csv import RunCsvLogger
from symbotunes.training.page import write_training_page

REFRESH_SECONDS = 30
MOST_SHARE = 0.01  # of the time of a training that goes into its page


class Curves(lightning.Callback):
    """Keeps ``training.html`` up to date, and lets all loggers count steps as checkpoints do.

    The page is written when training begins and ends, after validations, and every half minute, as
    far as that takes at most a hundredth of the time; a failure is one warning. Lightning numbers
    the first step 0, where checkpoints, panels and the console say 1; a logged value named ``step``
    takes the place of its number. This callback also starts the clock of ``metrics.csv``, and drops
    rows of steps that a resumed run repeats. It belongs after all that measure or record something.

    Args:
        now: a monotonic clock in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._written_at = 0.0
        self._cost = 0.0  # seconds that the page took the last time
        self._warned = False

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, RunCsvLogger):
                logger.begin(trainer.global_step)
        self._write(trainer)

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any
    ) -> None:
        log_step(trainer, pl_module, on_step=True)
        if self._now() - self._written_at >= REFRESH_SECONDS:
            self._write_if_cheap(trainer)

    def on_validation_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        if trainer.state.fn == "fit":
            log_step(trainer, pl_module, on_step=False)

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        self._write_if_cheap(trainer)

    def teardown(self, trainer: lightning.Trainer, *_: Any, **__: Any) -> None:
        self._write(trainer, ended=True)

    def on_exception(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,  # noqa: ARG002
        exception: BaseException,
    ) -> None:
        if isinstance(exception, Interrupted) and saving_makes_sense(trainer):
            log_last_step(trainer)
        self._write(trainer, ended=True)

    def _write_if_cheap(self, trainer: lightning.Trainer) -> None:
        if (self._now() - self._written_at) * MOST_SHARE >= self._cost:
            self._write(trainer)

    def _write(self, trainer: lightning.Trainer, *, ended: bool = False) -> None:
        if not trainer.is_global_zero or not saving_makes_sense(trainer):
            return
        began = self._now()
        try:
            write_training_page(
                Path(trainer.default_root_dir),
                total=trainer.max_steps if trainer.max_steps > 0 else None,
                refresh_seconds=None if ended else REFRESH_SECONDS,
            )
        except Exception as error:  # a page must not stop the training
            if not self._warned:
                self._warned = True
                warnings.warn(f"training.html was not written: {first_line(error)}", stacklevel=2)
        self._written_at = self._now()
        self._cost = self._written_at - began


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
