"""Between the command line and the modes: help, dispatch and error handling.

Nothing heavy is imported here, so that ``--help`` responds immediately.
"""

import secrets
import traceback
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from symbotunes.cli.dispatch import call_mode, mode_files, page, summary
from symbotunes.cli.errors import report
from symbotunes.cli.options import listing
from symbotunes.cli.validation import refuse_misfits
from symbotunes.config.commands import program
from symbotunes.config.folders import unwritable
from symbotunes.errors import user_error
from symbotunes.files import atomic_write
from symbotunes.paths import CONF
from symbotunes.sweeps.process import run_job
from symbotunes.system.locks import exclusive, remove_if_unused
from symbotunes.training.run_folder import writes_run_folder

# Groups of the config that a checkpoint replaces, and modes that open one without ckpt=.
KEPT = ("dataset", "loader", "model", "transforms")
OPENING = ("sample", "evaluate", "compare", "listen", "export")
CHECKOUT = "python main.py"  # as help pages start the program
JOB = "symbotunes.cli.job"  # the module that runs each job of a sweep


def register_resolvers() -> None:
    """Register ``${unique:}``: six random hexadecimal digits, constant within one composition."""
    OmegaConf.register_new_resolver(
        "unique", lambda: secrets.token_hex(3), use_cache=True, replace=True
    )


def help_text(arguments: Sequence[str]) -> str:
    """The text that ``--help`` prints; with ``mode=NAME``, the help page of that mode.

    Not Hydra's own help, because it takes seconds to copy its view of every group.
    """
    for argument in arguments:
        if (name := argument.removeprefix("mode=")) in mode_files() and name != argument:
            return page(mode_files()[name]).replace(CHECKOUT, program())
    text = (CONF / "help.txt").read_text(encoding="utf-8")
    lines = [f"  mode={name:9} {summary(file)}" for name, file in mode_files().items()]
    text = text.replace("{modes}", "\n".join(lines)).replace("{options}", listing())
    return text.replace(CHECKOUT, program())


def flags_first(arguments: list[str]) -> list[str]:
    """Move ``--multirun`` before the overrides: Hydra does not accept overrides on both sides."""
    flags = [argument for argument in arguments if argument in ("--multirun", "-m")]
    return [*flags, *(argument for argument in arguments if argument not in flags)]


def added_to_checkpoint(arguments: list[str]) -> list[str]:
    """Let keys of a checkpoint's config be set that the default config does not have.

    With ``ckpt=RUN dataset.path=PATH``, the dataset is the checkpoint's, which Hydra does not know
    when it composes: such words become ``++dataset.path=PATH``, which adds the key. Whether the
    checkpoint has it is found out when it is opened.
    """
    keys = {argument.partition("=")[0] for argument in arguments}
    modes = {argument.removeprefix("mode=") for argument in arguments}
    if not keys & {"ckpt", "compare.ckpts", "listen.ckpts"} and not modes & set(OPENING):
        return arguments
    chosen = {key.lstrip("+~").split("@")[0].split("/")[0] for key in keys}  # groups with an option
    free = [] if "experiment" in chosen else [f"{name}." for name in KEPT if name not in chosen]
    return [
        f"++{argument}" if "=" in argument and argument.startswith(tuple(free)) else argument
        for argument in arguments
    ]


def run_mode(cfg: DictConfig) -> Any:
    """Call the function of ``cfg.mode``; a failure leaves its traceback in the run folder.

    Each job of a sweep runs in its own process.

    Raises:
        UserError: if there is no such mode.
    """
    if HydraConfig.get().mode is RunMode.MULTIRUN:
        refuse_misfits(cfg)
        try:
            return run_job(cfg, JOB)
        except OSError as error:
            raise (unwritable(error, cfg) or error) from error.__cause__
    folder = Path(cfg.paths.run_dir)
    try:
        refuse_misfits(cfg)
        # A training knows only once it has read `ckpt` where it goes on; an export is atomic.
        alone = writes_run_folder(cfg) and cfg.mode not in ("train", "export")
        with exclusive(folder) if alone else nullcontext():
            return call_mode(cfg)
    except Exception as error:
        line = user_error(error) or unwritable(error, cfg)
        if line is not None:
            # If it were raised here, both Hydra and we would print it.
            raise SystemExit(report(line)) from None
        with suppress(OSError):  # the traceback is printed anyway
            atomic_write(folder / "error.txt", traceback.format_exc())
        raise
    finally:
        remove_if_unused(folder)
