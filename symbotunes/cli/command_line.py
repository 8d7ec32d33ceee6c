"""What stands between the command line and the modes: dispatch, and errors in one line.

Nothing heavy is imported here, so that ``--help`` answers at once.
"""

import os
import secrets
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from symbotunes.cli.options import listing
from symbotunes.cli.suggestions import explain, nearest
from symbotunes.cli.validation import refuse_misfits
from symbotunes.errors import UserError
from symbotunes.paths import CONF

MODES = {
    "train": "symbotunes.modes.train:train",
    "sample": "symbotunes.modes.sample:sample",
    "evaluate": "symbotunes.modes.evaluate:evaluate",
    "compare": "symbotunes.modes.compare:compare",
    "prepare": "symbotunes.modes.prepare:prepare",
    "convert": "symbotunes.modes.convert:convert",
    "report": "symbotunes.modes.report:report",
    "export": "symbotunes.modes.export:export",
    "check": "symbotunes.modes.check:check",
}


def register_resolvers() -> None:
    """``${unique:}``: six random hexadecimal digits, the same throughout one composition."""
    OmegaConf.register_new_resolver(
        "unique", lambda: secrets.token_hex(3), use_cache=True, replace=True
    )


def help_text() -> str:
    """What ``--help`` prints; Hydra's own takes seconds: it copies its view of every group."""
    return (CONF / "help.txt").read_text(encoding="utf-8").replace("{options}", listing())


def expand_home(arguments: list[str]) -> list[str]:
    """``dataset.path=~/tunes`` with the home folder, which shells leave as it is behind a dot."""
    pairs = [argument.partition("=") for argument in arguments]
    return [
        f"{key}={Path(value).expanduser()}" if sign and value.startswith("~/") else argument
        for argument, (key, sign, value) in zip(arguments, pairs, strict=True)
    ]


def flags_first(arguments: list[str]) -> list[str]:
    """``--multirun`` before the overrides: Hydra reads none on both sides of it."""
    flags = [argument for argument in arguments if argument in ("--multirun", "-m")]
    return [*flags, *(argument for argument in arguments if argument not in flags)]


def run_mode(cfg: DictConfig) -> Any:
    """Call the function of ``cfg.mode``; a failure leaves its traceback in the run folder.

    Jobs of a sweep each run in a process of their own.

    Raises:
        UserError: if there is no such mode.
    """
    if HydraConfig.get().mode is RunMode.MULTIRUN:
        refuse_misfits(cfg)
        return import_module("symbotunes.sweeps.process").run_job(cfg)
    folder = Path(cfg.paths.run_dir)
    try:
        refuse_misfits(cfg)
        return call_mode(cfg)
    except Exception as error:
        if user_error(error) is not None:
            # Raised here, it would be printed once by Hydra and once more by us.
            raise SystemExit(report(error)) from None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "error.txt").write_text(traceback.format_exc(), encoding="utf-8")
        raise
    finally:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def call_mode(cfg: DictConfig) -> Any:
    """Call the function of ``cfg.mode``.

    Raises:
        UserError: if there is no such mode.
    """
    if cfg.mode not in MODES:
        raise UserError(f"mode={cfg.mode} does not exist{nearest(str(cfg.mode), MODES)}")
    module, _, function = MODES[cfg.mode].partition(":")
    return getattr(import_module(module), function)(cfg)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Print mistakes of the user as one line and exit with status 2.

    ``SYMBOTUNES_DEBUG=1`` shows their tracebacks too; other errors always show theirs.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then raises, rather than printing and exiting
    try:
        yield
    except Exception as error:
        if one_line(error) is None:
            raise
        raise SystemExit(report(error)) from None


def report(error: BaseException) -> int:
    """Print the error's line, and the traceback if ``SYMBOTUNES_DEBUG=1``; the exit status."""
    if os.environ.get("SYMBOTUNES_DEBUG") == "1":
        traceback.print_exception(error)
    print(f"error: {one_line(error)}", file=sys.stderr)
    return 2


def one_line(error: BaseException) -> str | None:
    """The error in words for its user, or ``None`` if it is a bug of ours."""
    ours = user_error(error)
    if ours is not None:
        return str(ours)
    module = type(error).__module__
    if module.startswith("hydra.") or isinstance(error, OmegaConfBaseException):
        return explain(error)
    if module.startswith("submitit."):
        last = str(error).strip().splitlines()[-1]
        return f"the cluster takes no jobs: {last}; launch=local runs them here"
    if "No trials are completed yet" in str(error):  # of Optuna, when it is asked for the best
        return "no trial of the search finished; the folders of its jobs say why"
    return None


def user_error(error: BaseException | None) -> UserError | None:
    """The `UserError` among an exception and its causes; Hydra wraps what constructors raise."""
    while error is not None:
        if isinstance(error, UserError):
            return error
        error = error.__cause__
    return None
