"""``metrics.csv`` of a run: how its rows are read and written.

The first columns are ``step``, the number of optimizer steps taken, and ``seconds``, the time since
the training began, over all attempts of a run that was resumed. Earlier versions wrote no seconds,
counted steps from 0 and gave the training and validation values of a step rows of their own.
"""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from symbotunes.files import read_json
from symbotunes.training.run_folder import RECORD

FILE = "metrics.csv"
FIRST = ("step", "seconds")  # columns of every file

Row = dict[str, str]


def read_rows(path: Path) -> list[Row]:
    """The rows of a file, those of earlier versions as this one writes them.

    Lines that a crash cut short, and whatever follows something unreadable, are left out.

    Raises:
        OSError: if the file exists and cannot be read.
    """
    if not path.exists():
        return []
    return rows_of(path.read_bytes())


def rows_of(content: bytes) -> list[Row]:
    """The rows in the content of a file, see `read_rows`."""
    reader = csv.DictReader(io.StringIO(content.decode(errors="replace"), newline=""))
    rows: list[Row] = []
    with suppress(csv.Error):  # not one of our lines; what came before it is kept
        rows.extend(row for row in reader if is_whole(row))
    return rows if not rows or "seconds" in rows[0] else _modernized(rows)


def _modernized(rows: Iterable[Row]) -> list[Row]:
    """Rows of earlier versions: one for each step, counted from 1, with no seconds."""
    by_step: dict[str, Row] = {}
    for row in rows:
        step = str(int(row["step"]) + 1)
        merged = by_step.setdefault(step, {**row, "step": step, "seconds": ""})
        merged |= {name: value for name, value in row.items() if value and name != "step"}
    return list(by_step.values())


def is_whole(row: Mapping[str | None, Any]) -> bool:
    """Whether a row has a step and all of its cells."""
    if None in row or None in row.values():
        return False
    return str(row.get("step", "")).isdecimal()


def header_of(rows: Sequence[Row]) -> list[str]:
    """Columns of the rows read from a file, or of a new file."""
    return list(dict.fromkeys((*FIRST, *(rows[0] if rows else ()))))


def text_of(rows: Iterable[Row], columns: Sequence[str], *, header: bool = False) -> bytes:
    """Rows as lines of a file, empty cells where a row has no value."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def cell(value: float) -> str:
    """Format a number: integers without a decimal point, others to nine significant digits."""
    value = float(value)
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.9g}"


def number(text: str | None) -> float:
    """The number in a cell, NaN if there is none."""
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def cost_until(folder: Path, step: int) -> tuple[float | None, str]:
    """For how many seconds a run had trained at a step, and on which processor.

    ``None`` and an empty text where the folder is not that of a run; ``None`` for a run of an
    earlier version, which wrote no seconds.

    Args:
        folder: of the run.
        step: number of optimizer steps taken.
    """
    record = read_json(folder / RECORD)
    if not record:
        return None, ""
    try:
        rows = read_rows(folder / FILE)
    except OSError:
        rows = []
    times = [number(row["seconds"]) for row in rows if int(row["step"]) <= step]
    known = [seconds for seconds in times if math.isfinite(seconds)]
    return max(known, default=None), str(record.get("device") or "")
