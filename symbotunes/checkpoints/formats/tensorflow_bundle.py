"""Reading the variables of a TensorFlow checkpoint without TensorFlow.

A checkpoint consists of an index and data shards. The index is a table (`tensorflow_table`): the
key of a variable is its name; its value is a protocol buffer with type, shape, shard, offset and
size. The data are raw numbers. Nothing in such a file can run code, so this module only guards
against damage: every position is checked before it is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.checkpoints.formats.tensorflow_table import (
    BadCheckpoint,
    fields_of,
    messages,
    number,
    read_shape,
    read_table,
)

DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}  # by TensorFlow's number of the type


@dataclass(frozen=True)
class Entry:
    """Where the data of a variable are.

    Attributes:
        dtype: numpy's name of its type; ``None`` for types that are not plain numbers.
        shape: its axes.
        shard: number of the data file.
        offset: of its first byte in the file.
        size: in bytes.
    """

    dtype: str | None
    shape: tuple[int, ...]
    shard: int = 0
    offset: int = 0
    size: int = 0


def read_index(data: bytes) -> dict[str, Entry]:
    """Every variable of an index file, by name.

    Raises:
        BadCheckpoint: if it is damaged, compressed, or not an index.
    """
    entries: dict[str, Entry] = {}
    for key, value in read_table(data):
        if key == b"":
            _require_little_endian(value)
        else:
            entries[key.decode("utf-8", "replace")] = _entry(value)
    return entries


def read_variables(
    entries: Mapping[str, Entry], shards: Mapping[int, IO[bytes]]
) -> dict[str, NDArray[Any]]:
    """The arrays of an index, read from its data files in their order.

    Variables that are not plain numbers are left out.

    Raises:
        BadCheckpoint: if a file is missing or too short, or a size and shape disagree.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].shard, item[1].offset)):
        if entry.dtype is None:
            continue
        dtype = np.dtype(entry.dtype)
        count = 1
        for axis in entry.shape:
            count *= axis
        if count * dtype.itemsize != entry.size:
            raise BadCheckpoint(f"{name} has {entry.size} bytes for shape {entry.shape}")
        if entry.shard not in shards:
            raise BadCheckpoint(f"its data file {entry.shard} is missing")
        shards[entry.shard].seek(entry.offset)
        content = shards[entry.shard].read(entry.size)
        if len(content) != entry.size:
            raise BadCheckpoint(f"its data file {entry.shard} ends before {name}")
        arrays[name] = np.frombuffer(content, dtype).reshape(entry.shape)
    return arrays


def _entry(value: bytes) -> Entry:
    fields = fields_of(value)
    shape = [axis for message in messages(fields, 2) for axis in read_shape(message)]
    dtype = DTYPES.get(number(fields, 1)) if 7 not in fields else None  # 7: stored in slices
    location = (number(fields, name) for name in (3, 4, 5))  # shard, offset, size
    return Entry(dtype, tuple(shape), *location)


def _require_little_endian(header: bytes) -> None:
    if number(fields_of(header), 2) != 0:
        raise BadCheckpoint("it was written on a big-endian machine")
