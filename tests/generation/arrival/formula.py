"""A network of the real vocabulary whose weights are a formula, and what the authors compute."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import torch

from symbotunes.models.gpt2 import GPT2, from_transformers
from symbotunes.music.arrival.vocabulary import AUTOREGRESS, SIZE
from symbotunes.tokenizers.base import NO_ID, Vocabulary

FILES = Path(__file__).parents[2] / "files" / "amt"
VECTORS = np.load(FILES / "gpt2_formula.npz")
DESCRIPTION = json.loads((FILES / "gpt2_formula.json").read_text())


def parameter(name: str, number: int, shape: tuple[int, ...]) -> torch.Tensor:
    """A weight by the formula, in float32; matrices as inputs x outputs."""
    index = np.arange(1, int(np.prod(shape)) + 1, dtype=np.float64)
    wave = 43758.5453 * np.sin(12.9898 * index + 78.233 * (number + DESCRIPTION["k_offset"] + 1))
    u = wave - np.floor(wave) - 0.5
    if ".ln_" in f".{name}" and name.endswith("weight"):
        values = 1 + 0.4 * u
    elif name.endswith("c_attn.weight"):
        values = 3 * u
    elif name == "wte.weight":
        values = u
    else:
        values = 0.8 * u
    values = values.reshape(shape)
    if name == "wte.weight":
        values[:10_000, 0] = 2 - np.arange(10_000) / 1500
    if name == "ln_f.bias":
        values[0] = 3
    return torch.from_numpy(values.astype(np.float32))


@cache
def formula_network() -> GPT2:
    """The network, in eval mode."""
    config = DESCRIPTION["config"]
    width = config["n_embd"]
    shapes = {
        "wte.weight": (SIZE, width), "wpe.weight": (1024, width),
        "attn.c_attn.weight": (width, 3 * width), "attn.c_attn.bias": (3 * width,),
        "attn.c_proj.weight": (width, width), "mlp.c_fc.weight": (width, 4 * width),
        "mlp.c_fc.bias": (4 * width,), "mlp.c_proj.weight": (4 * width, width),
    }  # fmt: skip
    tensors = {}
    for number, name in enumerate(DESCRIPTION["parameter_order"]):
        kind = name.split(".", 2)[-1] if name.startswith("h.") else name
        tensors[name] = parameter(name, number, shapes.get(kind, (width,)))
    published = from_transformers(config, tensors)
    net = GPT2(Vocabulary(SIZE, AUTOREGRESS, NO_ID), **published.sizes)
    net.load_state_dict(published.tensors)
    return net.eval()
