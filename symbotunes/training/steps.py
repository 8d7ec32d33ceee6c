"""Where the steps of an optimizer are among the batches of a pass over the data."""

import lightning


def is_last_of_pass(trainer: lightning.Trainer, batch_idx: int) -> bool:
    """Whether a pass over the training data ends with this batch."""
    return bool(trainer.is_last_batch or batch_idx + 1 == trainer.num_training_batches)


def completes_step(trainer: lightning.Trainer, batch_idx: int) -> bool:
    """Whether the optimizer steps after this batch; the last step of a pass may have fewer."""
    whole = (batch_idx + 1) % trainer.accumulate_grad_batches == 0
    return whole or is_last_of_pass(trainer, batch_idx)
