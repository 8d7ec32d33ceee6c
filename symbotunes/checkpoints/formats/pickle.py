"""Pickles of containers, numbers, strings and arrays, read without running any code in them."""

import math
import pickle
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from symbotunes.errors import UserError

Array = NDArray[Any]


def read_pickle(path: Path) -> Any:
    """The content of a pickle; Python 2's strings are read as latin-1.

    Raises:
        UserError: if it is missing or damaged, or names anything but arrays.
    """
    if not path.is_file():
        raise UserError(f"no file at {path}; set model.init_from=PATH")
    with path.open("rb") as file:
        if file.read(23) == b"version https://git-lfs":
            raise UserError(f"{path} is a git-lfs pointer, not the file: run `git lfs pull`")
        file.seek(0)
        try:
            return _with_arrays(ArraysOnly(file).load())
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
        except Exception as error:  # a damaged pickle may raise anything
            raise UserError(f"{path} is not a pickle, or it is truncated") from error


def _with_arrays(content: Any) -> Any:
    """The same content, with arrays in place of their stand-ins in lists and dicts."""
    if isinstance(content, _Array):
        return content.content
    seen: set[int] = set()  # a pickle may share containers, and contain itself
    pending = [content]
    while pending:
        node = pending.pop()
        if id(node) in seen or not isinstance(node, list | dict):
            continue
        seen.add(id(node))
        for key, value in list(enumerate(node) if isinstance(node, list) else node.items()):
            if isinstance(value, _Array):
                node[key] = value.content
            else:
                pending.append(value)
    return content


class ArraysOnly(pickle.Unpickler):
    """Unpickles containers, numbers, strings and numpy arrays; refuses every other name.

    Not even numpy is called, since a forged state of its types can corrupt memory. A pickle builds
    inert stand-ins instead: new ones for every name, so that it cannot modify those of the next.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding="latin1")

    def find_class(self, module: str, name: str) -> Any:
        # Python 2 wrote numpy.core.multiarray, today's numpy writes numpy._core.multiarray.
        if module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            module = "multiarray"
        allowed: dict[tuple[str, str], Any] = {
            ("multiarray", "_reconstruct"): partial(_Array),
            ("multiarray", "scalar"): partial(_scalar),
            ("numpy", "ndarray"): "ndarray",  # only ever an argument of _reconstruct
            ("numpy", "dtype"): partial(_Dtype),
            ("_codecs", "encode"): partial(_latin1),  # how Python 3 writes bytes in protocol 2
        }
        if (module, name) not in allowed:
            raise UserError(f"it would run {module}.{name}; it is not opened")
        return allowed[module, name]


class _Dtype:
    """A type of plain numbers; its ``BUILD`` may only set the byte order."""

    def __init__(self, name: Any, *_: Any) -> None:
        if not isinstance(name, str) or not re.fullmatch("[<>|=]?[biuf][1248]", name):
            raise UserError(f"it holds an array of {name}, not of numbers; it is not opened")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: Sequence[Any]) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """An array; its ``BUILD`` gives shape, type and bytes."""

    def __init__(self, *_: Any) -> None:
        self.content: Array = np.empty(0, np.int8)

    def __setstate__(self, state: Sequence[Any]) -> None:
        _, shape, kind, is_fortran, data = state
        flat = np.frombuffer(_bytes(data), kind.dtype, math.prod(shape))
        self.content = flat.reshape(shape, order="F" if is_fortran else "C")


def _scalar(kind: _Dtype, data: str | bytes) -> Any:
    return np.frombuffer(_bytes(data), kind.dtype, 1)[0]


def _bytes(data: str | bytes) -> bytes:
    """Python 2 wrote bytes as strings, which are read as latin-1."""
    return data.encode("latin-1") if isinstance(data, str) else data


def _latin1(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise UserError(f"it would encode text as {encoding}; it is not opened")
    return text.encode("latin-1")
