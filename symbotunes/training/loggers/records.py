"""What W&B wrote to disk: the records of a run's ``.wandb`` file, also of one that was killed.

The file is a log of LevelDB's kind. After a header of 7 bytes it is cut into blocks of 32 KiB; a
record that does not fit into the rest of a block goes on in the next. W&B's packages read it in Go
only, so this is written from the format's description.
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
CHUNK = struct.Struct("<IHB")  # checksum, length in bytes, which part of a record it is
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
STEP = "trainer/global_step"  # the x axis of everything that is logged


@dataclass(frozen=True)
class Reached:
    """How far a run had come; -1 where nothing was logged.

    Attributes:
        row: W&B's own count of rows.
        step: the trainer's step of the last row.
    """

    row: int = -1
    step: int = -1


def files_of(folder: Path, run_id: str) -> list[Path]:
    """The files of a W&B run below the folder of a training, one for each start, oldest first."""
    return sorted((folder / "wandb").glob(f"*run-*_*-{run_id}/run-{run_id}.wandb"), key=started)


def started(path: Path) -> str:
    """When a file was begun, as its folder tells it."""
    return path.parent.name.removeprefix("offline-")


def reached(folder: Path, run_id: str, first_row: float = math.inf) -> Reached:
    """How far earlier starts of a W&B run had come.

    Args:
        folder: of the training.
        run_id: of the W&B run.
        first_row: that the server does not have; rows from there on were lost on their way.
    """
    files = files_of(folder, run_id)
    rows = [row for path in files for row in history(path) if row["_step"] < first_row]
    return Reached(
        row=max((int(row["_step"]) for row in rows), default=-1),
        step=max((int(row.get(STEP, -1)) for row in rows), default=-1),
    )


def history(path: Path) -> list[dict[str, Any]]:
    """The rows of one file, as they were logged; media are their descriptions."""
    return [
        {
            "_step": record.history.step.num,
            **{name_of(item): json.loads(item.value_json) for item in record.history.item},
        }
        for record in records(path)
        if record.HasField("history")
    ]


def name_of(item: Any) -> str:
    """The name that a value was logged by."""
    return ".".join(item.nested_key) if item.nested_key else str(item.key)


def records(path: Path) -> Iterator[Any]:
    """Every record of a file as W&B's own message; a torn or damaged end is left out."""
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from wandb.proto import wandb_internal_pb2

    message: Any = wandb_internal_pb2  # generated: its classes are made at import
    for data in messages(path.read_bytes()):
        try:
            yield message.Record.FromString(data)
        except DecodeError:
            return


def messages(content: bytes) -> Iterator[bytes]:
    """The records of a file's content as bytes, in order, as far as they are whole."""
    if not content.startswith(IDENT):
        return
    place, begun = HEADER, b""
    while place + CHUNK.size <= len(content):
        left = BLOCK - place % BLOCK
        if left < CHUNK.size:  # no room for another header: the rest of the block is empty
            place += left
            continue
        _, length, kind = CHUNK.unpack_from(content, place)
        place += CHUNK.size
        part = content[place : place + length]
        if kind not in (FULL, FIRST, MIDDLE, LAST) or len(part) < length:
            return
        place += length
        begun = part if kind in (FULL, FIRST) else begun + part
        if kind in (FULL, LAST):
            yield begun
