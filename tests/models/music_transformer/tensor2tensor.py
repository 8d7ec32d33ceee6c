"""Decoders that Tensor2Tensor computed: their variables, ids and logits."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symbotunes.models.music_transformer import MusicTransformer, from_tensor2tensor
from symbotunes.tokenizers.base import Vocabulary

FOLDER = Path(__file__).parents[2] / "files" / "music_transformer"
HEADS = {"absolute_only": 2, "relative_longer_than_distance": 3, "relative_vocabulary_310": 4}


class Case(NamedTuple):
    variables: dict[str, NDArray[np.float32]]
    ids: Tensor
    logits: Tensor


def case_of(name: str) -> Case:
    with np.load(FOLDER / f"{name}.npz") as file:
        arrays = {key.replace("|", "/"): file[key] for key in file.files}
    ids, logits = arrays.pop("ids"), arrays.pop("logits")
    return Case(arrays, torch.tensor(ids.astype(np.int64)), torch.tensor(logits))


def network_of(name: str) -> MusicTransformer:
    """The network of a case; the ids before the first one are 0, which stands for nothing."""
    published = from_tensor2tensor(case_of(name).variables)
    sizes = {"heads": HEADS[name], **published.sizes}
    net = MusicTransformer(Vocabulary(published.vocabulary, bos=0, eos=1), context=64, **sizes)
    net.load_state_dict(published.tensors)
    return net.eval()


def shifted(ids: Tensor) -> Tensor:
    """What predicts the ids: nothing, and all of them but the last."""
    return torch.nn.functional.pad(ids, (1, -1))
