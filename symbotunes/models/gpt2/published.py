"""GPT-2 as the transformers library lays it out, to our names and back.

OpenAI's layers multiply from the right (x W), so matrices are transposed on the way in and out.

With ``scale_attn_by_inverse_layer_idx``, the scores of layer l are divided by l + 1. That factor
multiplies queries alone, so it is moved into their weights and biases on the way in, and out of
them on the way out.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from symbotunes.models.gpt2.network import GPT2
from symbotunes.models.published import LayoutError, PublishedWeights, to_transformers
from symbotunes.music.arrival.vocabulary import INTERARRIVAL_SIZE, SIZE
from symbotunes.tokenizers.base import NO_ID, Vocabulary

# Our name of a layer's part, theirs, and whether it is a matrix that they keep transposed.
_PARTS = {
    "norm1": ("ln_1", False),
    "qkv": ("attn.c_attn", True),
    "out": ("attn.c_proj", True),
    "norm2": ("ln_2", False),
    "up": ("mlp.c_fc", True),
    "down": ("mlp.c_proj", True),
}
# What our network computes; a config that says anything else describes another one.
_EXPECTED = {
    "model_type": "gpt2",
    "activation_function": "gelu_new",
    "layer_norm_epsilon": 1e-5,
    "scale_attn_weights": True,
    "tie_word_embeddings": True,
    "add_cross_attention": False,
}
_BY_LAYER = "scale_attn_by_inverse_layer_idx"
_SIZES = {"width": "n_embd", "depth": "n_layer", "heads": "n_head"}  # our argument -> their key


def from_transformers(config: Any, tensors: Mapping[str, Tensor]) -> PublishedWeights:
    """Weights for ``GPT2.load_state_dict``, in float32.

    Args:
        config: content of ``config.json``.
        tensors: by their names, with or without the prefix ``transformer.``.

    Raises:
        LayoutError: if the config describes another network, or a tensor is missing.
    """
    vocabulary, sizes = _sizes(config)
    by_layer = is_layer_scaled(config)
    if by_layer and vocabulary == INTERARRIVAL_SIZE:
        raise LayoutError(
            f"has the interarrival vocabulary of {INTERARRIVAL_SIZE:,} ids, which cannot be read: "
            f"choose a model of {SIZE:,} ids, such as stanford-crfm/music-small-800k"
        )
    given = {re.sub(r"^transformer\.", "", name): tensor for name, tensor in tensors.items()}
    weights = {}
    for ours, (theirs, is_matrix) in _names(sizes["depth"]).items():
        if theirs not in given:
            raise LayoutError(f"lacks {theirs}")
        tensor = given[theirs].float()
        weights[ours] = tensor.T.contiguous() if is_matrix else tensor
    if by_layer:
        weights = _rescaled(weights, sizes, lambda layer: 1 / (layer + 1))
        return PublishedWeights(
            weights,
            sizes | {"layer_scaled_attention": True},
            vocabulary=vocabulary,
            model="amt_small",
            transforms="transforms=[arrival_times]" if vocabulary == SIZE else "",
        )
    return PublishedWeights(weights, sizes, vocabulary=vocabulary)


@to_transformers.register
def _gpt2(net: GPT2, vocabulary: Vocabulary) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What ``transformers.GPT2LMHeadModel.from_pretrained`` reads."""
    config = {
        **_EXPECTED,
        _BY_LAYER: net.layer_scaled_attention,
        "architectures": ["GPT2LMHeadModel"],
        "vocab_size": vocabulary.size,
        **{theirs: getattr(net, ours) for ours, theirs in _SIZES.items()},
        "n_positions": net.context,
        "n_ctx": net.context,
        "embd_pdrop": net.dropout,
        "resid_pdrop": net.dropout,
        "attn_pdrop": net.attention_dropout,
        "bos_token_id": vocabulary.first,
        "eos_token_id": None if vocabulary.eos == NO_ID else vocabulary.eos,
    }
    state = net.state_dict()
    if net.layer_scaled_attention:
        sizes = {"width": net.width, "depth": net.depth}
        state = _rescaled(state, sizes, lambda layer: layer + 1)
    tensors = {}
    for ours, (theirs, is_matrix) in _names(net.depth).items():
        tensor = state[ours].detach().to("cpu", torch.float32)
        tensors[f"transformer.{theirs}"] = (tensor.T if is_matrix else tensor).contiguous()
    return config, tensors


def is_layer_scaled(config: Any) -> bool:
    """Whether a config divides attention scores by the number of the layer."""
    return isinstance(config, dict) and config.get(_BY_LAYER) is True


def _rescaled(
    weights: Mapping[str, Tensor], sizes: Mapping[str, int], factor: Callable[[int], float]
) -> dict[str, Tensor]:
    """Weights by our names, those of the queries multiplied by a factor for each layer."""
    rescaled = dict(weights)
    for layer in range(sizes["depth"]):
        for part in ("weight", "bias"):
            name = f"blocks.{layer}.qkv.{part}"
            query, others = rescaled[name].tensor_split([sizes["width"]])
            rescaled[name] = torch.cat([query * factor(layer), others])
    return rescaled


def _sizes(config: Any) -> tuple[int, dict[str, int]]:
    """Number of ids, and the sizes of the network by our names."""
    try:
        vocabulary = config["vocab_size"]
        sizes = {ours: config[theirs] for ours, theirs in _SIZES.items()}
        sizes["context"] = config.get("n_positions", config.get("n_ctx"))
    except (KeyError, TypeError, AttributeError) as error:
        raise LayoutError(f"has a config that does not describe a GPT-2: {error}") from error
    if not all(isinstance(size, int) and size > 0 for size in (vocabulary, *sizes.values())):
        raise LayoutError(
            f"has a config that does not describe a GPT-2: {vocabulary} ids, sizes {sizes}"
        )
    if not isinstance(config.get(_BY_LAYER, False), bool):
        raise LayoutError(f"has {_BY_LAYER}={config[_BY_LAYER]} in its config, not true or false")
    for key, value in _EXPECTED.items():
        if config.get(key, value) != value:
            raise LayoutError(f"has {key}={config[key]} in its config; only {value} can be read")
    if config.get("n_inner") not in (None, 4 * sizes["width"]):
        raise LayoutError(
            f"has n_inner={config['n_inner']} in its config; only 4 x n_embd can be read"
        )
    return vocabulary, sizes


def _names(depth: int) -> dict[str, tuple[str, bool]]:
    """Our parameter names, with theirs and whether the tensor is transposed."""
    names = {
        "embed.weight": ("wte.weight", False),
        "positions.weight": ("wpe.weight", False),
        "norm.weight": ("ln_f.weight", False),
        "norm.bias": ("ln_f.bias", False),
    }
    for layer in range(depth):
        for ours, (theirs, is_matrix) in _PARTS.items():
            names[f"blocks.{layer}.{ours}.weight"] = (f"h.{layer}.{theirs}.weight", is_matrix)
            names[f"blocks.{layer}.{ours}.bias"] = (f"h.{layer}.{theirs}.bias", False)
    return names
