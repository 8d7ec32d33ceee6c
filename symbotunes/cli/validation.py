"""Values on the command line that cannot be meant, found before anything is prepared."""

from collections.abc import Iterable
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from symbotunes.cli.options import options
from symbotunes.cli.suggestions import nearest
from symbotunes.config.compose import composed
from symbotunes.errors import UserError
from symbotunes.paths import CONF

MOST_SEEDS = 2**32
KINDS = {bool: "true or false", int: "a whole number", float: "a number"}
TEXTS = (
    "mode", "name", "resume", "ckpt",
    # Numbers by default, which Lightning takes as text too: auto, warn, 00:00:15:00.
    "trainer.devices", "trainer.deterministic", "trainer.val_check_interval",
)  # fmt: skip


def refuse_misfits(cfg: DictConfig) -> None:
    """Refuse what no mode can use.

    Raises:
        UserError: if a value has another type than the key's usual one, or an option is a part of
            others.
    """
    hydra = HydraConfig.get()
    for group, name in hydra.runtime.choices.items():
        if str(name).startswith("_"):
            known = nearest(str(name).lstrip("_"), options(group))
            raise UserError(f"{group}={name} is a part of other options{known}")
    problem = misfit(cfg, list(hydra.overrides.task))
    if problem is not None:
        raise UserError(problem)
    if not isinstance(cfg.seed, int) or not 0 <= cfg.seed < MOST_SEEDS:
        raise UserError(
            f"seed={cfg.seed} must be a whole number of at least 0 and less than {MOST_SEEDS:,}"
        )


def misfit(cfg: DictConfig, arguments: Iterable[str]) -> str | None:
    """Of the values on the command line, the first that is text where something else belongs.

    Args:
        cfg: as composed with them.
        arguments: what the command line sets, as Hydra heard it.
    """
    by_key = {argument.lstrip("+").partition("=")[0]: argument for argument in arguments}
    texts = [key for key in by_key if key not in TEXTS and isinstance(_selected(cfg, key), str)]
    if not texts:
        return None
    usual = composed([argument for key, argument in by_key.items() if key not in texts])
    for key in texts:
        before, value = _selected(usual, key), by_key[key].partition("=")[2]
        if OmegaConf.is_dict(before):
            return f"{key}={value}: a group's option is named by {key.replace('.', '/')}={value}"
        if type(before) in KINDS:
            return f"{key}={value}: this is text, and {KINDS[type(before)]} is needed"
    return None


def _selected(cfg: Any, key: str) -> Any:
    """A value as it is written, or ``None``; the names of groups are no keys."""
    if "/" in key or "@" in key or (CONF / key).is_dir():
        return None
    return OmegaConf.select(cfg, key, throw_on_missing=False, throw_on_resolution_failure=False)
