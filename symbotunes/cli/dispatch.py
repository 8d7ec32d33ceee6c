"""From ``cfg.mode`` to the function that does it."""

from importlib import import_module
from typing import Any

from omegaconf import DictConfig

from symbotunes.cli.suggestions import nearest
from symbotunes.errors import UserError

MODES = {
    "train": "symbotunes.modes.train:train",
    "sample": "symbotunes.modes.sample:sample",
    "evaluate": "symbotunes.modes.evaluate:evaluate",
    "compare": "symbotunes.modes.compare:compare",
    "prepare": "symbotunes.modes.prepare:prepare",
    "convert": "symbotunes.modes.convert:convert",
    "report": "symbotunes.modes.report:report",
    "export": "symbotunes.modes.export:export",
    "check": "symbotunes.modes.check:check",
}


def call_mode(cfg: DictConfig) -> Any:
    """Call the function of ``cfg.mode``.

    Raises:
        UserError: if there is no such mode.
    """
    if cfg.mode not in MODES:
        raise UserError(f"mode={cfg.mode} does not exist{nearest(str(cfg.mode), MODES)}")
    module, _, function = MODES[cfg.mode].partition(":")
    return getattr(import_module(module), function)(cfg)
