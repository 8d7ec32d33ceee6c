"""Weights that start a new run: from our checkpoints or from published files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from symbotunes.checkpoint import unpack
from symbotunes.importers.folk_rnn import load_pickle
from symbotunes.importers.magenta import is_magenta, load_magenta


@dataclass(frozen=True)
class Weights:
    """Weights of a network and the vocabulary that they were trained with.

    Attributes:
        tensors: by the network's parameter names.
        tokenizer: state for ``Tokenizer.load_state``; empty where the source says nothing of it.
    """

    tensors: dict[str, Tensor]
    tokenizer: Mapping[str, Any]


def read_weights(path: Path) -> Weights:
    """Read ``model.init_from``: published files of Folk-RNN or Magenta, or a checkpoint of ours.

    Raises:
        UserError: if the file is missing, damaged, or would run code.
    """
    if path.suffix == ".pkl":
        published = load_pickle(path)
        return Weights(published.weights, {"tokens": published.tokens})
    if is_magenta(path):
        return Weights(load_magenta(path), {})
    checkpoint = unpack(path)
    return Weights(checkpoint.weights, checkpoint.tokenizer)
