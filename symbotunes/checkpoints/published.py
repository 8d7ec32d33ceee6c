"""Models as folders that can be shared: ``config.json`` and ``model.safetensors``.

Neither file can run code. A folder is on disk, on the Hugging Face hub (``hub:owner/name``), or
in this package (``pretrained/name``).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError
from safetensors.torch import save_file
from torch import Tensor

from symbotunes.checkpoints.formats.hugging_face import PICKLE, UNREACHABLE
from symbotunes.checkpoints.formats.safetensors import read_tensors
from symbotunes.errors import UserError, did_you_mean
from symbotunes.files import finite
from symbotunes.paths import PRETRAINED

CONFIG, WEIGHTS = "config.json", "model.safetensors"
LIBRARY = "symbotunes"
HUB, SHIPPED = "hub:", "pretrained"
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
_KINDS = {"format": int, "config": dict, "tokenizer": dict, "data": str, "steps": int}


def locate(source: Path) -> Path:
    """The path of a checkpoint or a published folder, which is fetched first if it is on the hub.

    Args:
        source: a path, the folder of a run for its best checkpoint or else its last,
            ``hub:owner/name`` (``hub:owner/name@revision``), or ``pretrained/name``.

    Raises:
        UserError: if it cannot be fetched, or is not included.
    """
    name = source.as_posix()
    if name.startswith(HUB):
        return _download(name.removeprefix(HUB))
    if source.parts[:1] == (SHIPPED,) and not source.exists():
        return _shipped(name)
    kept = (source / "checkpoints" / name for name in ("best.ckpt", "last.ckpt"))
    return next((path for path in kept if path.is_file()), source)


def shipped() -> list[str]:
    """The models included in the package, by names such as ``pretrained/folk_rnn``."""
    return sorted(f"{SHIPPED}/{path.parent.name}" for path in PRETRAINED.glob(f"*/{CONFIG}"))


def _shipped(name: str) -> Path:
    names = shipped()
    if name in names:
        return PRETRAINED / name.removeprefix(f"{SHIPPED}/")
    if not names:
        raise UserError(f"there is no {name}: this installation includes no pretrained models")
    choices = [choice.removeprefix(f"{SHIPPED}/") for choice in names]
    hint = did_you_mean(name.removeprefix(f"{SHIPPED}/"), choices, prefix=f"{SHIPPED}/")
    raise UserError(f"there is no {name}{hint}")


def _download(name: str) -> Path:
    repository, _, revision = name.partition("@")
    try:
        folder = _fetch(repository, revision, WEIGHTS)
        if not ((folder / WEIGHTS).is_file() or is_published(folder)):
            folder = _fetch(repository, revision, PICKLE)
    except HFValidationError as error:
        raise UserError(
            f"{HUB}{name} is not the name of a repository: write hub:owner/name"
        ) from error
    except UNREACHABLE as error:
        raise UserError(
            f"{HUB}{name} cannot be fetched from huggingface.co: check the name and the network, "
            f"or put its {CONFIG} and {WEIGHTS} into a folder and set ckpt=FOLDER"
        ) from error
    return folder


def _fetch(repository: str, revision: str, weights: str) -> Path:
    patterns = [CONFIG, weights]
    return Path(snapshot_download(repository, revision=revision or None, allow_patterns=patterns))


def is_published(folder: Path) -> bool:
    """Whether a folder is marked as a model of Symbotunes."""
    try:
        content = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("library_name") == LIBRARY


def read_folder(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The content of ``config.json`` and the weights, in float32.

    Raises:
        UserError: if a file is missing, damaged or of another program.
    """
    if not is_published(folder):
        raise UserError(f"{folder} holds no {CONFIG} of Symbotunes; set ckpt=PATH")
    content = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    for key, kind in _KINDS.items():
        if not isinstance(content.get(key), kind):
            raise UserError(
                f"{folder / CONFIG} is damaged: its {key} is not of type {kind.__name__}"
            )
    return content, _weights(folder)


def _weights(folder: Path) -> dict[str, Tensor]:
    path = folder / WEIGHTS
    if not path.is_file():
        raise UserError(f"{folder} has no {WEIGHTS}")
    return {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in read_tensors(path).items()
    }


def write_folder(
    folder: Path, weights: Mapping[str, Tensor], description: Mapping[str, Any], dtype: str
) -> None:
    """Write the two files.

    Args:
        folder: created if it does not exist.
        weights: of the network, by parameter name.
        description: ``format``, ``config``, ``tokenizer``, ``data`` and ``steps``, plain values.
        dtype: one of `DTYPES`, for weights that are floating-point numbers.

    Raises:
        UserError: if a weight is too large for the type.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: _rounded(name, tensor, dtype) for name, tensor in weights.items()}
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / WEIGHTS).chmod(0o644)  # safetensors writes files that only the owner can read
    content = {"library_name": LIBRARY, "dtype": dtype, **description}
    text = json.dumps(finite(content), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / CONFIG).write_text(text + "\n", encoding="utf-8")


def _rounded(name: str, tensor: Tensor, dtype: str) -> Tensor:
    if not tensor.is_floating_point():
        return tensor.detach().cpu().clone()
    rounded = tensor.detach().cpu().to(DTYPES[dtype], copy=True).contiguous()
    if bool((tensor.cpu().isfinite() & ~rounded.isfinite()).any()):
        raise UserError(f"export.dtype={dtype}: {name} holds larger numbers; choose bfloat16")
    return rounded
