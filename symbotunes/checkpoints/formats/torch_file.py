"""Files of ``torch.save``: tensors and plain values, read without running any code in them."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from symbotunes.errors import UserError, first_line

LFS_POINTER = b"version https://git-lfs"


def load_plain(path: Path) -> Any:
    """The content of a file, on the CPU.

    Raises:
        UserError: if it is damaged, or holds anything but tensors, containers and plain values.
    """
    with path.open("rb") as file:
        head = file.read(len(LFS_POINTER))
    if head == LFS_POINTER:
        raise UserError(f"{path} is a git-lfs pointer, not the file: run `git lfs pull`")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if zipfile.is_zipfile(path):
            raise UserError(
                f"{path} holds more than weights and plain values and is not opened: "
                f"{_reason(error)}"
            ) from error
        raise UserError(f"{path} is not a checkpoint, or it is truncated") from error
    except (RuntimeError, EOFError, OSError, ValueError, LookupError, AttributeError) as error:
        raise UserError(f"{path} is not a checkpoint, or it is truncated") from error


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a file that holds tensors by name, such as ``pytorch_model.bin``.

    Raises:
        UserError: if it is damaged, or holds anything else.
    """
    content = load_plain(path)
    if not isinstance(content, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
    ):
        raise UserError(f"{path} does not hold tensors by name")
    return dict(content)


def _reason(error: Exception) -> str:
    """The line of torch's message that names what it would not load."""
    for line in str(error).splitlines():
        if "GLOBAL" in line or "Unsupported" in line:
            return line.strip()[:160]
    return first_line(error)[:160]
