"""The variables of a Magenta bundle (``.mag``), read without TensorFlow or Magenta.

A bundle is a protocol buffer around one file, a checkpoint in TensorFlow's first format: a table
(`tensorflow_table`) whose empty key names all variables with their types and shapes, and whose
other values hold the numbers themselves. Nothing in it can run code: the graph that it also holds
is never looked at. Sizes are bounded by the file's own, which is bounded too.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.checkpoints.formats.tensorflow_table import (
    BadCheckpoint,
    Fields,
    fields_of,
    messages,
    number,
    read_shape,
    read_table,
)
from symbotunes.errors import UserError

BUNDLE = ".mag"
MAX_BYTES = 1 << 29  # of a bundle; a published Performance RNN has about 25 MB of weights
MAX_NAME = 80  # characters
NUMBERS = {1: (5, "<f4"), 2: (6, "<f8")}  # TensorFlow's number of a type -> field, numpy's name
Array = NDArray[Any]


@dataclass(frozen=True)
class Bundle:
    """What a bundle holds.

    Attributes:
        id: the authors' name of the configuration.
        variables: arrays by their names in TensorFlow; whole numbers, such as a count of steps, are
            left out.
    """

    id: str
    variables: dict[str, Array]


def read_bundle(path: Path) -> Bundle:
    """Read a bundle.

    Raises:
        UserError: if there is none, or it is damaged or too large.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path} is larger than {MAX_BYTES >> 20} MiB; it is not opened")
        fields = fields_of(path.read_bytes())
        details = fields_of(_only(fields, 1, "description"))
        name = _only(details, 1, "name").decode("utf-8", "backslashreplace")
        return Bundle(name[:MAX_NAME], read_first_format(_only(fields, 2, "checkpoint")))
    except FileNotFoundError as error:
        raise UserError(f"no file at {path}; set model.init_from=PATH") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except BadCheckpoint as error:
        raise UserError(f"{path} cannot be read: {error}") from error


def read_first_format(data: bytes) -> dict[str, Array]:
    """The arrays of a checkpoint in TensorFlow's first format, by name.

    Raises:
        BadCheckpoint: if it is damaged, or a variable is stored in several slices.
    """
    listed: dict[str, tuple[int, tuple[int, ...]]] | None = None
    variables: dict[str, Array] = {}
    for key, value in read_table(data):
        fields = fields_of(value)
        if key == b"":
            if listed is not None:
                raise BadCheckpoint("it lists its variables twice")
            listed = _listed(fields_of(_only(fields, 1, "list of variables")))
            continue
        slice_ = fields_of(_only(fields, 2, "variable"))
        name = _name(slice_)
        if listed is None or name not in listed or name in variables:
            raise BadCheckpoint(f"it holds {name[:MAX_NAME]} twice, or does not list it")
        array = _array(slice_, name, *listed[name])
        if array is not None:
            variables[name] = array
    return variables


def _listed(fields: Fields) -> dict[str, tuple[int, tuple[int, ...]]]:
    """TensorFlow's number of the type, and the shape, of every variable by its name."""
    found = {}
    for message in messages(fields, 1):
        variable = fields_of(message)
        shape = read_shape(_only(variable, 2, "shape"))
        found[_name(variable)] = number(variable, 3), shape
    return found


def _array(slice_: Fields, name: str, dtype: int, shape: tuple[int, ...]) -> Array | None:
    """The numbers of one variable; ``None`` if they are not floating-point numbers."""
    for message in messages(slice_, 2):
        for axis, extent in zip(shape, messages(fields_of(message), 1), strict=False):
            fields = fields_of(extent)
            if number(fields, 1) != 0 or number(fields, 2) not in (0, axis):
                raise BadCheckpoint(f"{name} is stored in slices")
    tensor = fields_of(_only(slice_, 3, "tensor"))
    if dtype not in NUMBERS:
        return None
    field, kind = NUMBERS[dtype]
    content = b"".join(messages(tensor, field))
    if len(content) != math.prod(shape) * np.dtype(kind).itemsize:
        raise BadCheckpoint(f"{name} has {len(content)} bytes for shape {shape}")
    return np.frombuffer(content, kind).reshape(shape)


def _name(fields: Fields) -> str:
    return _only(fields, 1, "name").decode("utf-8", "backslashreplace")


def _only(fields: Fields, field: int, what: str) -> bytes:
    """The value of a field that occurs once."""
    values = messages(fields, field)
    if len(values) != 1:
        raise BadCheckpoint(f"it has {len(values)} parts where one {what} is expected")
    return values[0]
