"""Runs each job of a sweep in a fresh process, from its frozen config.

Anything a job does to its process (CUDA memory, environment, random state, loggers) ends with it,
and the processes of a distributed training cannot sample different settings.
"""

import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

import symbotunes
from symbotunes.config.aliases import modernized
from symbotunes.config.build import class_of
from symbotunes.config.difference import difference
from symbotunes.config.earlier import UNREAD, earlier_values, with_earlier
from symbotunes.errors import UserError
from symbotunes.files import atomic_write
from symbotunes.models.quantities import LOSS, NLL
from symbotunes.sweeps.direction import check_direction, in_direction
from symbotunes.sweeps.jobs import CONFIG, Job, note, read_job
from symbotunes.system.owner import writes_for_all
from symbotunes.training.stop_signals import announcements, hangup

KILL = 9  # which Windows does not name


class JobFailed(UserError):
    """A job of the sweep did not finish; its folder has the reason."""


def run_job(cfg: DictConfig, program: str) -> float | None:
    """Run one job of the sweep, or return the result of an identical job that already finished.

    Args:
        cfg: config of the job.
        program: module that runs the job; its only argument is the folder.

    Returns:
        The value that the sweep minimizes, or its opposite for one that maximizes. NaN for a
        failed job of a grid, so that the following jobs run.

    Raises:
        JobFailed: if the job failed and the sweeper needs to know, as Optuna does.
    """
    sweeper = HydraConfig.get().sweeper
    grid = "basic_sweeper" in str(sweeper._target_)
    check_direction(sweeper, cfg)
    folder = place(cfg, fixed=grid)
    job = read_job(folder)
    if job.status == "finished":
        note_quantity(cfg, job)
        return in_direction(value_of(job, grid), sweeper)
    status = run_process(folder, program)
    job = read_job(folder)
    if status == 0:
        return in_direction(value_of(job, grid), sweeper)
    if writes_for_all() and job.status in ("not started", "running", "killed"):
        note(folder, exit=status, **verdict(status))  # which it did not live to record
    if grid:
        return math.nan
    raise JobFailed(f"job {job.number} {read_job(folder).outcome}; see {folder}")


def verdict(status: int) -> dict[str, str]:
    """What ``job.json`` says of a job that ended without a word.

    Args:
        status: exit status of its process, 128 + n for signal n.
    """
    if status == 128 + KILL:
        return {"status": "killed", "reason": f"signal {KILL}; perhaps out of memory"}
    if status > 128:
        return {"status": "killed", "reason": f"signal {status - 128}"}
    reason = f"its process ended with status {status} and did not say why"
    return {"status": "failed", "reason": reason}


def value_of(job: Job, grid: bool) -> float | None:
    """The value of a job that finished; a grid needs none.

    Raises:
        JobFailed: if a search has no number to compare.
    """
    if grid or (job.value is not None and math.isfinite(job.value)):
        return job.value
    raise JobFailed(
        f"job {job.number} has no value to minimize: nothing was validated (are there "
        "validation pieces?), or its loss was never finite (lower "
        "model.optimizer.lr)"
    )


def note_quantity(cfg: DictConfig, job: Job) -> None:
    """Say on stderr if the value of a finished job does not compare with those of new jobs."""
    best = job.run.get("best") or {}
    before, now = str(best.get("quantity", NLL)), getattr(class_of(cfg.model.net), "LOSS", NLL)
    if best.get("metric") == LOSS and before != now:
        print(
            f"note: the val/loss of job {job.number}, {job.value}, is a {before}, and that of new "
            f"jobs is a {now}: they do not compare; start a new sweep to compare all of them",
            file=sys.stderr,
        )


def _comparable(before: Any, now: Any) -> tuple[Any, Any]:
    """Two configs of one job, with what the first did without keys that only the second has."""
    earlier = earlier_values(before, named=())
    with_earlier(before, earlier)
    overrides = now["sweep"]["overrides"]
    # `begin` has put them there; Hydra writes the values in its own way.
    before["sweep"]["overrides"] += [
        word for word in overrides if word.partition("=")[0].lstrip("+~") in earlier
    ]
    for config in (before, now):
        for group in UNREAD:
            config.pop(group, None)
    return before, now


def place(cfg: DictConfig, *, fixed: bool) -> Path:
    """Create the job's folder with its frozen config.

    Args:
        cfg: config of the job.
        fixed: whether a different config under the same number is an error. Otherwise the next
            number is tried, because a resumed search draws new settings.

    Raises:
        UserError: if the folder holds a different job.
    """
    hydra = HydraConfig.get()
    sweep = Path(hydra.sweep.dir).absolute()
    for number in count(int(hydra.job.num)):
        folder = sweep / str(number)
        frozen = freeze(cfg, folder, list(hydra.overrides.task))
        path = folder / CONFIG
        if not path.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            atomic_write(path, OmegaConf.to_yaml(frozen))
            return folder
        before = modernized(OmegaConf.to_container(OmegaConf.load(path)))
        changed = difference(*_comparable(before, OmegaConf.to_container(frozen)))
        if changed is None:
            return folder
        if fixed:
            raise UserError(f"{folder} holds a different job: {changed}")
    raise AssertionError("count() is infinite")


def freeze(cfg: DictConfig, folder: Path, overrides: list[str]) -> DictConfig:
    """The job's config with every interpolation resolved, for running in this folder."""
    named = cfg.copy()
    with open_dict(named):
        named.paths.run_dir = str(folder)
        named.sweep.name, named.sweep.num = folder.parent.name, int(folder.name)
        named.sweep.overrides = [word for word in overrides if not word.startswith("sweep.resume=")]
        named.sweep.resume = None
        named.resume = "auto"  # a job that is restarted resumes
    frozen = OmegaConf.create(OmegaConf.to_container(named, resolve=True))
    assert isinstance(frozen, DictConfig)
    return frozen


def run_process(folder: Path, program: str) -> int:
    """Run the job in its own process and wait; return its exit status, 128 + n for signal n.

    Signals are forwarded to the job, which saves and stops; then they are repeated here with the
    previous handlers.
    """
    source = str(Path(symbotunes.__file__).parents[1])
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", program, str(folder)],  # no file of the current folder
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    with forwarding(child) as received:
        status = child.wait()
    for signum in received:
        repeat(signum)
    return status if status >= 0 else 128 - status


@contextmanager
def forwarding(child: subprocess.Popen[bytes]) -> Iterator[list[int]]:
    """Forward signals to the child; yields the list of those received."""
    received: list[int] = []

    def forward(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
        received.append(signum)
        # On Windows, a console sends its Ctrl-C to the child itself, and no one else can.
        if os.name != "nt" or signum != signal.SIGINT:
            child.send_signal(signum)

    forwarded = (signal.SIGINT, signal.SIGTERM, *hangup(), *announcements())
    try:
        before = {signum: signal.signal(signum, forward) for signum in forwarded}
    except ValueError:  # not in the main thread, where signals do not arrive
        yield received
        return
    try:
        yield received
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def repeat(signum: int) -> None:
    """Let a forwarded signal stop the sweep, or run the launcher's handler for it.

    Raises:
        SystemExit: with 128 plus the signal's number, if there is no other handler.
    """
    handler = signal.getsignal(signum)
    if callable(handler) and handler is not signal.default_int_handler:
        os.kill(os.getpid(), signum)  # submitit requeues a job this way
        return
    raise SystemExit(128 + signum)
