"""Finds the loggers for Weights & Biases, without importing it if there are none."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lightning.pytorch.loggers import Logger, WandbLogger

if TYPE_CHECKING:
    from symbotunes.training.loggers.wandb import SafeWandbLogger


def wandb_among(loggers: Iterable[Logger]) -> "list[SafeWandbLogger]":
    """Our W&B loggers; Lightning's plain `WandbLogger` is not included."""
    candidates = [logger for logger in loggers if isinstance(logger, WandbLogger)]
    if not candidates:
        return []
    from symbotunes.training.loggers.wandb import SafeWandbLogger  # wandb takes a second to import

    return [logger for logger in candidates if isinstance(logger, SafeWandbLogger)]
