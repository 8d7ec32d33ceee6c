"""Reading the weights that the authors of Folk-RNN published, without running what a pickle asks.

The files are Python 2 pickles: a dict whose ``param_values`` hold 45 arrays for three layers (the
identity embedding; per layer input, forget, candidate and output gates with W_in, W_hid and b, then
c0 and h0; the output W and b) and whose ``token2idx`` is the vocabulary. Arrays multiply from the
right (x W), so they are transposed here.
"""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
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
    arrays = [np.asarray(array, np.float32) for array in content["param_values"]]
    ids = {_text(token): int(index) for token, index in content["token2idx"].items()}
    tokens = sorted(ids, key=ids.__getitem__)
    if sorted(ids.values()) != list(range(len(ids))):
        raise UserError(f"{path}: the ids of token2idx are not 0 to {len(ids) - 1}")
    return _convert(path, arrays, tokens)


def _convert(path: Path, arrays: Sequence[Array], tokens: list[str]) -> FolkRNNPickle:
    depth, rest = divmod(len(arrays) - 3, PER_LAYER)
    if rest or depth < 1:
        raise UserError(f"{path} holds {len(arrays)} arrays; 3 and 14 per layer are expected")
    width = arrays[-2].shape[0]
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


def _text(token: str | bytes) -> str:
    return token.decode("latin-1") if isinstance(token, bytes) else token


class ArraysOnly(pickle.Unpickler):
    """Unpickles containers, numbers, strings and numpy arrays; refuses every other name."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding="latin1")

    def find_class(self, module: str, name: str) -> Any:
        allowed = {
            ("multiarray", "_reconstruct"): _new_array,
            ("multiarray", "scalar"): _scalar,
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): _dtype,
        }
        # Python 2 wrote numpy.core.multiarray, today's numpy writes numpy._core.multiarray.
        known = module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray")
        found = allowed.get((module.rpartition(".")[2], name)) if known else None
        if (module, name) == ("_codecs", "encode"):  # how Python 3 writes bytes in protocol 2
            found = _latin1
        if found is None:
            raise UserError(f"it would run {module}.{name}; it is not opened")
        return found


def _latin1(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise UserError(f"it would encode text as {encoding}; it is not opened")
    return text.encode("latin-1")


def _new_array(*_: Any) -> Array:
    """An empty array, which the pickle fills by ``__setstate__``."""
    return np.ndarray.__new__(np.ndarray, (0,), np.int8)


def _dtype(name: str, *_: Any) -> np.dtype[Any]:
    dtype = np.dtype(name)
    if dtype.hasobject:
        raise UserError("it holds an array of objects; it is not opened")
    return dtype


def _scalar(dtype: np.dtype[Any], data: str | bytes) -> Any:
    raw = data.encode("latin-1") if isinstance(data, str) else data
    return np.frombuffer(raw, dtype, 1)[0]
