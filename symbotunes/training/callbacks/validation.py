"""When a training validates."""

from typing import Any

import lightning
from lightning.pytorch import LightningModule

from symbotunes.training.callbacks.checkpoints import saving_makes_sense, validation_follows
from symbotunes.training.lit_base import random_state, restore_random_state
from symbotunes.training.steps import completes_step, is_last_of_pass

NEVER = 2**62  # passes over the data between validations


class ValidationSchedule(lightning.Callback):
    """Counts validations by optimizer steps, and validates the last step of every training.

    Lightning counts batches. Both are the same unless several batches make a step
    (``accumulate_grad_batches``). Then the last step of a pass over the data may have fewer, so
    that no number of batches stands for a number of steps. Before each batch, this callback sets
    ``trainer.val_check_batch``, by which Lightning decides whether to validate after it.

    Without a validation of the last step, up to an interval of steps would be trained for nothing:
    ``best.ckpt`` and the losses that are shown would be those of an earlier step, if there are any.
    A last step that is known beforehand (``max_steps``, ``max_epochs``) is put on the schedule, so
    that no checkpoint of it is written before its validation. A limit of time or an early stop is
    noticed after the step. Lightning then validates by itself, except after a pass over the data
    without validations (``check_val_every_n_epoch``), which is made up for at the end.

    A run may be continued with more steps, and then has one more validation than a run of that
    length. It does not change what is trained: random states are restored after it, and checkpoints
    tell which step was validated, by which Lightning finds its place.

    Args:
        every: optimizer steps between validations, counted over the whole run, or from the start of
            each pass if ``check_val_every_n_epoch`` is set; ``None``: as Lightning schedules them.
    """

    def __init__(self, every: int | None) -> None:
        self.every = every
        self._validated_step = -1
        self._pass_is_over = False
        self._lightnings: tuple[Any, Any] | None = None  # schedule, where a validation was added
        self._state: dict[str, Any] | None = None  # random state before an added validation

    def on_train_start(self, trainer: lightning.Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        if self.every is None:
            validate_after_steps(trainer)
        # A resumed run asks whether there was a validation after the last batch that it has done.
        batch_idx = trainer.fit_loop.epoch_loop.batch_idx
        self._schedule(trainer, batch_idx, trainer.global_step)
        if 0 < trainer.global_step == self._validated_step:
            self._add(trainer, batch_idx)

    def on_train_batch_start(
        self,
        trainer: lightning.Trainer,
        pl_module: LightningModule,  # noqa: ARG002
        batch: object,  # noqa: ARG002
        batch_idx: int,
    ) -> None:
        if self._lightnings is not None:
            trainer.check_val_every_n_epoch, trainer.val_check_batch = self._lightnings
            self._lightnings = None
        self._pass_is_over = False
        self._schedule(trainer, batch_idx, trainer.global_step + 1)
        by_clock = trainer.val_check_batch is None
        if by_clock and not completes_step(trainer, batch_idx):
            self._lightnings = trainer.check_val_every_n_epoch, None
            trainer.check_val_every_n_epoch = NEVER
        if ends_training(trainer, batch_idx) and self._add(trainer, batch_idx):
            self._state = {}

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        if saving_makes_sense(trainer):
            self._validated_step = trainer.global_step
        if self._state is not None:
            self._state = random_state()

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        if self._state:
            restore_random_state(self._state)
        self._state = None

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        self._pass_is_over = True

    def on_train_end(self, trainer: lightning.Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        validated = self._validated_step == trainer.global_step
        if validated or not trainer.enable_validation or not saving_makes_sense(trainer):
            return
        self._state = {}
        trainer.validating = True  # as Lightning's loop does before it validates
        trainer.fit_loop.epoch_loop.val_loop.run()
        trainer.training = True

    def state_dict(self) -> dict[str, Any]:
        # After a pass, Lightning's own counters have gone on from the validation.
        return {"validated_step": -1 if self._pass_is_over else self._validated_step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._validated_step = state_dict["validated_step"]

    def _schedule(self, trainer: lightning.Trainer, batch_idx: int, steps: int) -> None:
        """Decide whether to validate after a batch.

        Args:
            trainer: the trainer.
            batch_idx: index of the batch in its pass over the data.
            steps: optimizer steps after it, if it completes one.
        """
        if self.every is None:
            return
        batches, size = batch_idx + 1, trainer.accumulate_grad_batches
        completes = completes_step(trainer, batch_idx)
        if trainer.check_val_every_n_epoch is None:
            batches = trainer.fit_loop.total_batch_idx + 1
        else:
            steps = -(-batches // size)
        is_due = completes and steps > 0 and steps % self.every == 0
        # Lightning validates after the batches whose number this divides.
        trainer.val_check_batch = max(batches, 1) if is_due else max(batches, 0) + 1

    def _add(self, trainer: lightning.Trainer, batch_idx: int) -> bool:
        """Validate after this batch; returns whether that is not on the schedule already."""
        by_clock = trainer.val_check_batch is None
        if by_clock or not trainer.enable_validation or validation_follows(trainer, batch_idx):
            return False
        self._lightnings = trainer.check_val_every_n_epoch, trainer.val_check_batch
        trainer.check_val_every_n_epoch, trainer.val_check_batch = None, 1  # after every batch
        return True


def validate_after_steps(trainer: lightning.Trainer) -> None:
    """Move validations that Lightning schedules by batches to where the optimizer has stepped.

    A checkpoint is written after each, and checkpoints hold no accumulated gradients.
    """
    every, size = trainer.val_check_batch, trainer.accumulate_grad_batches
    if isinstance(every, int):
        whole = -(-every // size) * size
        trainer.val_check_batch = max(every, min(whole, int(trainer.num_training_batches)))


def ends_training(trainer: lightning.Trainer, batch_idx: int) -> bool:
    """Whether a limit of steps or of passes over the data is reached with this batch."""
    last_step = 0 <= trainer.max_steps <= trainer.global_step + 1  # -1: no limit
    if last_step and completes_step(trainer, batch_idx):
        return True
    epochs = -1 if trainer.max_epochs is None else trainer.max_epochs
    return 0 <= epochs <= trainer.current_epoch + 1 and is_last_of_pass(trainer, batch_idx)
