"""Reading the weights that the authors of Folk-RNN published, without running what a pickle asks.

The files are Python 2 pickles: a dict whose ``param_values`` hold 45 arrays for three layers (the
identity embedding; per layer input, forget, candidate and output gates with W_in, W_hid and b, then
c0 and h0; the output W and b) and whose ``token2idx`` is the vocabulary. Arrays multiply from the
right (x W), so they are transposed here.
"""

import math
import pickle
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symbotunes.errors import UserError

PER_LAYER = 14  # arrays of one layer
Array = NDArray[Any]


@dataclass(frozen=True)
class FolkRNNPickle:
    """Published weights, under the names of our `FolkRNN`.

    Attributes:
        weights: for ``FolkRNN.load_state_dict``.
        tokens: token strings in the order of their ids.
        width: units per layer.
        depth: number of layers.
    """

    weights: dict[str, Tensor]
    tokens: list[str]
    width: int
    depth: int


def load_pickle(path: Path) -> FolkRNNPickle:
    """Read a published pickle.

    Raises:
        UserError: if it is missing, damaged, of another layout, or names anything but arrays.
    """
    content = _unpickle(path)
    if not isinstance(content, dict) or not {"param_values", "token2idx"} <= set(content):
        raise UserError(f"{path} is no Folk-RNN pickle: it lacks param_values or token2idx")
    values, ids = content["param_values"], content["token2idx"]
    if not isinstance(values, list) or not all(isinstance(value, _Array) for value in values):
        raise UserError(f"{path}: param_values is not a list of arrays")
    arrays = [value.content.astype(np.float32) for value in values]
    return _convert(path, arrays, _tokens(path, ids))


def _tokens(path: Path, ids: Any) -> list[str]:
    """Token strings in the order of the ids that `token2idx` gives them."""
    if not isinstance(ids, dict) or not all(isinstance(token, str | bytes) for token in ids):
        raise UserError(f"{path}: token2idx does not map tokens to ids")
    if set(map(type, ids.values())) != {int} or sorted(ids.values()) != list(range(len(ids))):
        raise UserError(f"{path}: the ids of token2idx are not 0 to {len(ids) - 1}")
    tokens = sorted(ids, key=ids.__getitem__)
    return [t.decode("latin-1") if isinstance(t, bytes) else t for t in tokens]


def _convert(path: Path, arrays: Sequence[Array], tokens: list[str]) -> FolkRNNPickle:
    depth, rest = divmod(len(arrays) - 3, PER_LAYER)
    if rest or depth < 1:
        raise UserError(f"{path} holds {len(arrays)} arrays; 3 and 14 per layer are expected")
    width = int(arrays[-2].size / max(len(tokens), 1))
    _require(path, arrays, len(tokens), width, depth)
    if not np.array_equal(arrays[0], np.eye(len(tokens), dtype=np.float32)):
        raise UserError(f"{path} has a trained embedding; only one-hot input can be read")
    weights: dict[str, Array] = {}
    for layer in range(depth):
        block = arrays[1 + PER_LAYER * layer :][:PER_LAYER]
        # The gates stand in the order that PyTorch uses: input, forget, candidate, output.
        weights[f"lstm.weight_ih_l{layer}"] = np.concatenate(block[0:12:3], axis=1).T
        weights[f"lstm.weight_hh_l{layer}"] = np.concatenate(block[1:12:3], axis=1).T
        weights[f"lstm.bias_ih_l{layer}"] = np.concatenate(block[2:12:3])
        weights[f"lstm.bias_hh_l{layer}"] = np.zeros(4 * width, np.float32)
    blocks = [arrays[1 + PER_LAYER * layer :][:PER_LAYER] for layer in range(depth)]
    weights["c0"] = np.concatenate([block[12] for block in blocks])
    weights["h0"] = np.concatenate([block[13] for block in blocks])
    weights["head.weight"] = arrays[-2].T
    weights["head.bias"] = arrays[-1]
    tensors = {name: torch.tensor(np.ascontiguousarray(array)) for name, array in weights.items()}
    return FolkRNNPickle(tensors, tokens, width, depth)


def _require(path: Path, arrays: Sequence[Array], size: int, width: int, depth: int) -> None:
    """Raise `UserError` at the first array of another shape than the layout has."""
    expected: list[tuple[int, ...]] = [(size, size)]
    for layer in range(depth):
        inputs = width if layer else size
        expected += [(inputs, width), (width, width), (width,)] * 4 + [(1, width)] * 2
    expected += [(width, size), (size,)]
    for index, (array, shape) in enumerate(zip(arrays, expected, strict=True)):
        if array.shape != shape:
            raise UserError(f"{path}: array {index} has shape {array.shape}, not {shape}")


def _unpickle(path: Path) -> Any:
    if not path.is_file():
        raise UserError(f"no file at {path}; set model.init_from=PATH")
    with path.open("rb") as file:
        if file.read(23) == b"version https://git-lfs":
            raise UserError(f"{path} is a git-lfs pointer, not the file: run `git lfs pull`")
        file.seek(0)
        try:
            return ArraysOnly(file).load()
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
        except Exception as error:  # a damaged pickle fails in any way it likes
            raise UserError(f"{path} is no pickle, or it is truncated") from error


class ArraysOnly(pickle.Unpickler):
    """Unpickles containers, numbers, strings and numpy arrays; refuses every other name.

    Even numpy is not called: a forged state of its types can corrupt memory. What a pickle builds
    are inert stand-ins, and fresh ones for every name, so that it cannot change them for the next.
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
    """A type of plain numbers; its ``BUILD`` may set the byte order only."""

    def __init__(self, name: Any, *_: Any) -> None:
        if not isinstance(name, str) or not re.fullmatch("[<>|=]?[biuf][1248]", name):
            raise UserError(f"it holds an array of {name}, not of numbers; it is not opened")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: Sequence[Any]) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """An array; its ``BUILD`` brings shape, type and bytes."""

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
