"""Whether a search looks for the lowest or the highest value of the metric of its jobs."""

from typing import Any

from omegaconf import DictConfig, OmegaConf

from symbotunes.config.build import class_of
from symbotunes.errors import UserError
from symbotunes.models.quantities import WORDS, monitor_of

KEY = "hydra.sweeper.direction"


def check_direction(sweeper: Any, cfg: DictConfig) -> None:
    """See that the direction of a search is one that its jobs can follow.

    With ``minimize``, jobs change the sign of a metric of which more is better.

    Raises:
        UserError: if there are several directions, or the search would look for the worst job.
    """
    direction = sweeper.get("direction")
    if direction is None:
        return
    if OmegaConf.is_list(direction):
        raise UserError(f"{KEY} must be minimize or maximize: a job has a single value")
    keeper = cfg.callbacks.get("best_and_last") or {}
    metric, mode = monitor_of(class_of(cfg.model.net), keeper.get("monitor"), keeper.get("mode"))
    if maximizes(sweeper) and mode == "min":
        raise UserError(f"{KEY}=maximize: the {WORDS[mode]} {metric} is best; leave it at minimize")


def maximizes(sweeper: Any) -> bool:
    """Whether a sweeper looks for the highest value."""
    return str(sweeper.get("direction")).lower().endswith("maximize")


def in_direction(value: float | None, sweeper: Any) -> float | None:
    """What a sweeper is told about a job: the value to minimize, or the opposite."""
    return -value if value is not None and maximizes(sweeper) else value
