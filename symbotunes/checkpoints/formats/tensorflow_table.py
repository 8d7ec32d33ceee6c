"""TensorFlow's tables of keys and values, and the protocol buffers in them.

A table is in LevelDB's format: a footer of 48 bytes points to a block that points to blocks of keys
and values, where keys share prefixes. Every position is checked before it is read.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

MAGIC = 0xDB4775248B80FB57
FOOTER = 48  # bytes: two handles, padding, magic number
TRAILER = 5  # bytes after a block: compression, checksum
MAX_BLOCK = 1 << 28  # bytes; the index of the largest published model takes a few thousand
MAX_AXES = 8
Fields = dict[int, list[int | bytes]]


class BadCheckpoint(ValueError):
    """Bytes that are not a checkpoint, or a damaged one."""


@dataclass
class Cursor:
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


def read_table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a table.

    Raises:
        BadCheckpoint: if it is damaged, compressed, or not a table.
    """
    if len(data) < FOOTER or struct.unpack("<Q", data[-8:])[0] != MAGIC:
        raise BadCheckpoint("it is not a TensorFlow index")
    footer = Cursor(data[-FOOTER:-8])
    _handle(footer)  # of the metaindex block, always empty
    for _, handle in _pairs(_block(data, *_handle(footer))):
        yield from _pairs(_block(data, *_handle(Cursor(handle))))


def _handle(cursor: Cursor) -> tuple[int, int]:
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
    cursor, key = Cursor(block[:end]), b""
    while cursor:
        shared, fresh, size = cursor.varint(), cursor.varint(), cursor.varint()
        if shared > len(key):
            raise BadCheckpoint("a key shares more than there is")
        key = key[:shared] + cursor.take(fresh)
        yield key, cursor.take(size)


def fields_of(data: bytes) -> Fields:
    """Fields of a protocol buffer, by number."""
    cursor, fields = Cursor(data), Fields()
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


def number(fields: Fields, name: int) -> int:
    """The last value of a whole-number field; 0 if it is missing."""
    value = fields.get(name, [0])[-1]
    if not isinstance(value, int) or value >> 63:
        raise BadCheckpoint("a field is not a whole number")
    return value


def messages(fields: Fields, name: int) -> list[bytes]:
    """All values of a field that holds messages or bytes."""
    values = fields.get(name, [])
    if not all(isinstance(value, bytes) for value in values):
        raise BadCheckpoint("a field is not a message")
    return [value for value in values if isinstance(value, bytes)]


def read_shape(message: bytes) -> tuple[int, ...]:
    """The axes of a shape."""
    axes = [number(fields_of(axis), 1) for axis in messages(fields_of(message), 2)]
    if len(axes) > MAX_AXES:
        raise BadCheckpoint("a shape has too many axes")
    return tuple(axes)
