"""Metrics as ``metrics.csv`` in the run folder itself.

Not Lightning's ``CSVLogger``, because it deletes the file of an earlier run in the same folder,
where a resumed run has its own, and holds up to a hundred rows back that a crash would lose.
"""

import math
import time
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from symbotunes.files import atomic_write
from symbotunes.training.metrics_file import (
    FILE,
    Row,
    cell,
    header_of,
    number,
    read_rows,
    rows_of,
    text_of,
)


class RunCsvLogger(Logger):
    """One row per step, one column per metric; empty cells where nothing was logged.

    Existing rows are kept. A resumed run calls `begin`, so that no step appears twice. What cannot
    be written, as on a full disk, is kept for the next time.

    Args:
        save_dir: folder of the run.
        now: a monotonic clock in seconds.
    """

    def __init__(self, save_dir: str | Path, *, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._folder = Path(save_dir)
        self._now = now
        self._began = now()
        self._seconds_before: float | None = None  # of earlier attempts; None until they are read
        self._first_step: int | None = None  # steps that the run has taken when it begins
        self._columns: list[str] = []
        # The file is `_end` bytes of rows that do not change any more, then `_open`: the row of
        # the newest step, which later values may join, and rows that could not be written.
        self._end = 0
        self._open: list[Row] = []
        self._changed = False

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
        return self._folder / FILE

    @property
    def last_step(self) -> int | None:
        """Step of the newest row of this attempt, ``None`` before there is one."""
        return int(self._open[-1]["step"]) if self._open else None

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *_: Any, **__: Any) -> None:
        """Does nothing: the run folder contains ``config.yaml``."""

    @rank_zero_only
    def begin(self, step: int) -> None:
        """Start the clock, and drop the rows of optimizer steps that are about to be repeated.

        Args:
            step: optimizer steps taken so far.
        """
        self._first_step, self._began = step, self._now()
        self._seconds_before = None
        if self.path.exists():
            self._attempt(self._continue)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        number_of_step = str(step or 0)
        if not self._open or self._open[-1]["step"] != number_of_step:
            elapsed = self._now() - self._began
            self._open.append({"step": number_of_step, "seconds": f"{elapsed:.3f}"})
        self._open[-1] |= {name: cell(value) for name, value in metrics.items()}
        self._changed = True

    @rank_zero_only
    def save(self) -> None:
        """Write the newest row as far as it is known; on a full disk it is kept."""
        if self._changed:
            self._attempt(self._write)

    @rank_zero_only
    def finalize(self, status: str) -> None:  # noqa: ARG002
        self.save()

    def _attempt(self, act: Callable[[], None]) -> None:
        try:
            act()
        except OSError:  # checkpoints warn about the same disk, and training continues
            return

    def _continue(self) -> None:
        """Read what earlier attempts wrote; rewrite it if it has rows to drop, or another form."""
        rows = read_rows(self.path)
        repeated_after = math.inf if self._first_step is None else self._first_step
        kept = [row for row in rows if int(row["step"]) <= repeated_after]
        columns = header_of(kept)
        content = text_of(kept, columns, header=True)
        if not self.path.exists() or self.path.read_bytes() != content:
            atomic_write(self.path, content)
        if self._seconds_before is None:  # also the time of steps that are repeated: it has passed
            seconds = (number(row["seconds"]) for row in rows if row["seconds"])
            self._seconds_before = max(seconds, default=0.0)
        self._columns, self._end, self._first_step = columns, len(content), None

    def _write(self) -> None:
        if self._seconds_before is None or size_of(self.path) < self._end:
            self._continue()
        new = [name for row in self._open for name in row if name not in self._columns]
        if new:  # columns are kept in the order in which they first appeared
            columns = list(dict.fromkeys((*self._columns, *new)))
            with self.path.open("rb") as file:
                content = text_of(rows_of(file.read(self._end)), columns, header=True)
            atomic_write(self.path, content + self._lines(self._open, columns))
            self._columns, self._end = columns, len(content)
        else:
            with self.path.open("r+b") as file:
                file.seek(self._end)
                file.write(self._lines(self._open, self._columns))
                file.truncate()
        self._end += len(self._lines(self._open[:-1], self._columns))
        self._open = self._open[-1:]
        self._changed = False

    def _lines(self, rows: list[Row], columns: list[str]) -> bytes:
        """Rows as bytes, their seconds since the training began for the first time."""
        before = self._seconds_before or 0.0
        total = [{**row, "seconds": cell(round(before + float(row["seconds"]), 3))} for row in rows]
        return text_of(total, columns)


def size_of(path: Path) -> int:
    """Bytes of a file; -1 if somebody has removed it."""
    return path.stat().st_size if path.exists() else -1
