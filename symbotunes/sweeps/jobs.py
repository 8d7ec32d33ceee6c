"""The files of a sweep job: ``job.yaml``, its frozen config, and ``job.json``, its state."""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from symbotunes.files import atomic_write, finite, read_json
from symbotunes.system.owner import Owner
from symbotunes.training.run_folder import last_heard, status_of

CONFIG, STATE, ERROR = "job.yaml", "job.json", "error.txt"
PLAN = "planned.json"  # in the folder of the sweep: the overrides of all jobs, by number


@dataclass(frozen=True)
class Job:
    """One job as recorded in its folder, even while it runs.

    Attributes:
        folder: folder of the job.
        number: number of the job in its sweep, which is the folder's name.
        overrides: overrides of the job, as ``key=value``.
        status: ``not started``, ``running``, ``finished``, ``interrupted``, ``failed`` or
            ``killed``.
        value: the value that the sweep minimizes.
        error: why it did not finish: the last line of ``error.txt``, or the signal that ended it;
            of a job that runs on another machine, when it was last heard of.
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
    def outcome(self) -> str:
        """How the job went, with the reason: ``killed (signal 9; perhaps out of memory)``."""
        if not self.error:
            return self.status
        failed = self.status == "failed"
        return f"failed: {self.error}" if failed else f"{self.status} ({self.error})"

    @property
    def samples(self) -> Path | None:
        """The newest listening page."""
        pages = sorted(self.folder.glob("samples/*/index.html"), key=lambda p: p.stat().st_mtime)
        return pages[-1] if pages else None


def read_jobs(sweep: Path) -> list[Job]:
    """The jobs of a sweep by number, with those that it has not come to."""
    planned = read_json(sweep / PLAN).get("jobs", [])
    folders = [path for path in sweep.iterdir() if path.name.isdecimal() and path.is_dir()]
    numbers = {int(path.name) for path in folders} | set(range(len(planned)))
    jobs = [read_job(sweep / str(number)) for number in sorted(numbers)]
    return [
        replace(job, overrides=tuple(planned[job.number]))
        if not job.overrides and job.number < len(planned)
        else job
        for job in jobs
    ]


def read_job(folder: Path) -> Job:
    """Read a job from its folder; anything that does not exist yet stays empty."""
    state, run = read_json(folder / STATE), read_json(folder / "run.json")
    status, error = state_of(state, run)
    return Job(
        folder=folder,
        number=int(folder.name),
        overrides=tuple(state.get("overrides", ())),
        status=status,
        value=state.get("value"),
        error=error or last_line(folder / ERROR),
        run=run,
    )


def state_of(state: Mapping[str, Any], run: Mapping[str, Any]) -> tuple[str, str | None]:
    """The status of a job and the reason for it, whether or not its process lived to record them.

    Args:
        state: contents of ``job.json``.
        run: contents of ``run.json``, which a training renews while it lives.
    """
    if not state:
        return "not started", None
    status = status_of(state)
    reason = state.get("reason")
    if status == "killed" and reason is None:
        reason = "its process has ended without a word: perhaps out of memory"
    owner = Owner.of(state)
    if status == "running" and (owner is None or not owner.is_here):
        newest = max((state, run), key=lambda record: str(record.get("updated_utc", "")))
        host = f"on {state['host']}, " if state.get("host") else ""
        reason = f"{host}{last_heard(newest)}"
    return status, reason


def record_the_dead(jobs: Iterable[Job]) -> None:
    """Write into the folders of jobs that were killed that they were, where that is possible."""
    for job in jobs:
        state = read_json(job.folder / STATE)
        if job.status == "killed" and state.get("status") == "running":
            with suppress(OSError):  # the sweep of someone else
                note(job.folder, status="killed", reason=job.error)


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
    # A search does not know the settings of jobs that it has not come to.
    settings = [dict(map(split, job.overrides)) for job in jobs if job.overrides]
    for setting in settings:
        for key in setting:
            values.setdefault(key, {other.get(key) for other in settings})
    return [key for key, choices in values.items() if len(choices) > 1]


def split(override: str) -> tuple[str, str]:
    """Split ``key=value`` into key and value."""
    key, _, value = override.partition("=")
    return key.lstrip("+~"), value
