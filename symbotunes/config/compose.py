"""Composing a config outside of ``hydra.main``."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from symbotunes.config.folders import expand_home
from symbotunes.config.plugins import register_plugins
from symbotunes.paths import CONF


@contextmanager
def _initialized() -> Iterator[None]:
    """Hydra with our configs and those of the plug-ins."""
    GlobalHydra.instance().clear()
    expand_home()
    register_plugins()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield


def recomposed(arguments: Sequence[str]) -> DictConfig:
    """The config that a command with these arguments would have."""
    with _initialized():
        return compose("config", list(arguments))


def composed(overrides: list[str]) -> Any:
    """The config of these overrides, or of none if they do not compose."""
    with _initialized():
        try:
            return compose("config", overrides)
        except Exception:  # the second error would hide the first, which is being explained
            return compose("config")


def composes(overrides: list[str]) -> bool:
    """Whether these overrides have a config."""
    try:
        recomposed(overrides)
    except Exception:  # of Hydra or OmegaConf, whichever finds it first
        return False
    return True
