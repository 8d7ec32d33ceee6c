"""Which classes a checkpoint may name: those that this package or the user's plug-ins define."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra.utils import get_object
from omegaconf import OmegaConf

from symbotunes.checkpoints.error import CheckpointError
from symbotunes.config.plugins import VARIABLE, plugin_names, plugins

# Packages whose classes a checkpoint may name: to sample, and beyond these to read its data.
SAMPLING = ("symbotunes.models", "symbotunes.tokenizers", "symbotunes.transforms")
READING = (*SAMPLING, "symbotunes.datasets", "symbotunes.data.module")
LIBRARIES = ("torch", "lightning", "hydra", "omegaconf", "numpy")  # nobody's plug-in


def refuse_strangers(path: Path, node: Any, packages: Sequence[str] = SAMPLING) -> None:
    """Raise `CheckpointError` if a ``_target_`` is not defined in one of the packages.

    What the user names as a plug-in may be named, too: it is the user's own choice to run it.
    """
    trusted = (*packages, *(plugin.module for plugin in plugins()))
    strangers = [name for name in targets(OmegaConf.create(node)) if not defined_in(trusted, name)]
    if strangers:
        hint = _as_plugin(strangers[0].partition(".")[0])
        raise CheckpointError(f"{path} would run {', '.join(strangers)}; it is not opened{hint}")


def _as_plugin(package: str) -> str:
    """How to open a checkpoint of somebody's plug-in, if the package may be one."""
    if package in {"symbotunes", *LIBRARIES, *sys.stdlib_module_names, *plugin_names()}:
        return ""
    return (
        f": {package} is not part of Symbotunes; if you trust it, install it and set "
        f"{VARIABLE}={package}"
    )


def defined_in(packages: Sequence[str], target: str) -> bool:
    """Whether a ``_target_`` is a class defined in a package, not just reachable there.

    ``symbotunes.models.base.torch.hub.load`` is reachable below a trusted name, and is refused.
    """
    if not _below(packages, target):
        return False
    try:
        found = get_object(target)
    except Exception:  # whatever importing a made-up path raises, the answer is no
        return False
    return isinstance(found, type) and _below(packages, found.__module__)


def _below(packages: Sequence[str], name: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def targets(node: Any) -> Iterator[str]:
    """Every ``_target_`` at or below a config node."""
    if OmegaConf.is_dict(node):
        if "_target_" in node:
            yield str(node["_target_"])
        for value in node.values():
            yield from targets(value)
    elif OmegaConf.is_list(node):
        for value in node:
            yield from targets(value)
