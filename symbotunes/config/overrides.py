"""What the command line changes, and what it may not change."""

from collections.abc import Sequence

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from symbotunes.errors import UserError

FIXED = ("model", "dataset", "transforms", "loader", "experiment", "debug")


def names_dataset(cfg: DictConfig) -> bool:
    """Whether the command line selects data other than the checkpoint's."""
    return any(_group(override) == "dataset" for override in overrides(cfg))


def named_keys(cfg: DictConfig) -> set[str]:
    """The keys and groups that the command line sets."""
    return {override.partition("=")[0].lstrip("+~") for override in overrides(cfg)}


def overrides(cfg: DictConfig) -> list[str]:
    """The overrides on the command line; a sweep job has them in its config."""
    frozen = OmegaConf.select(cfg, "sweep.overrides")
    if frozen is not None:
        return [str(override) for override in frozen]
    return list(HydraConfig.get().overrides.task) if HydraConfig.initialized() else []


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
