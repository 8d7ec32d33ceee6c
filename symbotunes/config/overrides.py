"""What the command line changes, and what it may not change."""

from collections.abc import Sequence
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from symbotunes.errors import UserError

FIXED = ("model", "dataset", "transforms", "loader", "experiment", "debug")


def names_dataset(cfg: DictConfig) -> bool:
    """Whether the command line says anything about the data."""
    return any(_group(override) == "dataset" for override in overrides(cfg))


def chooses_dataset(cfg: DictConfig) -> bool:
    """Whether the command line chooses an option of ``conf/dataset``, not only some of its keys."""
    keys = named_keys(cfg)
    return any(key.split("@")[0].split("/")[0] == "dataset" for key in keys)


def dataset_values(cfg: DictConfig) -> dict[str, Any]:
    """The keys of a dataset that the command line sets, such as ``path``, with their values."""
    keys = [key for key in sorted(named_keys(cfg)) if key.startswith("dataset.")]
    values = {key.removeprefix("dataset."): OmegaConf.select(cfg, key) for key in keys}
    return {
        key: OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
        for key, value in values.items()
    }


def named_keys(cfg: DictConfig) -> set[str]:
    """The keys and groups that the command line sets."""
    return {override.partition("=")[0].lstrip("+~") for override in overrides(cfg)}


def overrides(cfg: DictConfig) -> list[str]:
    """The overrides on the command line; a sweep job has them in its config."""
    frozen = OmegaConf.select(cfg, "sweep.overrides")
    if frozen is not None:
        words = [str(override) for override in frozen]
    else:
        words = list(HydraConfig.get().overrides.task) if HydraConfig.initialized() else []
    return [word.removeprefix("++") for word in words]  # which `added_to_checkpoint` may put there


def refuse_overrides(cfg: DictConfig, groups: Sequence[str], why: str) -> None:
    """Raise `UserError` if the command line changes one of these groups."""
    offenders = []
    for override in overrides(cfg):
        key = override.partition("=")[0].lstrip("+~")
        if _group(override) in groups and key != "model.init_from":
            offenders.append(override)
    if offenders:
        raise UserError(f"{' '.join(offenders)}: {why}")


def _group(override: str) -> str:
    """The config group that an argument such as ``model.optimizer.lr=1`` belongs to."""
    key = override.partition("=")[0].lstrip("+~")
    return key.split(".")[0].split("/")[0].split("@")[0]
