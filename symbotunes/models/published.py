"""What the ``published.py`` beside a network gives and takes: weights in the layout of others.

Such a module maps names and shapes of arrays. It opens no files and downloads nothing;
`symbotunes.checkpoints.formats` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Any

from torch import Tensor

from symbotunes.errors import UserError
from symbotunes.tokenizers.base import Vocabulary


class LayoutError(ValueError):
    """Arrays of another layout; the message goes on from the name of their file: "holds ..."."""


@dataclass(frozen=True)
class PublishedWeights:
    """Published weights under our names.

    Attributes:
        tensors: for ``load_state_dict`` of the network.
        sizes: what arguments of the network must be, where shapes alone do not tell.
        tokens: token strings in the order of their ids, if they are published with the weights.
        vocabulary: number of ids, if the layout tells.
        model: ``model=`` of the network.
        transforms: those that the weights were trained with, as written on the command line.
    """

    tensors: dict[str, Tensor]
    sizes: Mapping[str, Any] = field(default_factory=dict)
    tokens: list[str] | None = None
    vocabulary: int | None = None
    model: str = "gpt2"
    transforms: str = ""


@singledispatch
def to_transformers(
    net: object,
    vocabulary: Vocabulary,  # noqa: ARG001
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A network as the transformers library lays it out: its config and its tensors.

    A network that transformers knows registers an implementation.

    Args:
        net: the network.
        vocabulary: of the network; its ``bos`` and ``eos`` go into the config.

    Raises:
        UserError: if transformers has no such network.
    """
    raise UserError(f"export.transformers=true: transformers has no {type(net).__name__}")
