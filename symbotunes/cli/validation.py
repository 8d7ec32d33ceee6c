"""Detects invalid values on the command line before anything is prepared."""

from collections.abc import Iterable
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from symbotunes.cli.options import options
from symbotunes.config.compose import composed
from symbotunes.config.plugins import is_group
from symbotunes.errors import UserError, did_you_mean

MOST_SEEDS = 2**32
KINDS = {bool: "true or false", int: "a whole number", float: "a number"}
TEXTS = (
    "mode", "name", "resume", "ckpt",
    # Numbers by default, for which Lightning also accepts text: auto, warn, 00:00:15:00.
    "trainer.devices", "trainer.deterministic", "trainer.val_check_interval",
)  # fmt: skip


def refuse_misfits(cfg: DictConfig) -> None:
    """Reject what no mode can use.

    Raises:
        UserError: if a value does not have the type of the key's default, or an option is only a
            part of others.
    """
    hydra = HydraConfig.get()
    for group, name in hydra.runtime.choices.items():
        if str(name).startswith("_"):
            known = did_you_mean(str(name).lstrip("_"), options(group))
            raise UserError(f"{group}={name} is only a part of other options{known}")
    problem = misfit(cfg, list(hydra.overrides.task))
    if problem is not None:
        raise UserError(problem)
    if not isinstance(cfg.seed, int) or not 0 <= cfg.seed < MOST_SEEDS:
        raise UserError(
            f"seed={cfg.seed} must be a whole number of at least 0 and less than {MOST_SEEDS:,}"
        )


def misfit(cfg: DictConfig, arguments: Iterable[str]) -> str | None:
    """Describe the first value on the command line that is text where another type is expected.

    Args:
        cfg: the config composed with these values.
        arguments: the overrides on the command line, as Hydra received them.
    """
    by_key = {argument.lstrip("+").partition("=")[0]: argument for argument in arguments}
    texts = [key for key in by_key if key not in TEXTS and isinstance(_selected(cfg, key), str)]
    if not texts:
        return None
    defaults = composed([argument for key, argument in by_key.items() if key not in texts])
    for key in texts:
        before, value = _selected(defaults, key), by_key[key].partition("=")[2]
        if OmegaConf.is_dict(before):
            group = key.replace(".", "/")
            return f"{key}={value}: to choose an option of a group, write {group}={value}"
        if type(before) in KINDS:
            return f"{key}={value}: expected {KINDS[type(before)]}, not text"
    return None


def _selected(cfg: Any, key: str) -> Any:
    """A value as it is written, or ``None``; the names of groups are no keys."""
    if "/" in key or "@" in key or is_group(key):
        return None
    return OmegaConf.select(cfg, key, throw_on_missing=False, throw_on_resolution_failure=False)
