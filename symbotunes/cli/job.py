"""``python -m symbotunes.cli.job FOLDER``: run the frozen config of one job of a sweep.

All processes of a distributed training start with the same arguments, so they read the same config.
"""

import math
import sys
import traceback
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from symbotunes.cli.dispatch import call_mode
from symbotunes.cli.environment import prepare_environment
from symbotunes.cli.errors import report
from symbotunes.cli.start_up import parse_with_libyaml
from symbotunes.cli.terminal import print_in_any_encoding, warn_in_one_line
from symbotunes.config.aliases import modernized
from symbotunes.config.folders import unwritable
from symbotunes.errors import UserError, user_error
from symbotunes.files import atomic_write, read_json
from symbotunes.sweeps.jobs import CONFIG, ERROR, note
from symbotunes.system.ends import foreseen_ends, signal_of
from symbotunes.system.locks import exclusive
from symbotunes.system.owner import Owner, writes_for_all
from symbotunes.system.streams import make_unfailing

DIVERGED = "diverged: its loss was never a finite number; lower model.optimizer.lr"


def main(folder: Path) -> int:
    """Run the job and record how it ended; return the exit status."""
    cfg = OmegaConf.create(modernized(OmegaConf.to_container(OmegaConf.load(folder / CONFIG))))
    assert isinstance(cfg, DictConfig)
    if not writes_for_all():
        call_mode(cfg)
        return 0
    try:
        with exclusive(folder):
            return run(cfg, folder)
    except (UserError, OSError) as error:
        line = user_error(error) or unwritable(error, cfg)
        if line is None:
            raise
        return report(line)


def run(cfg: DictConfig, folder: Path) -> int:
    """Run the mode; ``job.json`` and ``error.txt`` record the outcome."""
    (folder / ERROR).unlink(missing_ok=True)
    owner = Owner.this_process().as_dict()
    anew = {"status": "running", "value": None, "reason": None, "exit": None}
    note(folder, overrides=list(cfg.sweep.overrides), **anew, **owner)
    try:
        value: Any = call_mode(cfg)
    except Exception as error:
        note(folder, status="failed")
        line = user_error(error) or unwritable(error, cfg)
        if line is not None:
            atomic_write(folder / ERROR, f"{line}\n")
            return report(line)
        atomic_write(folder / ERROR, traceback.format_exc())
        traceback.print_exc()
        return 1
    except BaseException as end:
        code = end.code if isinstance(end, SystemExit) else 128 + signal_of(end)
        reason = f"signal {code - 128}" if isinstance(code, int) and code > 128 else None
        note(folder, status="interrupted", reason=reason)
        raise
    value = None if value is None else float(value)
    diverged = value is not None and not math.isfinite(value)
    best = read_json(folder / "run.json").get("best")
    outcome = {"status": "finished", "value": value, "reason": DIVERGED if diverged else None}
    note(folder, **outcome, **({"best": best} if best else {}))
    return 0


if __name__ == "__main__":
    print_in_any_encoding()
    make_unfailing()
    warn_in_one_line()
    parse_with_libyaml()
    if len(sys.argv) != 2:
        raise UserError("usage: python -m symbotunes.cli.job FOLDER")
    try:
        prepare_environment()
    except UserError as error:
        sys.exit(report(error))
    with foreseen_ends(quiet=True):
        sys.exit(main(Path(sys.argv[1])))
