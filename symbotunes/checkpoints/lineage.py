"""The models that a fine-tuned one was made of."""

from dataclasses import dataclass
from typing import Any

from omegaconf import OmegaConf

from symbotunes.checkpoints.checkpoint import FINETUNE, Checkpoint


@dataclass(frozen=True)
class Parent:
    """A model that another one was fine-tuned from.

    Attributes:
        source: where it was read from, as the user wrote it.
        name: of its run.
        data: what people call the data that it was trained on.
        steps: optimizer steps that it was trained for.
    """

    source: str
    name: str
    data: str
    steps: int


def parents_of(checkpoint: Checkpoint) -> list[Parent]:
    """The models that a checkpoint was fine-tuned from, the first ancestor first."""
    group = checkpoint.config.get(FINETUNE)
    content: Any = OmegaConf.to_container(group) if OmegaConf.is_dict(group) else {}
    parents = []
    for values in content.get("parents") or []:
        if isinstance(values, dict) and set(values) == set(Parent.__annotations__):
            parents.append(Parent(**values))
    return parents
