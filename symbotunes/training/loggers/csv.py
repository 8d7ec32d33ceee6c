"""Metrics as ``metrics.csv`` in the run folder itself.

Not Lightning's ``CSVLogger``, because it deletes the file of an earlier run in the same folder,
where a resumed run has its own, and holds up to a hundred rows back that a crash would lose.
"""

import csv
import io
import math
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from symbotunes.files import atomic_write

Row = dict[str, str]


class RunCsvLogger(Logger):
    """One row per step, one column per metric; empty cells where nothing was logged.

    Existing rows are kept. A resumed run calls `drop_from`, so that no step appears twice.

    Args:
        save_dir: folder of the run.
    """

    FILE = "metrics.csv"

    def __init__(self, save_dir: str | Path) -> None:
        super().__init__()
        self._folder = Path(save_dir)
        self._columns: list[str] | None = None  # of the file; None until it has been read
        self._step: int | None = None
        self._pending: Row = {}

    @property
    def name(self) -> str:
        return ""

    @property
    def version(self) -> str:
        return ""

    @property
    def save_dir(self) -> str:
        return str(self._folder)

    @property
    def log_dir(self) -> str:
        """The folder of the file: the run folder, without subfolders for name or version."""
        return str(self._folder)

    @property
    def path(self) -> Path:
        """The file."""
        return self._folder / self.FILE

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *_: Any, **__: Any) -> None:
        """Does nothing: the run folder contains ``config.yaml``."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        step = 0 if step is None else step
        if step != self._step:
            self.save()
            self._step = step
        self._pending |= {name: cell(value) for name, value in metrics.items()}

    @rank_zero_only
    def save(self) -> None:
        """Append pending values; on a full disk they stay pending."""
        if not self._pending:
            return
        row = {"step": str(self._step), **self._pending}
        try:
            self._append(row)
        except OSError:  # checkpoints warn about the same disk, and training continues
            return
        self._pending = {}

    @rank_zero_only
    def finalize(self, status: str) -> None:  # noqa: ARG002
        self.save()

    @rank_zero_only
    def drop_from(self, step: int) -> None:
        """Remove rows of optimizer steps that are about to be repeated.

        Args:
            step: steps already taken; Lightning numbers the next one with it.
        """
        kept = [row for row in self._rows() if int(row["step"]) < step]
        self._rewrite(kept, header_of(kept))

    def _append(self, row: Row) -> None:
        if self._columns is None:
            self._columns = header_of(self._rows())
        if not self.path.exists() or not set(row) <= set(self._columns):
            # Columns are kept in the order in which they first appeared.
            new = [name for name in row if name not in self._columns]
            self._rewrite([*self._rows(), row], [*self._columns, *new])
            return
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self._columns).writerow(row)

    def _rows(self) -> list[Row]:
        """Rows of the file, without a line that was truncated by a crash."""
        if not self.path.exists():
            return []
        with self.path.open(newline="", encoding="utf-8") as file:
            return [row for row in csv.DictReader(file) if is_whole(row)]

    def _rewrite(self, rows: list[Row], columns: list[str]) -> None:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, columns)
        writer.writeheader()
        writer.writerows(rows)
        self._folder.mkdir(parents=True, exist_ok=True)
        atomic_write(self.path, text.getvalue().encode())
        self._columns = columns


def cell(value: float) -> str:
    """Format a number: integers without a decimal point, others to nine significant digits."""
    value = float(value)
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.9g}"


def header_of(rows: list[Row]) -> list[str]:
    """Columns of the rows read from a file, or of a new file."""
    return list(rows[0]) if rows else ["step"]


def is_whole(row: Mapping[str | None, Any]) -> bool:
    """Whether a row has a step and all of its cells."""
    if None in row or None in row.values():
        return False
    return str(row.get("step", "")).isdecimal()
