"""Magenta's MusicVAE under our names.

Their LSTM kernels hold input and unit rows together, ``[I + D, 4 D]``, with gates in the order
input, candidate, forget, output, and they add 1 to the forget gate when they run; ours hold rows
apart, in PyTorch's order, with that 1 in the bias.
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
FORGET_BIAS = 1.0
NOT_WEIGHTS = re.compile(r"^(global_step|beta[12]_power)$|/(Adam|Adam_1|ExponentialMovingAverage)$")
CELL = r"cell_(?P<layer>\d+)/lstm_cell/(?P<part>kernel|bias)"
CORE = r"(?:core_decoder/(?:core_decoder_(?P<core>\d+)/)?)?decoder"
LSTM_NAMES = {  # their name -> our layer, and what follows the names of its weights
    r"encoder/cell_(?P<layer>\d+)/bidirectional_rnn/(?P<way>fw|bw)/multi_rnn_cell/cell_0/"
    r"lstm_cell/(?P<part>kernel|bias)": "encoder.layers.{layer}",
    rf"{CORE}/multi_rnn_cell/{CELL}": "decoder.cores.{core}.stack.layers.{layer}",
    rf"decoder/hierarchical_level_0/{CELL}": "decoder.conductor.layers.{layer}",
}
DENSE_NAMES = {
    r"encoder/mu/(?P<part>kernel|bias)": "posterior.mean",
    r"encoder/sigma/(?P<part>kernel|bias)": "posterior.std",
    r"decoder/hierarchical_level_0/initial_state/(?P<part>kernel|bias)": "decoder.conductor.state",
    rf"{CORE}/z_to_initial_state/(?P<part>kernel|bias)": "decoder.cores.{core}.stack.state",
    rf"{CORE}/output_projection/(?P<part>kernel|bias)": "decoder.cores.{core}.head.project",
}
NADE_NAMES = {
    rf"{CORE}/nade/w_enc": "decoder.cores.{core}.head.enter",
    rf"{CORE}/nade/w_dec_t": "decoder.cores.{core}.head.leave",
}


def from_magenta(variables: Mapping[str, Array]) -> PublishedWeights:
    """Weights for ``MusicVAE.load_state_dict``.

    Args:
        variables: arrays by their names in TensorFlow; an optimizer's memory among them is skipped.

    Raises:
        LayoutError: if a variable is unknown or missing.
    """
    weights: dict[str, Tensor] = {}
    unknown = []
    for name, array in variables.items():
        if NOT_WEIGHTS.search(name):
            continue
        converted = _convert(name, array)
        if converted is None:
            unknown.append(name)
        weights |= converted or {}
    if unknown:
        raise LayoutError(f"is not a MusicVAE that can be read: it has {', '.join(unknown[:3])}")
    _require_pairs(weights)
    return PublishedWeights(weights)


def _convert(name: str, array: Array) -> dict[str, Tensor] | None:
    """A variable as ours, or ``None`` if there is none such."""
    for table, change in ((LSTM_NAMES, _lstm), (DENSE_NAMES, _dense), (NADE_NAMES, _nade)):
        for pattern, ours in table.items():
            match = re.fullmatch(pattern, name)
            if match is None:
                continue
            groups = {key: value or "0" for key, value in match.groupdict().items()}
            arrays = change(ours.format(**groups), groups, array)
            return {
                key: torch.tensor(np.ascontiguousarray(value, np.float32))
                for key, value in arrays.items()
            }
    return None


def _lstm(ours: str, groups: Mapping[str, str], array: Array) -> dict[str, Array]:
    end = "l0_reverse" if groups.get("way") == "bw" else "l0"
    i, g, f, o = np.split(array, 4, axis=-1)
    if groups["part"] == "bias":
        bias = np.concatenate([i, f + FORGET_BIAS, g, o])
        return {f"{ours}.bias_ih_{end}": bias, f"{ours}.bias_hh_{end}": np.zeros_like(bias)}
    kernel = np.concatenate([i, f, g, o], axis=-1).T  # [4 D, I + D]
    inputs = kernel.shape[1] - kernel.shape[0] // 4
    return {
        f"{ours}.weight_ih_{end}": kernel[:, :inputs],
        f"{ours}.weight_hh_{end}": kernel[:, inputs:],
    }


def _dense(ours: str, groups: Mapping[str, str], array: Array) -> dict[str, Array]:
    if groups["part"] == "bias":
        return {f"{ours}.bias": array}
    return {f"{ours}.weight": array.T}


def _nade(ours: str, groups: Mapping[str, str], array: Array) -> dict[str, Array]:  # noqa: ARG001
    return {ours: array.reshape(len(array), -1)}  # [bits, 1, hidden] or [bits, hidden, 1]


def _require_pairs(weights: Mapping[str, Tensor]) -> None:
    """Raise `LayoutError` if a kernel has no bias, or the other way round, or all is missing."""
    for name in weights:
        other = name.replace("bias", "weight") if "bias" in name else name.replace("weight", "bias")
        if other not in weights:
            raise LayoutError(f"is incomplete: it lacks what would be {other}")
    if not weights:
        raise LayoutError("holds no weights")
