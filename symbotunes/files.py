"""Writes files and folders atomically.

Content is written under a temporary name beside the old file and then renamed: a reader sees either
the old content or all of the new.
"""

import json
import math
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any


def why_no_file(path: Path) -> str:
    """Why a path that a user named cannot be read as a file; empty if it can be.

    Not `Path.is_file`, which raises for paths that are too long or below a closed folder.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except FileNotFoundError:
        return "there is no such file"
    except OSError as error:
        return error.strerror or type(error).__name__
    return "" if stat.S_ISREG(mode) else "it is not a file"


def atomic_write(path: Path, data: bytes | str) -> None:
    """Write to a temporary file, then rename it: readers see either the old or the new content.

    Args:
        path: the file; its folder is created if it does not exist.
        data: bytes, or text that is written as UTF-8.
    """
    with atomic_file(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


@contextmanager
def atomic_file(path: Path, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """A file to write to, which takes the place of `path` unless an exception leaves the block.

    Args:
        path: the file; its folder is made if it does not exist.
        durable: whether the bytes are to be on the disk before the name is: for files that a loss
            of power must not leave empty.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with draft.open("wb") as file:
            yield file
        if durable:
            settle(draft, path)
        else:
            draft.replace(path)
    except BaseException as error:
        if isinstance(error, OSError) and error.filename in (None, str(draft)):
            error.filename = str(path)
        with suppress(OSError):  # a folder that cannot be written has none, and is told of already
            draft.unlink(missing_ok=True)
        raise


def settle(draft: Path, path: Path) -> None:
    """Give a whole file its name, once its bytes are on the disk."""
    with draft.open("r+b") as file:  # Windows flushes only what is open for writing
        os.fsync(file.fileno())
    draft.replace(path)


@contextmanager
def atomic_folder(folder: Path, *, draft_name: str | None = None) -> Iterator[Path]:
    """An empty folder to fill, which takes the place of `folder` unless an exception leaves it.

    Args:
        folder: what stands there is removed at the end.
        draft_name: name beside it, for jobs that hold a lock: what a killed one left under it is
            removed. By default every call has a name of its own.

    Raises:
        OSError: if it cannot be written; the error names `folder`, not the temporary one.
    """
    draft = folder.with_name(draft_name or f".{folder.name}.{secrets.token_hex(4)}")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True)
        yield draft
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)
    except OSError as error:
        if error.filename == str(draft):
            error.filename = str(folder)
        raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def finite(value: Any) -> Any:
    """The value, with ``None`` for numbers that JSON cannot represent (a loss may be NaN)."""
    if isinstance(value, dict):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file; empty if there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def remove_drafts(folder: Path) -> None:
    """Remove what killed jobs left of the files of `atomic_file` in a folder and below it.

    Only whoever alone writes there may call it: a draft may still be written to.
    """
    for path in folder.rglob(".*.tmp"):
        if _DRAFT.fullmatch(path.name) and path.is_file():
            path.unlink(missing_ok=True)


_DRAFT = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")
