"""Tensor2Tensor's decoder with relative attention, under our names.

Their layers multiply from the right (x W), so matrices are transposed; queries, keys and values
have a matrix each. They feed zeros before the first token and for the padding, id 0. Here id 0 is
read instead of nothing, so its embedding is set to zero.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symbotunes.models.published import LayoutError, PublishedWeights

Array = NDArray[Any]
PREFIX = "transformer/"
PIANO_IDS = 310
_DECODER = f"{PREFIX}body/decoder"
_NORM = "layer_prepostprocess/layer_norm/layer_norm"
_ATTENTION = "self_attention/multihead_attention"
_DISTANCES = f"{_ATTENTION}/dot_product_self_attention_relative_v2/key_relative_embeddings"
_MATRIX = re.compile(
    rf"{PREFIX}symbol_modality_(?P<size>\d+)_(?P<width>\d+)/(?P<kind>target_emb|softmax)/weights_0"
)
_NOT_WEIGHTS = re.compile(r"(^|/)global_step$|/Adam(_1)?$|^(training|losses_avg|problem_0_steps)/")
# Our name of a layer's part, theirs, and whether it is a matrix that they keep transposed.
_PARTS = {
    "norm1.weight": (f"self_attention/{_NORM}_scale", False),
    "norm1.bias": (f"self_attention/{_NORM}_bias", False),
    "out.weight": (f"{_ATTENTION}/output_transform/kernel", True),
    "norm2.weight": (f"ffn/{_NORM}_scale", False),
    "norm2.bias": (f"ffn/{_NORM}_bias", False),
    "up.weight": ("ffn/conv1/kernel", True),
    "up.bias": ("ffn/conv1/bias", False),
    "down.weight": ("ffn/conv2/kernel", True),
    "down.bias": ("ffn/conv2/bias", False),
}


def is_tensor2tensor(variables: Mapping[str, Array]) -> bool:
    """Whether variables are named as Tensor2Tensor names those of a transformer."""
    return any(name.startswith(PREFIX) for name in variables)


def from_tensor2tensor(variables: Mapping[str, Array]) -> PublishedWeights:
    """Weights for ``MusicTransformer.load_state_dict``, in float32.

    Args:
        variables: arrays by their names in TensorFlow; an optimizer's memory among them is skipped.

    Raises:
        LayoutError: if they are of another network, or one is missing, unknown or of another shape.
    """
    rest = {name: array for name, array in variables.items() if not _NOT_WEIGHTS.search(name)}
    weights: dict[str, Array] = {}
    vocabulary, width = _embeddings(rest, weights)
    depth = 0
    while any(name.startswith(f"{_DECODER}/layer_{depth}/") for name in rest):
        _layer(rest, depth, weights)
        depth += 1
    if not depth:
        raise LayoutError("holds no layer of a decoder")
    weights["norm.weight"] = _taken(rest, f"{_DECODER}/{_NORM}_scale")
    weights["norm.bias"] = _taken(rest, f"{_DECODER}/{_NORM}_bias")
    if rest:
        raise LayoutError(
            f"is not a Music Transformer that can be read: it has {', '.join(sorted(rest)[:3])}"
        )
    tensors = {name: _tensor(array) for name, array in weights.items()}
    sizes = {"width": width, "depth": depth, **_sizes(weights)}
    events = "performance_piano" if vocabulary == PIANO_IDS else "performance"
    return PublishedWeights(
        tensors,
        sizes,
        vocabulary=vocabulary,
        model="music_transformer",
        transforms=f"transforms=[{events}]",
    )


def _taken(rest: dict[str, Array], name: str) -> Array:
    """A variable, which no longer is in the rest."""
    if name not in rest:
        raise LayoutError(f"lacks {name}")
    return rest.pop(name)


def _embeddings(rest: dict[str, Array], weights: dict[str, Array]) -> tuple[int, int]:
    """Number of ids and width, of the embedding and the output layer."""
    sizes = set()
    for name in list(rest):
        match = _MATRIX.fullmatch(name)
        if match is None:
            continue
        size = int(match["size"]), int(match["width"])
        array = rest.pop(name)
        if array.shape != size:
            raise LayoutError(f"has shape {array.shape} in {name}, not {size}")
        sizes.add(size)
        ours = "embed.weight" if match["kind"] == "target_emb" else "head.weight"
        weights[ours] = array
    if not {"embed.weight", "head.weight"} <= set(weights) or len(sizes) != 1:
        raise LayoutError("lacks an embedding and an output layer of the same sizes, each whole")
    weights["embed.weight"] = weights["embed.weight"].copy()
    weights["embed.weight"][0] = 0.0
    return sizes.pop()


def _layer(rest: dict[str, Array], layer: int, weights: dict[str, Array]) -> None:
    theirs, ours = f"{_DECODER}/layer_{layer}", f"blocks.{layer}"
    kernels = [_taken(rest, f"{theirs}/{_ATTENTION}/{part}/kernel") for part in "qkv"]
    weights[f"{ours}.qkv.weight"] = np.concatenate(kernels, 1).T
    for part, (name, is_matrix) in _PARTS.items():
        array = _taken(rest, f"{theirs}/{name}")
        weights[f"{ours}.{part}"] = array.T if is_matrix else array
    if f"{theirs}/{_DISTANCES}" in rest:
        weights[f"{ours}.distances"] = _taken(rest, f"{theirs}/{_DISTANCES}")


def _sizes(weights: Mapping[str, Array]) -> dict[str, int]:
    """What the first layer tells; shapes of the others are checked when they are loaded."""
    width = len(weights["blocks.0.norm1.weight"])
    sizes = {
        "key_width": (len(weights["blocks.0.qkv.weight"]) - width) // 2,
        "feedforward": len(weights["blocks.0.up.bias"]),
        "max_distance": 0,
    }
    distances = weights.get("blocks.0.distances")
    if distances is not None:
        if distances.ndim != 3:  # Tensor2Tensor can share them between heads
            raise LayoutError("shares its embeddings of distances between heads")
        sizes |= {"heads": distances.shape[0], "max_distance": distances.shape[1]}
    return sizes


def _tensor(array: Array) -> Tensor:
    return torch.tensor(np.ascontiguousarray(array, np.float32))
