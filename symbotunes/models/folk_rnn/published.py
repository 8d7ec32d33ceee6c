"""The weights that the authors of Folk-RNN published, under our names.

Their files hold a dict whose ``param_values`` are 45 arrays for three layers (the identity
embedding; per layer input, forget, candidate and output gates with W_in, W_hid and b, then c0 and
h0; the output W and b) and whose ``token2idx`` is the vocabulary. Arrays multiply from the right
(x W), so they are transposed here.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from symbotunes.models.published import LayoutError, PublishedWeights

PER_LAYER = 14  # arrays of one layer
Array = NDArray[Any]


def from_authors(content: Any) -> PublishedWeights:
    """Weights for ``FolkRNN.load_state_dict``, and their vocabulary.

    Args:
        content: what their pickle holds.

    Raises:
        LayoutError: if it is anything else.
    """
    if not isinstance(content, dict) or not {"param_values", "token2idx"} <= set(content):
        raise LayoutError("is not a Folk-RNN pickle: it lacks param_values or token2idx")
    values = content["param_values"]
    if not isinstance(values, list) or not all(isinstance(value, np.ndarray) for value in values):
        raise LayoutError("has param_values that are not a list of arrays")
    arrays = [value.astype(np.float32) for value in values]
    return _convert(arrays, _tokens(content["token2idx"]))


def _tokens(ids: Any) -> list[str]:
    """Token strings in the order of the ids that `token2idx` gives them."""
    if not isinstance(ids, dict) or not all(isinstance(token, str | bytes) for token in ids):
        raise LayoutError("has a token2idx that does not map tokens to ids")
    if set(map(type, ids.values())) != {int} or sorted(ids.values()) != list(range(len(ids))):
        raise LayoutError(f"has a token2idx whose ids are not 0 to {len(ids) - 1}")
    tokens = sorted(ids, key=ids.__getitem__)
    return [t.decode("latin-1") if isinstance(t, bytes) else t for t in tokens]


def _convert(arrays: Sequence[Array], tokens: list[str]) -> PublishedWeights:
    depth, rest = divmod(len(arrays) - 3, PER_LAYER)
    if rest or depth < 1:
        raise LayoutError(f"holds {len(arrays)} arrays; 3 and 14 per layer are expected")
    width = int(arrays[-2].size / max(len(tokens), 1))
    _require(arrays, len(tokens), width, depth)
    if not np.array_equal(arrays[0], np.eye(len(tokens), dtype=np.float32)):
        raise LayoutError("has a trained embedding; only one-hot input can be read")
    weights: dict[str, Array] = {}
    blocks = [arrays[1 + PER_LAYER * layer :][:PER_LAYER] for layer in range(depth)]
    for layer, block in enumerate(blocks):
        # The gates stand in the order that PyTorch uses: input, forget, candidate, output.
        weights[f"lstm.weight_ih_l{layer}"] = np.concatenate(block[0:12:3], axis=1).T
        weights[f"lstm.weight_hh_l{layer}"] = np.concatenate(block[1:12:3], axis=1).T
        weights[f"lstm.bias_ih_l{layer}"] = np.concatenate(block[2:12:3])
        weights[f"lstm.bias_hh_l{layer}"] = np.zeros(4 * width, np.float32)
    weights["c0"] = np.concatenate([block[12] for block in blocks])
    weights["h0"] = np.concatenate([block[13] for block in blocks])
    weights["head.weight"] = arrays[-2].T
    weights["head.bias"] = arrays[-1]
    tensors = {name: torch.tensor(np.ascontiguousarray(array)) for name, array in weights.items()}
    return PublishedWeights(tensors, tokens=tokens)


def _require(arrays: Sequence[Array], size: int, width: int, depth: int) -> None:
    """Raise `LayoutError` at the first array of another shape than the layout has."""
    expected: list[tuple[int, ...]] = [(size, size)]
    for layer in range(depth):
        inputs = width if layer else size
        expected += [(inputs, width), (width, width), (width,)] * 4 + [(1, width)] * 2
    expected += [(width, size), (size,)]
    for index, (array, shape) in enumerate(zip(arrays, expected, strict=True)):
        if array.shape != shape:
            raise LayoutError(f"has shape {array.shape} in array {index}, not {shape}")
