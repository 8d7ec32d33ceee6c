"""``training.html`` of a run folder: what its files say about a training, on one page."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from symbotunes.config.commands import command, resume_settings
from symbotunes.files import atomic_file, read_json
from symbotunes.models.quantities import BOUND, NLL
from symbotunes.render.pages.figures import write_figures
from symbotunes.render.pages.training import TrainingState, plots_of, training_page
from symbotunes.training.metrics_file import FILE, Row, number, read_rows
from symbotunes.training.run_folder import RECORD, status_of

PAGE = "training.html"


def write_training_page(
    folder: Path, *, total: float | None = None, refresh_seconds: int | None = None
) -> Path:
    """Write the page from ``run.json``, ``metrics.csv`` and the samples of a run folder.

    Of a training that has ended, its curves are written to ``figures/``, too.

    Args:
        folder: of the run.
        total: optimizer steps after which the training ends, if that is known.
        refresh_seconds: how often a browser shall load it again; ``None``: the training has ended.

    Raises:
        OSError: if the folder cannot be read or written.
    """
    record, rows = read_json(folder / RECORD), read_rows(folder / FILE)
    page = folder / PAGE
    state = TrainingState(
        heading=f"Training of {record.get('name') or folder.name}",
        facts=facts_of(record, rows, total),
        remarks=[str(record["error"])] if record.get("error") else [],
        columns=columns_of(rows),
        monitor=monitor_of(record),
        panels=panels_of(folder),
        commands=commands_of(folder),
        written=written_at(refresh_seconds),
        refresh_seconds=refresh_seconds,
    )
    with atomic_file(page, durable=False) as file:  # it can be made again from the other files
        file.write(training_page(state).encode())
    if refresh_seconds is None:  # drawing them takes a second, for which no training should wait
        write_figures(page, plots_of(state.columns, state.monitor))
    return page


def monitor_of(record: Mapping[str, Any]) -> str:
    """The metric that decides which checkpoint is best."""
    return str((record.get("best") or {}).get("metric") or "val/loss")


def columns_of(rows: Sequence[Row]) -> dict[str, list[float]]:
    """The numbers of each column, NaN in empty cells."""
    names = rows[0] if rows else ()
    return {name: [number(row[name]) for row in rows] for name in names}


def facts_of(record: Mapping[str, Any], rows: Sequence[Row], total: float | None) -> dict[str, str]:
    """What stands at the top of the page, by name."""
    newest = rows[-1] if rows else {}
    step = max(int(newest.get("step") or 0), int(record.get("step") or 0))
    of = f" of {total:,.0f}" if total is not None and total > step else ""
    facts = {"state": status_of(record) if record else "", "optimizer steps": f"{step:,}{of}"}
    best = best_of(record, rows)
    if best is not None:
        facts[f"best {label_of(record)}"] = f"{best[0]:.4g} at step {best[1]:,}"
    if newest.get("seconds"):
        facts["time"] = duration(float(newest["seconds"]))
    started = str(record.get("started_utc", ""))
    facts["started"] = started.replace("T", " ").replace("+00:00", " UTC")
    if record.get("parameters"):
        facts["parameters"] = f"{record['parameters']:,}"
    facts |= {key: str(record[key]) for key in ("device", "host") if record.get(key)}
    return {name: text for name, text in facts.items() if text}


def label_of(record: Mapping[str, Any]) -> str:
    """What is best, in words: a loss has its unit, other metrics have their name."""
    best = record.get("best") or {}
    is_loss = best.get("quantity", NLL) in (NLL, BOUND)
    monitor = monitor_of(record)
    return "validation loss (nats per token)" if monitor == "val/loss" and is_loss else monitor


def best_of(record: Mapping[str, Any], rows: Sequence[Row]) -> tuple[float, int] | None:
    """The best value of the monitored metric and its step: of the rows, which are never older."""
    name, best = monitor_of(record), record.get("best") or {}
    values = [(number(row.get(name)), int(row["step"])) for row in rows if row.get(name)]
    finite = [entry for entry in values if abs(entry[0]) < float("inf")]
    if not finite:
        return None
    sign = -1 if best.get("mode") == "max" else 1
    return min(finite, key=lambda entry: (sign * entry[0], entry[1]))


def duration(seconds: float) -> str:
    """A time such as ``5 s``, ``12 min 5 s`` or ``3 h 20 min``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left} min" if hours else f"{minutes} min {rest} s"


def panels_of(folder: Path) -> list[tuple[str, str]]:
    """Labels and addresses of the pages of samples, by step, that of the best checkpoint last."""
    steps = sorted(
        (int(path.parent.name.removeprefix("step_")), path)
        for path in folder.glob("samples/step_*/index.html")
        if path.parent.name.removeprefix("step_").isdecimal()
    )
    pages = [(f"step {step:,}", path) for step, path in steps]
    best = folder / "samples" / "best" / "index.html"
    if best.is_file():
        pages.append(("best checkpoint", best))
    return [(label, path.relative_to(folder).as_posix()) for label, path in pages]


def commands_of(folder: Path) -> dict[str, str]:
    """What to type next, as far as there are checkpoints."""
    checkpoints = folder.absolute() / "checkpoints"
    best, last = checkpoints / "best.ckpt", checkpoints / "last.ckpt"
    commands = {}
    source = best if best.is_file() else last
    if source.is_file():
        commands["Sample"] = command({"mode": "sample", "ckpt": source})
    if last.is_file():
        commands["Resume"] = command(resume_settings(folder.absolute()))
        commands["Train for longer"] = f"{commands['Resume']} trainer.max_steps=N"
    return commands


def written_at(refresh_seconds: int | None) -> str:
    """When the page is written, as a sentence for its end."""
    now = f"Written {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if refresh_seconds is None:
        return f"{now}."
    return (
        f"{now}; loaded again every {refresh_seconds} seconds while the training runs. If that is "
        "long ago, it was killed."
    )
