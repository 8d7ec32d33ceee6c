"""Anticipatory Music Transformers as their authors publish them, opened like checkpoints of ours.

The folders are those of a GPT-2 of the transformers library; the number of ids and the flag that
scales attention by layer tell what they are.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from torch import Tensor

from symbotunes.checkpoints.formats.hugging_face import CONFIG, read_model
from symbotunes.errors import UserError
from symbotunes.models.gpt2.published import from_transformers, is_layer_scaled
from symbotunes.models.published import LayoutError
from symbotunes.music.arrival.vocabulary import INTERARRIVAL_SIZE, SIZE


def is_anticipatory(folder: Path) -> bool:
    """Whether a folder holds a model of the authors, even one that cannot be read."""
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return is_layer_scaled(config) and config.get("vocab_size") in (SIZE, INTERARRIVAL_SIZE)


def read_anticipatory(
    folder: Path, compose: Callable[[Sequence[str]], DictConfig], *, name: str
) -> tuple[DictConfig, dict[str, Tensor]]:
    """The config that a run of such a model would have, and its weights.

    Args:
        folder: for which `is_anticipatory` holds.
        compose: composes a config from command-line arguments.
        name: of the model.

    Raises:
        UserError: if the weights are damaged, or the vocabulary cannot be read.
    """
    model = read_model(folder)
    try:
        published = from_transformers(model.config, model.tensors)
    except LayoutError as error:
        raise UserError(f"{folder} {error}") from error
    sizes = [f"model.net.{key}={_word(size)}" for key, size in published.sizes.items()]
    config = compose([f"model={published.model}", published.transforms, *sizes])
    config.name = name
    return config, published.tensors


def _word(value: Any) -> str:
    return str(value).lower()
