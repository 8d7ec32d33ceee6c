"""Hooks that run before a run, before the first job of a sweep and after the last one."""

import errno
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, open_dict

from symbotunes.config.aliases import modernized
from symbotunes.config.commands import command, setting, value_of
from symbotunes.config.difference import difference
from symbotunes.config.earlier import UNREAD, as_overrides, earlier_values, with_earlier
from symbotunes.config.folders import make_folder, unwritable
from symbotunes.config.overrides import named_keys
from symbotunes.errors import UserError, first_line, print_error, user_error
from symbotunes.files import atomic_write
from symbotunes.sweeps.direction import check_direction
from symbotunes.sweeps.jobs import PLAN, Job, read_jobs, record_the_dead
from symbotunes.sweeps.report import best_lines, write_sweep_report
from symbotunes.system.owner import writes_for_all
from symbotunes.training.run_folder import refuse_other_run, writes_run_folder

FILE = "sweep.yaml"
NUMBERED = ("${hydra:job.num}", "${hydra.job.num}")  # names of the folders of jobs


class Sweeping(Callback):
    """Makes the folder of a run or sweep.

    It records what a sweep consists of, rejects resuming a different one, and writes its report.
    """

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        with exiting(config):
            # By default paths.run_dir is the folder of hydra.run.dir, which cannot be resolved yet.
            own = OmegaConf.select(config, "paths.run_dir", throw_on_resolution_failure=False)
            if writes_run_folder(config) and config.ckpt is None and writes_for_all():
                refuse_other_run(Path(own or config.hydra.run.dir), resumes=config.resume == "auto")
            # Hydra makes this folder next, with a traceback if it cannot.
            make_folder(Path(config.hydra.run.dir), config)

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        with exiting(config):
            begin(config)
        _open.append(Path(config.hydra.sweep.dir))

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        folder = Path(config.hydra.sweep.dir)
        _open.clear()
        with suppress(OSError):  # a search may end with fewer jobs than it was allowed
            (folder / PLAN).unlink(missing_ok=True)
        if unfinished(folder):
            raise SystemExit(1)


_open: list[Path] = []  # the sweep of this process, until it ends


@contextmanager
def closing_sweep() -> Iterator[None]:
    """Report a sweep that does not come to its end, and say how to resume it."""
    try:
        yield
    except BaseException:
        while _open:
            folder = _open.pop()
            if not remove_if_no_job_began(folder) and unfinished(folder):
                words = [word for word in sys.argv[1:] if not word.startswith("sweep.resume=")]
                print(f"To resume: {command({'sweep.resume': folder}, words)}", flush=True)
        raise


def unfinished(folder: Path) -> list[Job]:
    """Write the report of a sweep, and name the jobs that did not finish, which are returned."""
    jobs = read_jobs(folder)
    record_the_dead(jobs)
    for job in jobs:
        if job.status != "finished" or job.error:
            print(f"job {job.number} {job.outcome} ({job.folder})", file=sys.stderr)
    try:
        page = write_sweep_report(folder)
        print(*filter(None, (best_lines(folder), f"Report  {page}")), sep="\n", flush=True)
    except Exception as error:  # the jobs have finished, or failed, whatever their page says
        print(f"no report of {folder}: {first_line(error)}", file=sys.stderr)
    return [job for job in jobs if job.status != "finished"]


def remove_if_no_job_began(folder: Path) -> bool:
    """Remove what a sweep has left whose first job could not begin; says whether it was so."""
    names = {FILE, PLAN, "multirun.yaml"}  # the last is Hydra's
    with suppress(OSError):
        if {path.name for path in folder.iterdir()} <= names:
            for name in names:
                (folder / name).unlink(missing_ok=True)
            folder.rmdir()
            return True
    return False


@contextmanager
def exiting(cfg: DictConfig) -> Iterator[None]:
    """Print user errors and exit: Hydra turns exceptions of hooks into warnings."""
    try:
        yield
    except (UserError, OSError) as error:
        line = user_error(error) or unwritable(error, cfg)
        if line is None:
            raise
        raise SystemExit(print_error(line, str(line))) from None


def begin(cfg: DictConfig) -> None:
    """Set the sweep's folder; check that a resumed sweep has the same config.

    Raises:
        UserError: if ``sweep.resume`` is not a sweep folder, or its sweep has a different config.
            Or if jobs are to have other folders than those of their numbers.
        PermissionError: if the folder of ``sweep.resume`` may not be written to.
    """
    check_direction(cfg.hydra.sweeper, cfg)
    subdir = OmegaConf.to_container(cfg.hydra.sweep)["subdir"]  # type: ignore[index,call-overload]
    if subdir not in NUMBERED:
        raise UserError(
            f"hydra.sweep.subdir={subdir}: the folder of a job is named by its number, by which "
            "sweeps are reported and resumed; remove it (hydra.sweep.dir sets the folder of all)"
        )
    resumed = cfg.sweep.resume
    folder = Path(resumed or cfg.hydra.sweep.dir).absolute()
    # Jobs compose their config again, perhaps on another machine, so pass them the folder's name.
    with open_dict(cfg):
        cfg.hydra.sweep.dir = str(folder)
        cfg.hydra.overrides.hydra.append(f"hydra.sweep.dir={value_of(folder)}")
    path = folder / FILE
    now = contents(cfg)
    if resumed is None:
        if path.exists():
            again = setting("sweep.resume", folder)
            raise UserError(f"{folder} already holds a sweep; to resume it: {again}")
        refuse_other_run(folder, resumes=False)
        atomic_write(path, OmegaConf.to_yaml(OmegaConf.create(now)))
        atomic_write(folder / PLAN, json.dumps({"jobs": planned(cfg)}, ensure_ascii=False) + "\n")
        return
    if not path.is_file():
        raise UserError(f"sweep.resume={resumed} is not a sweep folder (no {FILE})")
    if not os.access(folder, os.W_OK):  # Hydra would raise an error when it writes there
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    before = modernized(OmegaConf.to_container(OmegaConf.load(path)))
    earlier = earlier_values(before["config"], named_keys(cfg))
    with_earlier(before["config"], earlier)
    with_earlier(now["config"], earlier)
    changed = difference(before, now)
    if changed is not None:
        raise UserError(f"sweep.resume={resumed} is a different sweep: {changed}")
    # Jobs that have not begun then run as those that have.
    cfg.hydra.overrides.task.extend(as_overrides(earlier))


def planned(cfg: DictConfig) -> list[list[str]]:
    """The overrides of every job by number; a search knows only how many there may be."""
    sweeper = cfg.hydra.sweeper
    if "basic_sweeper" not in str(sweeper._target_):
        return [[] for _ in range(int(sweeper.get("n_trials") or 0))]
    words = [f"{key}={value}" for key, value in (sweeper.get("params") or {}).items()]
    try:
        overrides = OverridesParser.create().parse_overrides([*words, *cfg.hydra.overrides.task])
        (jobs,) = BasicSweeper.split_arguments(overrides, max_batch_size=None)
    except HydraException:  # Hydra reports it next; glob() needs its list of options
        return []
    return jobs


def contents(cfg: DictConfig) -> dict[str, Any]:
    """What identifies a sweep: its config, its arguments and its sweeper."""
    others = ("hydra", "sweep", *UNREAD)
    config = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key not in others])
    arguments = [
        str(word) for word in cfg.hydra.overrides.task if not str(word).startswith("sweep.resume=")
    ]
    return {
        "arguments": sorted(arguments),
        "sweeper": OmegaConf.to_container(cfg.hydra.sweeper),
        "config": OmegaConf.to_container(config),
    }
