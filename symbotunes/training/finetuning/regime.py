"""How a collection of a given size is learned by a model that already knows other music."""

from dataclasses import dataclass

LARGEST_BATCH = 32  # examples, as in +experiment=folk_rnn_pretrained
BATCHES_PER_PASS = 6  # of a small collection: fewer are few steps, more are noisy ones
MOST_STEPS_BETWEEN_VALIDATIONS = 100


@dataclass(frozen=True)
class Regime:
    """What of a fine-tuning follows from the size of its collection.

    Attributes:
        batch_size: examples per batch.
        steps: optimizer steps, at most.
        steps_between_validations: a pass over the collection, or less of a large one.
        lr: learning rate at the peak of the schedule.
    """

    batch_size: int
    steps: int
    steps_between_validations: int
    lr: float

    @property
    def settings(self) -> dict[str, int | float]:
        """The same, by keys of the config."""
        return {
            "loader.batch_size": self.batch_size,
            "trainer.max_steps": self.steps,
            "trainer.val_check_interval": self.steps_between_validations,
            "model.optimizer.lr": self.lr,
        }


def regime_for(examples: int, passes: int, lr: float) -> Regime:
    """The regime for a collection.

    A dozen tunes take tens of steps, a thousand take hundreds. The rate grows with the square root
    of the size of a batch, as the noise of a gradient falls with it (Malladi et al., "On the SDEs
    and Scaling Rules for Adaptive Gradient Algorithms", 2022).

    Args:
        examples: number of training examples.
        passes: over all of them.
        lr: learning rate for batches of `LARGEST_BATCH`.
    """
    batch_size = min(LARGEST_BATCH, max(2, examples // BATCHES_PER_PASS))
    per_pass = max(1, -(-examples // batch_size))
    return Regime(
        batch_size=batch_size,
        steps=passes * per_pass,
        steps_between_validations=min(per_pass, MOST_STEPS_BETWEEN_VALIDATIONS),
        lr=lr * (batch_size / LARGEST_BATCH) ** 0.5,
    )
