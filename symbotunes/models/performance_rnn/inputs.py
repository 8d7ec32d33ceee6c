"""What Performance RNN reads at each step: an event as numbers, and controls before it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.errors import UserError
from symbotunes.music.performance.controls import (
    DENSITY_BORDERS,
    PITCH_CLASSES,
    density_bin,
    note_density,
    pitch_histograms,
)
from symbotunes.music.performance.events import LONGEST_SHIFT, PITCHES, SHIFT

Values = NDArray[np.float64]
CIRCLE = 144  # pitches; with that of the octave, as in the authors' modulo encoding
MOST_DENSITY = 1000.0  # notes per second


@dataclass(frozen=True)
class Control:
    """One kind of control.

    Attributes:
        width: numbers per step.
        measured: ``[T, width]`` numbers of the events ``[T]`` of a piece.
        given: ``[width]`` numbers of what a user asks for; raises ``ValueError`` with what is
            wrong with it.
        default: what is asked for if the user asks for nothing, as in the authors' code.
    """

    width: int
    measured: Callable[[NDArray[np.int64]], Values]
    given: Callable[[Any], Values]
    default: Any


def _density_bins(density: Values) -> Values:
    """One-hot bins ``[..., 8]`` of notes per second."""
    return np.eye(len(DENSITY_BORDERS) + 1)[density_bin(density)]


def _density_given(density: Any) -> Values:
    if isinstance(density, bool) or not isinstance(density, int | float):
        raise ValueError("must be a number of notes per second")
    if not 0 <= density <= MOST_DENSITY:
        raise ValueError(f"must be from 0 to {MOST_DENSITY:g} notes per second")
    (bins,) = _density_bins(np.array([density], np.float64))
    return np.asarray(bins, np.float64)


def _pitches_given(weights: Any) -> Values:
    numbers = [weights] if isinstance(weights, str) or not np.iterable(weights) else list(weights)
    plain = all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers)
    if len(numbers) != PITCH_CLASSES or not plain:
        raise ValueError("must be 12 weights, of C, C#, D and so on")
    values = np.array(numbers, np.float64)
    if not (np.isfinite(values).all() and (values >= 0).all() and values.sum() > 0):
        raise ValueError("must be 12 weights of at least 0, not all of them 0")
    return np.asarray(values / values.sum(), np.float64)


CONTROLS: Mapping[str, Control] = {  # in the order in which the authors' inputs have them
    "density": Control(
        len(DENSITY_BORDERS) + 1,
        lambda ids: _density_bins(note_density(ids)),
        _density_given,
        default=15.0,
    ),
    "pitches": Control(
        PITCH_CLASSES, pitch_histograms, _pitches_given, default=[1.0] * PITCH_CLASSES
    ),
}


def check_controls(controls: Sequence[str]) -> tuple[str, ...]:
    """The names of controls in the order of `CONTROLS`.

    Raises:
        UserError: if there is no control of a name.
    """
    for name in controls:
        if name not in CONTROLS:
            known = ", ".join(CONTROLS)
            raise UserError(f"model.net.controls={list(controls)}: choose from {known}")
    return tuple(name for name in CONTROLS if name in controls)


def measured_controls(names: Sequence[str], ids: NDArray[np.int64]) -> Values:
    """``[T, C]`` numbers of all controls of the events ``[T]`` of a piece."""
    return np.concatenate([CONTROLS[name].measured(ids) for name in names], axis=1)


def given_controls(names: Sequence[str], conditions: Mapping[str, Any]) -> Values:
    """``[C]`` numbers of all controls that a user asks for.

    Raises:
        UserError: if a value cannot be read.
    """
    given = []
    for name in names:
        value = conditions.get(name)
        control = CONTROLS[name]
        try:
            given.append(control.given(control.default if value is None else value))
        except ValueError as error:
            raise UserError(f"sample.{name}={value}: {error}") from error
    return np.concatenate(given) if given else np.zeros(0)


def one_hot_table(size: int) -> Values:
    """``[V, V]``."""
    return np.eye(size)


def modulo_table(size: int) -> Values:
    """``[V, 16]``: pitches, times and velocities as points on circles.

    Of a note-on and a note-off: 1, and cosine and sine on a circle of 144 pitches and on one of an
    octave; of a shift and a velocity: 1, and cosine and sine on a circle of all their values. The
    columns of the other kinds of events are 0.
    """
    pitch, step = np.arange(PITCHES), np.arange(LONGEST_SHIFT)
    velocities = size - SHIFT - LONGEST_SHIFT
    note = np.concatenate([_circle(pitch, CIRCLE), _circle(pitch, PITCH_CLASSES)[:, 1:]], axis=1)
    kinds = [note, note, _circle(step, LONGEST_SHIFT), _circle(np.arange(velocities), velocities)]
    rows = [np.zeros((len(kind), 16)) for kind in kinds]
    for row, kind, column in zip(rows, kinds, (0, 5, 10, 13), strict=True):
        row[:, column : column + kind.shape[1]] = kind
    return np.concatenate(rows)


def _circle(values: NDArray[np.int64], around: int) -> Values:
    """``[N, 3]``: 1, cosine and sine."""
    angle = 2 * np.pi * values / max(around, 1)
    return np.stack([np.ones(len(values)), np.cos(angle), np.sin(angle)], axis=1)


TABLES = {"one_hot": one_hot_table, "modulo": modulo_table}
