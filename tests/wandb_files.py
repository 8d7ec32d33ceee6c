"""The files of an offline W&B run, once they are written to the end."""

import time
from pathlib import Path

from symbotunes.loggers.records import files_of, records

PATIENCE_SECONDS = 20


def closed_files(folder: Path, run_id: str) -> list[Path]:
    """Files of a run, oldest first. W&B's own process writes them a moment after it ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        files = files_of(folder, run_id)
        if files and all(any(each.HasField("exit") for each in records(path)) for path in files):
            return files
        assert time.monotonic() < deadline, f"W&B did not close {files} below {folder}"
        time.sleep(0.02)
