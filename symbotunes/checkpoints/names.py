"""What models are called where several are compared: by what tells them apart."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from symbotunes.checkpoints.checkpoint import Checkpoint

COMPARED = ("seed", "model", "dataset", "transforms", "loader")  # parts of a config, in this order
MOST_DIFFERENCES = 3


def run_of(path: Path) -> str:
    """What a checkpoint is called by its place: its run folder, or its own name."""
    inside = path.resolve().parent
    return inside.parent.name if inside.name == "checkpoints" else path.stem


def shown_name(path: Path) -> str:
    """A checkpoint as pages call it, which are sent to others: without a path of this machine.

    Args:
        path: as the user wrote it.
    """
    if not path.is_absolute() and not path.exists():  # published
        return path.as_posix()
    inside = path.parent.name == "checkpoints"
    return f"{path.name} of {run_of(path)}" if inside else path.name


def model_names(checkpoints: Sequence[Checkpoint]) -> list[str]:
    """A name for each checkpoint: that of its config and its steps, and what else differs.

    Models of one name and equally many steps are told apart by up to three settings, then by the
    names of their files and runs, and at last by number.
    """
    names = [f"{item.config.get('name')}, {item.steps:,} steps" for item in checkpoints]
    paths = [Path(item.path) for item in checkpoints]
    values = [dict(_settings(item)) for item in checkpoints]
    for details in (
        lambda group: [_differences(values[index], [values[i] for i in group]) for index in group],
        lambda group: [paths[index].name for index in group],
        lambda group: [run_of(paths[index]) for index in group],
        lambda group: [str(index + 1) for index in group],
    ):
        for name in [name for name, count in Counter(names).items() if count > 1]:
            group = [index for index, other in enumerate(names) if other == name]
            found = details(group)
            if len(set(found)) > 1:
                for index, detail in zip(group, found, strict=True):
                    names[index] = f"{name}, {detail}" if detail else name
    return names


def _differences(own: Mapping[str, Any], all_of_group: Sequence[Mapping[str, Any]]) -> str:
    """The first settings that differ within a group, as words on a command line."""
    keys = list(dict.fromkeys(key for values in all_of_group for key in values))
    differing = [key for key in keys if len({str(values.get(key)) for values in all_of_group}) > 1]
    return ", ".join(f"{key}={own.get(key)}" for key in differing[:MOST_DIFFERENCES])


def _settings(checkpoint: Checkpoint) -> dict[str, Any]:
    plain = OmegaConf.to_container(checkpoint.config)
    assert isinstance(plain, dict)
    flat: dict[str, Any] = {}

    def add(prefix: str, node: Any) -> None:
        if isinstance(node, Mapping):
            for key, value in node.items():
                add(f"{prefix}.{key}", value)
        else:
            flat[prefix] = node

    for part in COMPARED:
        add(part, plain.get(part))
    return flat
