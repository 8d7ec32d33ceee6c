"""mode=check: compose every experiment and model, run a step of each, and list all errors.

python main.py mode=check 'check.only=[folk_rnn]'
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from omegaconf import DictConfig
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from symbotunes.config.compose import recomposed
from symbotunes.config.overrides import overrides
from symbotunes.config.plugins import option_files
from symbotunes.errors import UserError, did_you_mean
from symbotunes.training.dry_run import Limits, Verdict, check_config

OWN = ("mode", "check", "model", "+experiment", "experiment")  # set by the check itself


def check(cfg: DictConfig) -> None:
    """Check everything; other overrides on the command line apply to every entry.

    Raises:
        SystemExit: with status 1, if anything is wrong.
        UserError: if ``check.only`` names something that does not exist.
    """
    entries = chosen(list(cfg.check.only))
    arguments = [word for word in overrides(cfg) if word.partition("=")[0] not in OWN]
    arguments = [word for word in arguments if not word.startswith("check.")]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    console = Console()
    with tempfile.TemporaryDirectory() as space, console.status("") as status:
        limits = Limits(int(cfg.check.rows), int(cfg.check.largest), device, Path(space))
        verdicts = []
        for entry in entries:
            status.update(f"Checking {escape(entry)}")
            verdicts.append(check_entry(entry, arguments, limits))
    console.print(verdict_table(verdicts, str(device)))
    errors = [f"{verdict.label}: {error}" for verdict in verdicts for error in verdict.errors]
    for error in errors:
        console.print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
    if errors:
        raise SystemExit(1)


def all_entries() -> list[str]:
    """The argument that chooses each model and each experiment."""
    models = sorted({path.stem for path in option_files("model")})
    experiments = sorted({path.stem for path in option_files("experiment")})
    return [
        *(f"model={name}" for name in models if not name.startswith("_")),
        *(f"+experiment={name}" for name in experiments),
    ]


def chosen(only: Sequence[str]) -> list[str]:
    """The entries whose model or experiment is named; all if no names are given.

    Raises:
        UserError: if a name does not exist; the message gives the first one.
    """
    entries = all_entries()
    names = {entry.partition("=")[2] for entry in entries}
    for name in only:
        if name not in names:
            hint = did_you_mean(str(name), sorted(names))
            raise UserError(f"check.only: there is no model or experiment {name}{hint}")
    return [entry for entry in entries if not only or entry.partition("=")[2] in only]


def check_entry(entry: str, arguments: Sequence[str], limits: Limits) -> Verdict:
    """Compose one entry and try it."""
    verdict = Verdict(entry)
    with verdict.noting("config"):
        cfg = recomposed([entry, *arguments])
        cfg.name, cfg.paths.run_dir = "check", str(limits.space)
        check_config(verdict, cfg, limits)
    return verdict


def verdict_table(verdicts: Sequence[Verdict], device: str) -> Table:
    """One row per entry."""
    table = Table(
        title=f"Every model and experiment; cost of a full batch, estimated on {device}",
        caption="ok: a step was run; (invented): on invented music, since the default dataset has "
        "none of this kind; too large: above check.largest, no step; no data here: not downloaded",
        title_justify="left",
        caption_justify="left",
        box=SIMPLE,
    )
    table.add_column("entry", no_wrap=True)
    for name in ("weights", "GiB", "s/step"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("result", no_wrap=True)
    for verdict in verdicts:
        failed = f"[red]errors: {len(verdict.errors)}[/red]"
        table.add_row(
            escape(verdict.label),
            "" if verdict.parameters is None else f"{verdict.parameters / 1e6:,.1f} M",
            "" if verdict.bytes is None else f"{verdict.bytes / 2**30:.1f}",
            "" if verdict.seconds is None else f"{verdict.seconds:.1f}",
            failed if verdict.errors else escape(verdict.remark or "ok"),
        )
    return table
