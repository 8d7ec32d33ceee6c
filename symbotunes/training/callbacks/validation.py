"""When a training validates."""

import lightning
from lightning.pytorch import LightningModule


class ValidateEveryNSteps(lightning.Callback):
    """Lets ``trainer.val_check_interval`` count optimizer steps; Lightning counts batches.

    Both are the same unless several batches make a step (``accumulate_grad_batches``). Then the
    last step of a pass over the data may have fewer, so that no number of batches stands for a
    number of steps. Before each batch, this callback sets ``trainer.val_check_batch``, by which
    Lightning decides whether to validate after it.

    Args:
        every: optimizer steps between validations, counted over the whole run, or from the start of
            each pass if ``check_val_every_n_epoch`` is set.
    """

    def __init__(self, every: int) -> None:
        self.every = every

    def on_train_start(self, trainer: lightning.Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        # A resumed run asks whether there was a validation after the last batch that it has done.
        self._schedule(trainer, trainer.fit_loop.epoch_loop.batch_idx, trainer.global_step)

    def on_train_batch_start(
        self,
        trainer: lightning.Trainer,
        pl_module: LightningModule,  # noqa: ARG002
        batch: object,  # noqa: ARG002
        batch_idx: int,
    ) -> None:
        self._schedule(trainer, batch_idx, trainer.global_step + 1)

    def _schedule(self, trainer: lightning.Trainer, batch_idx: int, steps: int) -> None:
        """Decide whether to validate after a batch.

        Args:
            trainer: the trainer.
            batch_idx: index of the batch in its pass over the data.
            steps: optimizer steps after it, if it completes one.
        """
        batches, size = batch_idx + 1, trainer.accumulate_grad_batches
        is_last = trainer.is_last_batch or batches == trainer.num_training_batches
        completes_step = is_last or batches % size == 0
        if trainer.check_val_every_n_epoch is None:
            batches = trainer.fit_loop.total_batch_idx + 1
        else:
            steps = -(-batches // size)
        is_due = completes_step and steps > 0 and steps % self.every == 0
        # Lightning validates after the batches whose number this divides.
        trainer.val_check_batch = max(batches, 1) if is_due else max(batches, 0) + 1
