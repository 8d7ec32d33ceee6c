"""From ``cfg.mode`` to the function that runs it: a mode is a file in `symbotunes.modes`.

Mode ``sample`` is the function ``sample`` of ``symbotunes/modes/sample.py``.
"""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from symbotunes import modes
from symbotunes.config.plugins import import_plugins
from symbotunes.errors import UserError, did_you_mean


def mode_files() -> dict[str, Path]:
    """The file of every mode, by name: ``train`` first, then in alphabetical order."""
    files = sorted(Path(modes.__path__[0]).glob("[a-z]*.py"), key=_order)
    return {file.stem: file for file in files}


def _order(file: Path) -> tuple[bool, str]:
    return file.stem != "train", file.stem


def page(file: Path) -> str:
    """The docstring of a mode's file, which is its help page; the mode is not imported."""
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")), clean=False) or ""


def summary(file: Path) -> str:
    """The first line of a mode's help page, without the name of the mode."""
    return page(file).splitlines()[0].removeprefix(f"mode={file.stem}: ").rstrip(".")


def call_mode(cfg: DictConfig) -> Any:
    """Call the function of ``cfg.mode``.

    Raises:
        UserError: if there is no such mode, or a plug-in cannot be imported.
    """
    names = mode_files()
    if cfg.mode not in names:
        raise UserError(f"mode={cfg.mode} does not exist{did_you_mean(str(cfg.mode), names)}")
    import_plugins()
    return getattr(import_module(f"{modes.__name__}.{cfg.mode}"), str(cfg.mode))(cfg)
