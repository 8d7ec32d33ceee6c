"""Reads the records of a run's ``.wandb`` file, even if the run was killed.

The file is a log in LevelDB's format. After a header of 7 bytes it is divided into blocks of 32
KiB; a record that does not fit into the rest of a block continues in the next. Not W&B's own
reader, because it exists only in Go.
"""

import json
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HEADER, BLOCK = 7, 32 * 1024  # bytes
IDENT = b":W&B"
CHUNK = struct.Struct("<IHB")  # checksum, length in bytes, which part of the record it is
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
STEP = "trainer/global_step"  # the x axis of all metrics


@dataclass(frozen=True)
class Reached:
    """How far a run had progressed; -1 where nothing was logged.

    Attributes:
        row: W&B's own row count.
        step: the trainer's step of the last row.
    """

    row: int = -1
    step: int = -1


def files_of(folder: Path, run_id: str) -> list[Path]:
    """The files of a W&B run in the folder of a training, one per start, oldest first."""
    return sorted((folder / "wandb").glob(f"*run-*_*-{run_id}/run-{run_id}.wandb"), key=started)


def started(path: Path) -> str:
    """When a file was started, from the name of its folder."""
    return path.parent.name.removeprefix("offline-")


def reached(folder: Path, run_id: str, first_row: float = math.inf) -> Reached:
    """How far earlier starts of a W&B run had progressed.

    Args:
        folder: folder of the training.
        run_id: id of the W&B run.
        first_row: first row that the server does not have; rows from there on were lost in upload.
    """
    files = files_of(folder, run_id)
    rows = [row for path in files for row in history(path) if row["_step"] < first_row]
    return Reached(
        row=max((int(row["_step"]) for row in rows), default=-1),
        step=max((int(row.get(STEP, -1)) for row in rows), default=-1),
    )


def history(path: Path) -> list[dict[str, Any]]:
    """The rows of one file, as they were logged; media appear as their descriptions."""
    return [
        {
            "_step": record.history.step.num,
            **{name_of(item): json.loads(item.value_json) for item in record.history.item},
        }
        for record in records(path)
        if record.HasField("history")
    ]


def name_of(item: Any) -> str:
    """The name under which a value was logged."""
    return ".".join(item.nested_key) if item.nested_key else str(item.key)


def records(path: Path) -> Iterator[Any]:
    """Every record of a file as W&B's own message; a truncated or damaged end is skipped."""
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from wandb.proto import wandb_internal_pb2

    message: Any = wandb_internal_pb2  # generated code: its classes are created at import
    for data in messages(path.read_bytes()):
        try:
            yield message.Record.FromString(data)
        except DecodeError:
            return


def messages(content: bytes) -> Iterator[bytes]:
    """The complete records of a file's content as bytes, in order.

    A record is one FULL chunk, or a FIRST chunk, any number of MIDDLE chunks and a LAST one.
    """
    if not content.startswith(IDENT):
        return
    position, record = HEADER, b""
    while position + CHUNK.size <= len(content):
        left = BLOCK - position % BLOCK
        if left < CHUNK.size:  # no room for another chunk header: the rest of the block is padding
            position += left
            continue
        _, length, kind = CHUNK.unpack_from(content, position)
        position += CHUNK.size
        part = content[position : position + length]
        if kind not in (FULL, FIRST, MIDDLE, LAST) or len(part) < length:
            return
        position += length
        record = part if kind in (FULL, FIRST) else record + part
        if kind in (FULL, LAST):
            yield record
