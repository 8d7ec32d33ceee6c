"""The files of an offline W&B run, once they are written to the end."""

import time
from pathlib import Path

from symbotunes.training.loggers.records import files_of, records

PATIENCE_SECONDS = 300


def closed_files(folder: Path, run_id: str) -> list[Path]:
    """Files of a run, oldest first."""
    return [closed(path) for path in files_of(folder, run_id)]


def closed(path: Path) -> Path:
    """A file that is complete: W&B's own process writes it a moment after the run has ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not any(record.HasField("exit") for record in records(path)):
        assert time.monotonic() < deadline, f"W&B did not close {path}"
        time.sleep(0.02)
    return path
