"""Composing a config outside of ``hydra.main``."""

from collections.abc import Sequence
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from symbotunes.paths import CONF


def recomposed(arguments: Sequence[str]) -> DictConfig:
    """The config of a command with these arguments."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", list(arguments))


def composed(overrides: list[str]) -> Any:
    """The config with these overrides, or without any if they do not compose."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        try:
            return compose("config", overrides)
        except Exception:  # the second error would hide the first, which is being explained
            return compose("config")
