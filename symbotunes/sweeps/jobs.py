"""The files of a sweep job: ``job.yaml``, its frozen config, and ``job.json``, its state."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from symbotunes.files import atomic_write, finite, read_json

CONFIG, STATE, ERROR = "job.yaml", "job.json", "error.txt"


@dataclass(frozen=True)
class Job:
    """One job as recorded in its folder, even while it runs.

    Attributes:
        folder: folder of the job.
        number: number of the job in its sweep, which is the folder's name.
        overrides: overrides of the job, as ``key=value``.
        status: ``running``, ``finished``, ``interrupted``, ``failed`` or ``missing``.
        value: the value that the sweep minimizes.
        error: the last line of ``error.txt``.
        run: contents of ``run.json``.
    """

    folder: Path
    number: int
    overrides: tuple[str, ...]
    status: str
    value: float | None
    error: str | None
    run: dict[str, Any]

    @property
    def samples(self) -> Path | None:
        """The newest listening page."""
        pages = sorted(self.folder.glob("samples/*/index.html"), key=lambda p: p.stat().st_mtime)
        return pages[-1] if pages else None


def read_jobs(sweep: Path) -> list[Job]:
    """The jobs of a sweep by number."""
    folders = [path for path in sweep.iterdir() if path.name.isdecimal() and path.is_dir()]
    return [read_job(folder) for folder in sorted(folders, key=lambda path: int(path.name))]


def read_job(folder: Path) -> Job:
    """Read a job from its folder; anything that does not exist yet stays empty."""
    state = read_json(folder / STATE)
    return Job(
        folder=folder,
        number=int(folder.name),
        overrides=tuple(state.get("overrides", ())),
        status=str(state.get("status", "missing")),
        value=state.get("value"),
        error=last_line(folder / ERROR),
        run=read_json(folder / "run.json"),
    )


def note(folder: Path, **changes: Any) -> None:
    """Update ``job.json``; numbers that are not finite become null."""
    state = read_json(folder / STATE) | changes
    state["updated_utc"] = datetime.now(UTC).isoformat(timespec="seconds")
    text = json.dumps(finite(state), indent=2, ensure_ascii=False, allow_nan=False)
    atomic_write(folder / STATE, text + "\n")


def last_line(path: Path) -> str | None:
    """The last line of an error file, or ``None`` if there is none."""
    try:
        lines = path.read_text(encoding="utf-8").strip().splitlines()
    except OSError:
        return None
    return lines[-1] if lines else None


def varied(jobs: Sequence[Job]) -> list[str]:
    """Keys whose values differ between jobs, in the order of the command line."""
    values: dict[str, set[str | None]] = {}
    settings = [dict(split(override) for override in job.overrides) for job in jobs]
    for setting in settings:
        for key in setting:
            values.setdefault(key, {other.get(key) for other in settings})
    return [key for key, choices in values.items() if len(choices) > 1]


def split(override: str) -> tuple[str, str]:
    """Split ``key=value`` into key and value."""
    key, _, value = override.partition("=")
    return key.lstrip("+~"), value
