"""mode=check: compose every experiment and model, try a step of each, and list all errors.

python main.py mode=check 'check.only=[folk_rnn]'
"""

import tempfile
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import torch
from omegaconf import DictConfig
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from symbotunes.config.compose import recomposed
from symbotunes.config.overrides import overrides
from symbotunes.errors import UserError
from symbotunes.paths import CONF
from symbotunes.training.dry_run import Limits, Verdict, check_config

OWN = ("mode", "check", "model", "+experiment", "experiment")  # what the check itself chooses


def check(cfg: DictConfig) -> None:
    """Check everything; what else the command line sets holds for every entry.

    Raises:
        SystemExit: with status 1, if anything is wrong.
        UserError: if ``check.only`` names something that does not exist.
    """
    entries = chosen(list(cfg.check.only))
    arguments = [each for each in overrides(cfg) if each.partition("=")[0] not in OWN]
    arguments = [each for each in arguments if not each.startswith("check.")]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    console = Console()
    with tempfile.TemporaryDirectory() as space, console.status("") as status:
        limits = Limits(int(cfg.check.rows), int(cfg.check.largest), device, Path(space))
        verdicts = []
        for entry in entries:
            status.update(f"Checking {escape(entry)}")
            verdicts.append(check_entry(entry, arguments, limits))
    console.print(verdict_table(verdicts, str(device)))
    errors = [f"{one.label}: {error}" for one in verdicts for error in one.errors]
    for error in errors:
        console.print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
    if errors:
        raise SystemExit(1)


def all_entries() -> list[str]:
    """The argument that chooses each model and each experiment."""
    models = sorted(path.stem for path in (CONF / "model").glob("*.yaml"))
    experiments = sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))
    return [
        *(f"model={name}" for name in models if not name.startswith("_")),
        *(f"+experiment={name}" for name in experiments),
    ]


def chosen(only: Sequence[str]) -> list[str]:
    """The entries whose model or experiment is named; all for no names.

    Raises:
        UserError: naming the first that does not exist.
    """
    entries = all_entries()
    names = {entry.partition("=")[2] for entry in entries}
    for name in only:
        if name not in names:
            close = get_close_matches(str(name), sorted(names), n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
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
    """One row for each entry."""
    table = Table(
        title=f"Every model and experiment; costs of a whole batch, estimated on {device}",
        caption="ok: a step was taken; (invented): on invented music, as the default dataset holds "
        "none of the kind; too large: above check.largest, no step; no data here: not downloaded",
        title_justify="left",
        caption_justify="left",
        box=SIMPLE,
    )
    table.add_column("entry", no_wrap=True)
    for name in ("weights", "GiB", "s/step"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("result", no_wrap=True)
    for one in verdicts:
        table.add_row(
            escape(one.label),
            "" if one.parameters is None else f"{one.parameters / 1e6:,.1f} M",
            "" if one.bytes is None else f"{one.bytes / 2**30:.1f}",
            "" if one.seconds is None else f"{one.seconds:.1f}",
            f"[red]errors: {len(one.errors)}[/red]" if one.errors else escape(one.remark or "ok"),
        )
    return table
