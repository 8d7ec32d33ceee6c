"""Composing a config outside of ``hydra.main``."""

from collections.abc import Sequence
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from symbotunes.paths import CONF


def recomposed(arguments: Sequence[str]) -> DictConfig:
    """The config that a command with these arguments would have."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", list(arguments))


def composed(overrides: list[str]) -> Any:
    """The config of these overrides, or of none if they do not compose."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        try:
            return compose("config", overrides)
        except Exception:  # the second error would hide the first, which is being explained
            return compose("config")
