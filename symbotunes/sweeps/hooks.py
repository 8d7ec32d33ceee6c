"""What happens before the first job of a sweep and after the last one."""

import shlex
import sys
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, open_dict

from symbotunes.config.aliases import modernized
from symbotunes.config.difference import difference
from symbotunes.errors import UserError, print_error
from symbotunes.files import atomic_write
from symbotunes.sweeps.jobs import read_jobs
from symbotunes.sweeps.report import write_sweep_report

FILE = "sweep.yaml"


class Sweeping(Callback):
    """Notes what a sweep is made of, lets it resume as nothing else, and reports at its end."""

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        try:
            begin(config)
        except UserError as error:
            raise SystemExit(
                print_error(error, str(error))
            ) from None  # Hydra turns errors here into warnings

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        folder = Path(config.hydra.sweep.dir)
        write_sweep_report(folder)
        failed = [job for job in read_jobs(folder) if job.status != "finished"]
        for job in failed:
            print(f"job {job.number} {job.status}: {job.error} ({job.folder})", file=sys.stderr)
        if failed:
            raise SystemExit(1)


def begin(cfg: DictConfig) -> None:
    """Fix the sweep's folder, and its content if it is there already.

    Raises:
        UserError: if ``sweep.resume`` names no sweep, or one of another config.
    """
    resumed = cfg.sweep.resume
    folder = Path(resumed or cfg.hydra.sweep.dir).absolute()
    # Jobs compose their config anew, maybe on another machine: they are told the folder's name.
    with open_dict(cfg):
        cfg.hydra.sweep.dir = str(folder)
        cfg.hydra.overrides.hydra.append(f"hydra.sweep.dir={shlex.quote(str(folder))}")
    path = folder / FILE
    now = contents(cfg)
    if resumed is None:
        if path.exists():
            raise UserError(f"{folder} holds a sweep already; to go on: sweep.resume={folder}")
        atomic_write(path, OmegaConf.to_yaml(OmegaConf.create(now)))
        return
    if not path.is_file():
        raise UserError(f"sweep.resume={resumed}: there is no {FILE} in it")
    before = modernized(OmegaConf.to_container(OmegaConf.load(path)))
    changed = difference(before, now)
    if changed is not None:
        raise UserError(f"sweep.resume={resumed} is another sweep: {changed}")


def contents(cfg: DictConfig) -> dict[str, Any]:
    """What makes a sweep the one it is: its config, its arguments and its sweeper."""
    config = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key not in ("hydra", "sweep")])
    arguments = [
        str(each) for each in cfg.hydra.overrides.task if not str(each).startswith("sweep.resume=")
    ]
    return {
        "arguments": sorted(arguments),
        "sweeper": OmegaConf.to_container(cfg.hydra.sweeper),
        "config": OmegaConf.to_container(config),
    }
