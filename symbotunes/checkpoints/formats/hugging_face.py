"""Models in the format of the transformers library: ``config.json`` and ``model.safetensors``.

Older repositories have ``pytorch_model.bin`` instead, a pickle; only tensors are read from it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from safetensors.torch import save_file
from torch import Tensor

from symbotunes.checkpoints.formats import torch_file
from symbotunes.checkpoints.formats.safetensors import read_tensors
from symbotunes.errors import UserError

CONFIG, WEIGHTS, PICKLE = "config.json", "model.safetensors", "pytorch_model.bin"
TEXT = ("vocab.json", "merges.txt", "tokenizer.json")  # also fetched, if a repository has them
# Without a connection, the hub's client may raise errors of its HTTP library, not OSErrors.
UNREACHABLE: tuple[type[Exception], ...] = (
    LocalEntryNotFoundError,
    OSError,
    *cast("tuple[type[Exception], ...]", HfHubHTTPError.__bases__),
)


@dataclass(frozen=True)
class ModelFolder:
    """A model with the names of transformers.

    Attributes:
        config: content of ``config.json``, any JSON.
        tensors: by their names.
        folder: where they were read from; it may also contain tokenizer files.
    """

    config: Any
    tensors: dict[str, Tensor]
    folder: Path

    @property
    def has_text(self) -> bool:
        """Whether the folder contains tokenizer files."""
        return any((self.folder / name).is_file() for name in TEXT)


def read_model(source: str | Path) -> ModelFolder:
    """Read a local folder, or a repository of the hub such as ``openai-community/gpt2``.

    Args:
        source: the folder, or the name of the repository, perhaps with ``@revision``.

    Raises:
        UserError: if it cannot be reached, is damaged, or holds more than weights.
    """
    folder = Path(source) if Path(source).is_dir() else _download(str(source))
    if not (folder / CONFIG).is_file():
        raise UserError(f"{folder} has no {CONFIG}: it is not the folder of a Hugging Face model")
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{folder / CONFIG} is not JSON: {error}") from error
    return ModelFolder(config, _read_weights(folder), folder)


def _read_weights(folder: Path) -> dict[str, Tensor]:
    if (folder / WEIGHTS).is_file():
        return read_tensors(folder / WEIGHTS)
    if (folder / PICKLE).is_file():
        return torch_file.read_tensors(folder / PICKLE)
    if [*folder.glob("*.index.json")]:
        raise UserError(f"{folder} holds weights in several shards; one {WEIGHTS} can be read")
    raise UserError(f"{folder} has no {WEIGHTS} and no {PICKLE}")


def write_model(folder: Path, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write a folder for ``from_pretrained`` of transformers; it is created if necessary."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(dict(tensors), folder / WEIGHTS, metadata={"format": "pt"})
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _download(source: str) -> Path:
    name, _, revision = source.partition("@")
    wanted = [CONFIG, WEIGHTS, *TEXT]
    try:
        folder = Path(snapshot_download(name, revision=revision or None, allow_patterns=wanted))
        if not (folder / WEIGHTS).is_file():
            wanted = [CONFIG, PICKLE, *TEXT]
            folder = Path(snapshot_download(name, revision=revision or None, allow_patterns=wanted))
        return folder
    except HFValidationError as error:
        raise UserError(
            f"model.init_from={source} is neither a folder nor the id of a repository (owner/name)"
        ) from error
    except UNREACHABLE as error:
        raise UserError(
            f"{source} cannot be fetched from huggingface.co: put its {CONFIG} and {WEIGHTS} into "
            "a folder and set model.init_from=FOLDER"
        ) from error
