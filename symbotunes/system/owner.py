"""Which process a record is about, and whether it still lives."""

import os
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

import psutil

# The time at which a process started is derived from the clock, which may be set meanwhile.
CLOCK_SECONDS = 60.0


@dataclass(frozen=True)
class Owner:
    """A process, as ``run.json``, ``job.json`` and the owners of locks record it.

    Attributes:
        pid: its number, which the system gives to another process after its end.
        host: the machine.
        pid_started: when it started, in seconds since the epoch, which tells it from that other.
    """

    pid: int
    host: str
    pid_started: float

    @classmethod
    def this_process(cls) -> Self:
        """The process that runs this."""
        pid = os.getpid()
        return cls(pid, platform.node(), round(psutil.Process(pid).create_time(), 2))

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self | None:
        """The process that wrote a record; ``None`` if it does not say, as in earlier versions."""
        try:
            return cls(int(record["pid"]), str(record["host"]), float(record["pid_started"]))
        except (LookupError, TypeError, ValueError):
            return None

    def as_dict(self) -> dict[str, Any]:
        """What a record holds of it."""
        return asdict(self)

    @property
    def is_here(self) -> bool:
        """Whether it ran on this machine, so that `is_dead` can tell."""
        return self.host == platform.node()

    @property
    def is_dead(self) -> bool:
        """Whether it is known to have ended; those of other machines are not."""
        if not self.is_here:
            return False
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:  # ended, and its parent has not noticed
                return True
            return bool(abs(process.create_time() - self.pid_started) > CLOCK_SECONDS)
        except psutil.NoSuchProcess:
            return True
        except psutil.AccessDenied:
            return False

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def writes_for_all() -> bool:
    """Whether this process writes for a job that runs as several processes."""
    return all(os.environ.get(name, "0") == "0" for name in ("SLURM_PROCID", "LOCAL_RANK"))


def utc_now() -> str:
    """The current time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def age(utc: object) -> str:
    """How long ago a time in ISO 8601 was, such as ``3 h ago``; empty if it is no such time."""
    try:
        seconds = time.time() - datetime.fromisoformat(str(utc)).timestamp()
    except ValueError:
        return ""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return f"{max(0, seconds):.0f} s ago"
