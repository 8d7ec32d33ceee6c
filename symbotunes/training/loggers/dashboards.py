"""Which loggers go to Weights & Biases, found without importing it where none does."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lightning.pytorch.loggers import Logger, WandbLogger

if TYPE_CHECKING:
    from symbotunes.training.loggers.wandb import SafeWandbLogger


def wandb_among(loggers: Iterable[Logger]) -> "list[SafeWandbLogger]":
    """The loggers that go to W&B by way of ours; others of Lightning's stay as they are."""
    found = [logger for logger in loggers if isinstance(logger, WandbLogger)]
    if not found:
        return []
    from symbotunes.training.loggers.wandb import SafeWandbLogger  # wandb takes a second to import

    return [logger for logger in found if isinstance(logger, SafeWandbLogger)]
