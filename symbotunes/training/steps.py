"""Where a training is: among the batches of a pass over the data, and in its time."""

import lightning
from lightning.pytorch.callbacks import Timer


def is_last_of_pass(trainer: lightning.Trainer, batch_idx: int) -> bool:
    """Whether a pass over the training data ends with this batch."""
    return bool(trainer.is_last_batch or batch_idx + 1 == trainer.num_training_batches)


def completes_step(trainer: lightning.Trainer, batch_idx: int) -> bool:
    """Whether the optimizer steps after this batch; the last step of a pass may have fewer."""
    whole = (batch_idx + 1) % trainer.accumulate_grad_batches == 0
    return whole or is_last_of_pass(trainer, batch_idx)


def share_of_time(trainer: lightning.Trainer) -> float | None:
    """Which share of ``trainer.max_time`` has passed, over all attempts; ``None`` if it is not set.

    With several processes, it is the first one's, so that all have the same learning rate.
    """
    for callback in trainer.callbacks:  # type: ignore[attr-defined]  # set by a connector
        if isinstance(callback, Timer) and (left := callback.time_remaining()) is not None:
            passed = callback.time_elapsed()
            share: float = trainer.strategy.broadcast(passed / max(passed + left, 1e-9))
            return share
    return None
