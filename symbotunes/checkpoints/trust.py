"""Which classes a checkpoint may name: only those that this package defines."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra.utils import get_object
from omegaconf import OmegaConf

from symbotunes.checkpoints.error import CheckpointError

# Packages whose classes a checkpoint may name: to sample, and beyond these to read its data.
SAMPLING = ("symbotunes.models", "symbotunes.tokenizers", "symbotunes.transforms")
READING = (*SAMPLING, "symbotunes.datasets", "symbotunes.data.module")


def refuse_strangers(path: Path, node: Any, packages: Sequence[str] = SAMPLING) -> None:
    """Raise `CheckpointError` if a ``_target_`` is not defined in one of the packages."""
    strangers = [name for name in targets(OmegaConf.create(node)) if not defined_in(packages, name)]
    if strangers:
        raise CheckpointError(f"{path} would run {', '.join(strangers)}; it is not opened")


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
