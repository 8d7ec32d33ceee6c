"""Reading the variables of a TensorFlow checkpoint without TensorFlow.

A checkpoint consists of an index and data shards. The index is a sorted table in LevelDB's format:
a footer of 48 bytes points to a block that points to blocks of keys and values, where keys share
prefixes. The key of a variable is its name; its value is a protocol buffer with type, shape, shard,
offset and size. The data are raw numbers. Nothing in such a file can run code, so this module only
guards against damage: every position is checked before it is read.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

MAGIC = 0xDB4775248B80FB57
FOOTER = 48  # bytes: two handles, padding, magic number
TRAILER = 5  # bytes after a block: compression, checksum
DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}  # by TensorFlow's number of the type
MAX_BLOCK = 1 << 28  # bytes; the index of the largest published model takes a few thousand
Fields = dict[int, list[int | bytes]]


class BadCheckpoint(ValueError):
    """Bytes that are not a checkpoint, or a damaged one."""


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


@dataclass
class _Cursor:
    """Reads forward through bytes and never past their end."""

    data: bytes
    position: int = field(default=0)

    def __bool__(self) -> bool:
        return self.position < len(self.data)

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.position:
            raise BadCheckpoint("it ends too early")
        self.position += count
        return self.data[self.position - count : self.position]

    def varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise BadCheckpoint("a number has too many bytes")


def read_index(data: bytes) -> dict[str, Entry]:
    """Every variable of an index file, by name.

    Raises:
        BadCheckpoint: if it is damaged, compressed, or not an index.
    """
    if len(data) < FOOTER or struct.unpack("<Q", data[-8:])[0] != MAGIC:
        raise BadCheckpoint("it is not a TensorFlow index")
    footer = _Cursor(data[-FOOTER:-8])
    _handle(footer)  # of the metaindex block, always empty
    entries: dict[str, Entry] = {}
    for _, handle in _pairs(_block(data, *_handle(footer))):
        for key, value in _pairs(_block(data, *_handle(_Cursor(handle)))):
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


def _handle(cursor: _Cursor) -> tuple[int, int]:
    """Offset and size of a block."""
    return cursor.varint(), cursor.varint()


def _block(data: bytes, offset: int, size: int) -> bytes:
    if size > MAX_BLOCK or offset + size + TRAILER > len(data) - FOOTER:
        raise BadCheckpoint("a block lies outside the file")
    if data[offset + size] != 0:
        raise BadCheckpoint("its index is compressed, which TensorFlow's own never is")
    return data[offset : offset + size]


def _pairs(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values; each key starts with a number of bytes of the previous key."""
    if len(block) < 4:
        raise BadCheckpoint("a block is too short")
    restarts = struct.unpack("<I", block[-4:])[0]  # positions for binary search, not needed here
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise BadCheckpoint("a block is too short")
    cursor, key = _Cursor(block[:end]), b""
    while cursor:
        shared, fresh, size = cursor.varint(), cursor.varint(), cursor.varint()
        if shared > len(key):
            raise BadCheckpoint("a key shares more than there is")
        key = key[:shared] + cursor.take(fresh)
        yield key, cursor.take(size)


def _fields(data: bytes) -> Fields:
    """Fields of a protocol buffer, by number."""
    cursor, fields = _Cursor(data), Fields()
    while cursor:
        number, kind = divmod(cursor.varint(), 8)
        value: int | bytes
        if kind == 0:
            value = cursor.varint()
        elif kind == 2:
            value = cursor.take(cursor.varint())
        elif kind in (1, 5):
            value = cursor.take(8 if kind == 1 else 4)
        else:
            raise BadCheckpoint("a field is of an unknown kind")
        fields.setdefault(number, []).append(value)
    return fields


def _number(fields: Fields, name: int) -> int:
    """The last value of a whole-number field; 0 if it is missing."""
    value = fields.get(name, [0])[-1]
    if not isinstance(value, int) or value >> 63:
        raise BadCheckpoint("a field is not a whole number")
    return value


def _entry(value: bytes) -> Entry:
    fields = _fields(value)
    shape = []
    for message in fields.get(2, []):
        if not isinstance(message, bytes):
            raise BadCheckpoint("a shape is damaged")
        for axis in _fields(message).get(2, []):
            if not isinstance(axis, bytes):
                raise BadCheckpoint("a shape is damaged")
            shape.append(_number(_fields(axis), 1))
    dtype = DTYPES.get(_number(fields, 1)) if 7 not in fields else None  # 7: stored in slices
    location = (_number(fields, name) for name in (3, 4, 5))  # shard, offset, size
    return Entry(dtype, tuple(shape), *location)


def _require_little_endian(header: bytes) -> None:
    if _number(_fields(header), 2) != 0:
        raise BadCheckpoint("it was written on a big-endian machine")
