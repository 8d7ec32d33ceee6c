"""Which classes a checkpoint may name: those of our configs and of the user's plug-ins."""

import re
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra.utils import get_object
from omegaconf import OmegaConf

from symbotunes.checkpoints.error import CheckpointError
from symbotunes.config.plugins import VARIABLE, plugin_names, plugins
from symbotunes.paths import CONF

# Groups of ``conf/`` whose classes a checkpoint may name: to sample, to read its data as well, and
# to resume its training.
SAMPLING = ("model", "transforms")
READING = (*SAMPLING, "dataset", "loader")
TRAINING = (*READING, "model/optimizer", "model/scheduler")
TARGET = re.compile(r"^ *_target_: *([\w.]+)\.\w+", re.MULTILINE)
OPTIMIZERS = "torch.optim"  # all of it: users may choose optimizers that no config names
LIBRARIES = ("torch", "lightning", "hydra", "omegaconf", "numpy")  # not plug-ins


def refuse_strangers(path: Path, node: Any, groups: Sequence[str] = SAMPLING) -> None:
    """Raise `CheckpointError` if a ``_target_`` is not a class of a config of the groups.

    Classes of the user's plug-ins are allowed too, since the user has chosen to run them.
    """
    modules = trusted_modules(groups)
    strangers = [name for name in targets(OmegaConf.create(node)) if not defined_in(modules, name)]
    if strangers:
        hint = _as_plugin(strangers[0].partition(".")[0])
        raise CheckpointError(f"{path} would run {', '.join(strangers)}; it is not opened{hint}")


def trusted_modules(groups: Sequence[str]) -> set[str]:
    """The modules whose classes a checkpoint may name.

    These are the modules of classes in our configs of the groups, so that a new model with a config
    needs no entry here, and the user's plug-ins.
    """
    files = (path for group in groups for path in (CONF / group).glob("*.yaml"))
    modules = {name for path in files for name in TARGET.findall(path.read_text("utf-8"))}
    modules |= {plugin.module for plugin in plugins()}
    return modules | {OPTIMIZERS} if "model/optimizer" in groups else modules


def _as_plugin(package: str) -> str:
    """How to open a checkpoint of a plug-in, if the package may be one."""
    if package in {"symbotunes", *LIBRARIES, *sys.stdlib_module_names, *plugin_names()}:
        return ""
    return (
        f": {package} is not part of Symbotunes; if you trust it, install it and set "
        f"{VARIABLE}={package}"
    )


def defined_in(modules: Collection[str], target: str) -> bool:
    """Whether a ``_target_`` is a class defined in or below a module, not just reachable there.

    ``symbotunes.models.base.torch.hub.load`` is reachable below a trusted name, and is refused.
    """
    if not _below(modules, target):
        return False
    try:
        named = get_object(target)
    except Exception:  # importing an invented path may raise anything
        return False
    return isinstance(named, type) and _below(modules, named.__module__)


def _below(modules: Collection[str], name: str) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


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
