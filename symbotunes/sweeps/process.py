"""Each job of a sweep in a fresh process, from its frozen config.

Whatever a job does to its process (CUDA memory, environment, random state, loggers) ends with it,
and no process of a distributed training can draw settings of its own.
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

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

import symbotunes
from symbotunes.config.aliases import modernized
from symbotunes.config.difference import difference
from symbotunes.errors import UserError
from symbotunes.files import atomic_write
from symbotunes.sweeps.jobs import CONFIG, note, read_job, writes_for_all

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


class JobFailed(UserError):
    """A job of the sweep did not finish; its folder says why."""


def run_job(cfg: DictConfig, program: str) -> float | None:
    """Run one job of the sweep, or take what an earlier one like it has found.

    Args:
        cfg: of the job.
        program: module that runs the job in the folder that is its one argument.

    Returns:
        The value that the sweep minimizes. NaN for a failed job of a grid, so that the next ones
        run.

    Raises:
        JobFailed: if the job failed and the sweeper wants to know, as Optuna does.
    """
    grid = "basic_sweeper" in str(HydraConfig.get().sweeper._target_)
    folder = place(cfg, fixed=grid)
    job = read_job(folder)
    if job.status == "finished":
        return job.value
    status = run_process(folder, program)
    job = read_job(folder)
    if writes_for_all() and job.status == "running":  # it had no time to say so itself
        note(folder, status="failed", exit=status)
    if status == 0 and job.value is None and not grid:
        raise JobFailed(
            f"job {job.number} found no value to search by, since it never validated: set "
            "trainer.val_check_interval below trainer.max_steps"
        )
    if status == 0 and (job.value is None or math.isfinite(job.value)):
        return job.value
    if grid:
        return math.nan
    raise JobFailed(f"job {job.number} failed with status {status}; see {folder}")


def place(cfg: DictConfig, *, fixed: bool) -> Path:
    """The job's folder with its frozen config in it.

    Args:
        cfg: of the job.
        fixed: whether another config under the same number is a mistake. Otherwise the next number
            is tried, as a search that goes on draws new settings.

    Raises:
        UserError: if the folder holds another job.
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
        changed = difference(before, OmegaConf.to_container(frozen))
        if changed is None:
            return folder
        if fixed:
            raise UserError(f"{folder} was another job: {changed}")
    raise AssertionError("numbers do not end")


def freeze(cfg: DictConfig, folder: Path, overrides: list[str]) -> DictConfig:
    """The job's config with every interpolation resolved, for its folder."""
    named = cfg.copy()
    with open_dict(named):
        named.paths.run_dir = str(folder)
        named.sweep.name, named.sweep.num = folder.parent.name, int(folder.name)
        named.sweep.overrides = [each for each in overrides if not each.startswith("sweep.resume=")]
        named.sweep.resume = None
        named.resume = "auto"  # a job that comes back goes on
    frozen = OmegaConf.create(OmegaConf.to_container(named, resolve=True))
    assert isinstance(frozen, DictConfig)
    return frozen


def run_process(folder: Path, program: str) -> int:
    """Run the job in its own process and wait; its exit status, 128 + n for signal n.

    A signal goes on to the job, which saves and stops; then it does here what it did before.
    """
    source = str(Path(symbotunes.__file__).parents[1])
    paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
    child = subprocess.Popen(
        [sys.executable, "-m", program, str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    with forwarding(child) as received:
        status = child.wait()
    for signum in received:
        repeat(signum)
    return status if status >= 0 else 128 - status


@contextmanager
def forwarding(child: subprocess.Popen[bytes]) -> Iterator[list[int]]:
    """Pass signals on to the child; the list of those that came."""
    received: list[int] = []

    def forward(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
        received.append(signum)
        child.send_signal(signum)

    try:
        before = {signum: signal.signal(signum, forward) for signum in FORWARDED}
    except ValueError:  # not in the main thread, where signals do not arrive
        yield received
        return
    try:
        yield received
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def repeat(signum: int) -> None:
    """Let a signal that was passed on stop the sweep, or do what the launcher wants of it.

    Raises:
        SystemExit: with 128 plus the signal's number, if nobody else handles it.
    """
    handler = signal.getsignal(signum)
    if callable(handler) and handler is not signal.default_int_handler:
        os.kill(os.getpid(), signum)  # submitit requeues a job in this way
        return
    raise SystemExit(128 + signum)
