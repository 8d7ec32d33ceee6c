"""GPT-2 weights as Hugging Face keeps them: a folder with config.json and model.safetensors.

OpenAI's layers multiply from the right (x W), so matrices are transposed on the way in and out.
Pickles (``pytorch_model.bin``) are not opened: they can run code.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatch
from pathlib import Path
from typing import Any, cast

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from symbotunes.errors import UserError
from symbotunes.models.gpt2 import GPT2
from symbotunes.tokenizers.base import Vocabulary

CONFIG, WEIGHTS = "config.json", "model.safetensors"
TEXT = ("vocab.json", "merges.txt", "tokenizer.json")  # fetched too, where a repository has them
# Without a connection, the hub's client may raise what its HTTP library does, which is no OSError.
UNREACHABLE: tuple[type[Exception], ...] = (
    LocalEntryNotFoundError,
    OSError,
    *cast("tuple[type[Exception], ...]", HfHubHTTPError.__bases__),
)
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
    "scale_attn_by_inverse_layer_idx": False,
    "tie_word_embeddings": True,
    "add_cross_attention": False,
}


@dataclass(frozen=True)
class Geometry:
    """The sizes of a GPT-2; but for the vocabulary, what ``model.net`` calls them.

    Attributes:
        vocabulary: number of ids.
        width: D.
        depth: L.
        heads: per layer.
        context: number of positions.
    """

    vocabulary: int
    width: int
    depth: int
    heads: int
    context: int

    @property
    def keys(self) -> dict[str, int]:
        """What to set below ``model.net``."""
        names = ("width", "depth", "heads", "context")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Published:
    """Weights under the names of our `GPT2`.

    Attributes:
        weights: for ``GPT2.load_state_dict``.
        geometry: of the network that they fit.
        folder: where they were read from; tokenizer files may lie beside them.
    """

    weights: dict[str, Tensor]
    geometry: Geometry
    folder: Path


def load(source: str | Path) -> Published:
    """Read a local folder, or a repository of the hub such as ``openai-community/gpt2``.

    Raises:
        UserError: if it cannot be reached, is no GPT-2, or holds weights as pickles only.
    """
    folder = Path(source) if Path(source).is_dir() else _download(str(source))
    if not (folder / CONFIG).is_file():
        raise UserError(f"{folder} has no {CONFIG}: it is no folder of a Hugging Face model")
    geometry = _geometry(folder)
    if not (folder / WEIGHTS).is_file():
        _refuse(folder)
    try:
        tensors = load_file(folder / WEIGHTS)
    except (SafetensorError, OSError) as error:
        raise UserError(f"{folder / WEIGHTS} is damaged or truncated: {error}") from error
    return Published(_ours(tensors, geometry, folder), geometry, folder)


def _refuse(folder: Path) -> None:
    if (folder / "model.safetensors.index.json").is_file():
        raise UserError(f"{folder} holds weights in several shards; one {WEIGHTS} can be read")
    if list(folder.glob("*.bin")):
        raise UserError(
            f"{folder} holds weights as a pickle, which can run code and is not opened: "
            f"convert it to {WEIGHTS} (transformers: save_pretrained)"
        )
    raise UserError(f"{folder} has no {WEIGHTS}")


def _download(source: str) -> Path:
    try:
        return Path(snapshot_download(source, allow_patterns=[CONFIG, WEIGHTS, *TEXT]))
    except HFValidationError as error:
        raise UserError(
            f"model.init_from={source} is neither a folder nor the id of a repository (owner/name)"
        ) from error
    except UNREACHABLE as error:
        raise UserError(
            f"{source} cannot be fetched from huggingface.co: put its {CONFIG} and {WEIGHTS} into "
            "a folder and set model.init_from=FOLDER"
        ) from error


def _geometry(folder: Path) -> Geometry:
    try:
        config = json.loads((folder / CONFIG).read_text())
        sizes = [config[key] for key in ("vocab_size", "n_embd", "n_layer", "n_head")]
        sizes.append(config.get("n_positions", config.get("n_ctx")))
    except (ValueError, KeyError, AttributeError) as error:
        raise UserError(f"{folder / CONFIG} does not describe a GPT-2: {error}") from error
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        raise UserError(f"{folder / CONFIG} does not describe a GPT-2: its sizes are {sizes}")
    for key, value in _EXPECTED.items():
        if config.get(key, value) != value:
            raise UserError(f"{folder / CONFIG} has {key}={config[key]}; only {value} can be read")
    if config.get("n_inner") not in (None, 4 * config["n_embd"]):
        raise UserError(f"{folder / CONFIG} has n_inner={config['n_inner']}; only 4 x n_embd fits")
    return Geometry(*sizes)


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


def _ours(tensors: Mapping[str, Tensor], geometry: Geometry, folder: Path) -> dict[str, Tensor]:
    given = {re.sub(r"^transformer\.", "", name): tensor for name, tensor in tensors.items()}
    weights = {}
    for ours, (theirs, is_matrix) in _names(geometry.depth).items():
        if theirs not in given:
            raise UserError(f"{folder / WEIGHTS} lacks {theirs}")
        tensor = given[theirs].float()
        weights[ours] = tensor.T.contiguous() if is_matrix else tensor
    return weights


@singledispatch
def export(net: object, folder: Path, vocabulary: Vocabulary) -> None:  # noqa: ARG001
    """Write what a class of transformers reads, such as ``GPT2LMHeadModel.from_pretrained``.

    Args:
        net: any GPT-2 of ours.
        folder: is made if it does not exist.
        vocabulary: of the network; its ``bos`` and ``eos`` go into the config.

    Raises:
        UserError: if transformers has no class for such a network.
    """
    raise UserError(f"export.transformers=true: {type(net).__name__} is no GPT-2")


@export.register
def _gpt2(net: GPT2, folder: Path, vocabulary: Vocabulary) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    state = net.state_dict()
    tensors = {}
    for ours, (theirs, is_matrix) in _names(net.depth).items():
        tensor = state[ours].detach().to("cpu", torch.float32)
        tensors[f"transformer.{theirs}"] = (tensor.T if is_matrix else tensor).contiguous()
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / CONFIG).write_text(json.dumps(_config(net, vocabulary), indent=2) + "\n")


def _config(net: GPT2, vocabulary: Vocabulary) -> dict[str, Any]:
    return {
        **_EXPECTED,
        "architectures": ["GPT2LMHeadModel"],
        "vocab_size": vocabulary.size,
        "n_embd": net.width,
        "n_layer": net.depth,
        "n_head": net.heads,
        "n_positions": net.context,
        "n_ctx": net.context,
        "embd_pdrop": net.dropout,
        "resid_pdrop": net.dropout,
        "attn_pdrop": net.attention_dropout,
        "bos_token_id": vocabulary.bos,
        "eos_token_id": vocabulary.eos,
    }
