"""Magenta's Performance RNN under our names.

A kernel holds the rows of inputs and units together, ``[I + D, 4 D]``, with gates in the order
input, candidate, forget, output; 1 is added to the forget gate when the cell runs. Ours hold rows
apart, in PyTorch's order, with that 1 in the bias.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from symbotunes.models.performance_rnn.network import FORGET_BIAS
from symbotunes.models.published import LayoutError, PublishedWeights

Array = NDArray[Any]
CELL = re.compile(r"rnn/multi_rnn_cell/cell_(\d+)/basic_lstm_cell/(?:(kernel|weights)|bias(?:es)?)")
OUTPUT = re.compile(r"fully_connected/(?:(kernel|weights)|bias(?:es)?)")
MODULO = 16  # numbers per event
CONTROLS: Mapping[int, tuple[str, ...]] = {
    0: (),
    8: ("density",),
    12: ("pitches",),
    20: ("density", "pitches"),
}  # by how many numbers precede the event
CONFIGS: Mapping[str, tuple[str, tuple[str, ...]]] = {  # name of a bundle -> inputs, controls
    "performance": ("one_hot", ()),
    "performance_with_dynamics": ("one_hot", ()),
    "performance_with_dynamics_and_modulo_encoding": ("modulo", ()),
    "density_conditioned_performance_with_dynamics": ("one_hot", ("density",)),
    "pitch_conditioned_performance_with_dynamics": ("one_hot", ("pitches",)),
    "multiconditioned_performance_with_dynamics": ("one_hot", ("density", "pitches")),
}
PLAIN = 356  # ids without velocity


def is_performance_rnn(variables: Mapping[str, Array]) -> bool:
    """Whether variables look like those of Magenta's recurrent networks for events."""
    return any(CELL.fullmatch(name) for name in variables)


def from_magenta(variables: Mapping[str, Array], config: str | None = None) -> PublishedWeights:
    """Weights for ``PerformanceRNN.load_state_dict``.

    Args:
        variables: arrays by their names in TensorFlow; those of an optimizer are skipped.
        config: the authors' name of the configuration, if the weights come with one.

    Raises:
        LayoutError: if a variable is missing or of another shape, or the configuration is another.
    """
    if config is not None and config not in CONFIGS:
        raise LayoutError(f"is a bundle of {config[:80]!r}; known are {', '.join(CONFIGS)}")
    layers = _layers(variables)
    matrix, bias = _pair(variables, OUTPUT, "fully_connected")
    widths = [len(cell_bias) // 4 for _, cell_bias in layers]
    inputs = [len(kernel) - width for (kernel, _), width in zip(layers, widths, strict=True)]
    _require_fit(layers, inputs, widths)
    if matrix.shape != (widths[-1], len(bias)):
        raise LayoutError(f"has an output layer of shape {matrix.shape}, {bias.shape}")
    weights: dict[str, Array] = {}
    for layer, (kernel, cell_bias) in enumerate(layers):
        weights |= _cell(layer, kernel, cell_bias, inputs[layer])
    weights |= {"head.weight": matrix.T, "head.bias": bias}
    size = len(bias)
    sizes = _sizes(inputs[0], size, widths)
    if config is not None and (sizes["inputs"], tuple(sizes["controls"])) != CONFIGS[config]:
        raise LayoutError(f"is named {config}, and reads {inputs[0]} numbers per step")
    velocities = f" transforms.performance.velocities={size - PLAIN}"
    return PublishedWeights(
        {
            name: torch.tensor(np.ascontiguousarray(array, np.float32))
            for name, array in weights.items()
        },
        sizes,
        vocabulary=size,
        model="performance_rnn",
        transforms=f"transforms=[performance]{velocities}",
    )


def _layers(variables: Mapping[str, Array]) -> list[tuple[Array, Array]]:
    """Kernel and bias of each layer, in order."""
    cells: dict[int, dict[str, Array]] = {}
    for name, array in variables.items():
        if match := CELL.fullmatch(name):
            cells.setdefault(int(match[1]), {})[name] = array
    if not cells or sorted(cells) != list(range(len(cells))):
        raise LayoutError("is not a Performance RNN that can be read: it lacks layers of an LSTM")
    return [_pair(cells[number], CELL, f"cell_{number}") for number in sorted(cells)]


def _pair(
    variables: Mapping[str, Array], pattern: re.Pattern[str], what: str
) -> tuple[Array, Array]:
    """The matrix and the bias among variables; the last group of the pattern tells which."""
    found = {}
    for name, array in variables.items():
        if match := pattern.fullmatch(name):
            found[match[match.re.groups] is not None] = array
    if set(found) != {True, False}:
        raise LayoutError(f"is incomplete: it lacks weights of {what}")
    if found[True].ndim != 2 or found[False].ndim != 1:
        raise LayoutError(f"has weights of {what} of unknown shape")
    return found[True], found[False]


def _require_fit(
    layers: Sequence[tuple[Array, Array]], inputs: Sequence[int], widths: Sequence[int]
) -> None:
    """Raise `LayoutError` at the first layer that does not read what the one before it writes."""
    for layer, (kernel, bias) in enumerate(layers):
        expected = inputs[0] if layer == 0 else widths[layer - 1]
        whole = len(bias) == 4 * widths[layer] == kernel.shape[1] > 0
        if not whole or inputs[layer] != expected or inputs[layer] < 1:
            raise LayoutError(f"has shapes {kernel.shape}, {bias.shape} in layer {layer}")


def _cell(layer: int, kernel: Array, bias: Array, inputs: int) -> dict[str, Array]:
    i, g, f, o = np.split(kernel, 4, axis=1)
    both = np.concatenate([i, f, g, o], axis=1).T  # [4 D, I + D]
    i, g, f, o = np.split(bias, 4)
    return {
        f"layers.{layer}.weight_ih_l0": both[:, :inputs],
        f"layers.{layer}.weight_hh_l0": both[:, inputs:],
        f"layers.{layer}.bias_ih_l0": np.concatenate([i, f + FORGET_BIAS, g, o]),
        f"layers.{layer}.bias_hh_l0": np.zeros_like(bias),
    }


def _sizes(inputs: int, size: int, widths: Sequence[int]) -> dict[str, Any]:
    """The arguments of the network that reads so many numbers per step and has so many ids."""
    if inputs == MODULO:
        return {"widths": list(widths), "inputs": "modulo", "controls": []}
    if size < PLAIN or inputs - size not in CONTROLS:
        raise LayoutError(f"reads {inputs} numbers per step for {size} ids; no configuration does")
    return {
        "widths": list(widths),
        "inputs": "one_hot",
        "controls": list(CONTROLS[inputs - size]),
    }
