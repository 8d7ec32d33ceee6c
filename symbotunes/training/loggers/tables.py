"""Receipts, evaluations and sweeps as tables on Weights & Biases."""

import io
import math
from collections.abc import Mapping, Sequence
from functools import singledispatch
from pathlib import Path
from typing import Any

import wandb

from symbotunes.data.receipt import Receipt
from symbotunes.data.split import SPLITS
from symbotunes.evaluation.latent.findings import LatentFindings, Notes
from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.evaluation.metrics.figure import Figure
from symbotunes.evaluation.metrics.histograms import OVERLAP
from symbotunes.evaluation.metrics.losses import LOSSES
from symbotunes.evaluation.metrics.reconstruction import ACCURACIES, COSTS, DISTANCE
from symbotunes.evaluation.metrics.tunes import TUNES
from symbotunes.evaluation.metrics.windows import WINDOWS
from symbotunes.evaluation.sequences.findings import Findings
from symbotunes.evaluation.windows.findings import WindowFindings
from symbotunes.render.pages.sweep_rows import UNITS, Row
from symbotunes.training.loggers.wandb import Mode, SafeWandbLogger, read_id

FIGURE_COLUMNS = ["of", "figure", "value", "low", "high", "unit"]


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> wandb.Table:
    """A table whose columns may mix numbers and missing values."""
    return wandb.Table(
        columns=list(columns), data=[list(row) for row in rows], allow_mixed_types=True
    )


def log_receipt(logger: SafeWandbLogger, receipt: Receipt, step: int) -> None:
    """Log what happened to every piece of the data as ``data/receipt``."""
    logger.attempt(lambda: logger.log_metrics({"data/receipt": receipt_table(receipt)}, step))


def receipt_table(receipt: Receipt) -> wandb.Table:
    """One row per split and reason."""
    rows: list[list[Any]] = [["read", receipt.read, None, None]]
    for split in SPLITS:
        counts = receipt.kept[split], receipt.examples[split], receipt.tokens[split]
        rows.append([f"kept for {split}", *counts])
    rows += [[f"dropped: {why}", n, None, None] for why, n in receipt.dropped.most_common()]
    rows += [[f"left out: {why}", None, n, None] for why, n in receipt.left_out.most_common()]
    rows += [[f"kept, but: {why}", n, None, None] for why, n in receipt.remarks.most_common()]
    rows.append(["vocabulary", receipt.vocabulary, None, None])
    return table(["pieces", "count", "examples", "tokens"], rows)


def log_evaluation(logger: SafeWandbLogger, findings: Any, page: Path) -> None:
    """Log an evaluation: tables, the figures of the model as numbers, and the report's page."""
    logger.log_hyperparams({"evaluation": dict(findings.facts)})
    logger.attempt(lambda: logger.log_metrics(evaluation_row(findings, page)))


def evaluation_row(findings: Any, page: Path) -> dict[str, Any]:
    """All that is logged of an evaluation, by name."""
    facts = table(["fact", "value"], [*map(list, findings.facts.items())])
    return {**findings_row(findings), "evaluation/facts": facts, "evaluation/report": html(page)}


@singledispatch
def findings_row(findings: object) -> dict[str, Any]:
    """Tables and figures of an evaluation, by name; other kinds join with ``register``."""
    raise TypeError(f"nothing is known of how to log {type(findings).__name__}")


@findings_row.register
def language_row(findings: Findings) -> dict[str, Any]:
    """Likelihoods and figures of tunes, by name."""
    held_out = findings.held_out
    ours = next(iter(held_out.models.values()), {})
    gains = {name: {"nats_per_token": gain} for name, gain in held_out.gains.items()}
    kinds = [
        [kind.name, kind.share, *(finite(nats.value) for nats in kind.nats.values())]
        for kind in held_out.classes
    ]
    tunes = {pieces.name: pieces.figures for pieces in findings.sets}
    return {
        "evaluation/losses": figures_table(held_out.models, LOSSES),
        "evaluation/gains": figures_table(gains, LOSSES),
        "evaluation/kinds": table(["kind", "share", *held_out.models], kinds),
        "evaluation/tunes": figures_table(tunes, TUNES),
        **numbers(ours),
        **(numbers(findings.sets[0].figures) if findings.sets else {}),
    }


@findings_row.register
def latent_row(findings: LatentFindings) -> dict[str, Any]:
    """Accuracies, costs, interpolations and overlaps, by name."""
    reconstruction, path = findings.reconstruction, findings.path
    ways = [
        [share, *(finite(distances[index].value) for distances in path.distances.values())]
        for index, share in enumerate(path.shares)
    ]
    overlaps = overlaps_of(findings.prior)
    return {
        "evaluation/accuracies": figures_table(reconstruction.accuracies, ACCURACIES),
        "evaluation/costs": figures_table({"windows": reconstruction.costs}, COSTS),
        "evaluation/interpolations": table([f"{DISTANCE.label} at", *path.distances], ways),
        "evaluation/overlaps": figures_table(overlaps, {"overlap": OVERLAP}),
        "evaluation/active_units": reconstruction.active,
        **numbers(reconstruction.costs),
        **numbers(next(iter(reconstruction.accuracies.values()), {})),
    }


@findings_row.register
def window_row(findings: WindowFindings) -> dict[str, Any]:
    """Figures of windows and overlaps of their notes, by name."""
    return {
        "evaluation/windows": figures_table(
            {each.name: each.figures for each in findings.sets}, WINDOWS
        ),
        "evaluation/overlaps": figures_table(overlaps_of(findings.prior), {"overlap": OVERLAP}),
        **numbers(findings.sets[0].figures),
    }


def overlaps_of(prior: Sequence[Notes]) -> dict[str, dict[str, Interval]]:
    """The overlap of every statistic of every set, by both names."""
    return {
        f"{notes.name}: {name}": {"overlap": interval}
        for notes in prior
        for name, interval in notes.overlaps.items()
    }


def figures_table(
    measured: Mapping[str, Mapping[str, Interval]], figures: Mapping[str, Figure]
) -> wandb.Table:
    """One row per figure, scaled as in the report, with the ends of its interval."""
    rows = [
        [
            name,
            figures[key].label,
            *(
                finite(figures[key].scale * number)
                for number in (interval.value, interval.low, interval.high)
            ),
            figures[key].unit,
        ]
        for name, intervals in measured.items()
        for key, interval in intervals.items()
        if key in figures
    ]
    return table(FIGURE_COLUMNS, rows)


def numbers(intervals: Mapping[str, Interval]) -> dict[str, Any]:
    """The finite values as metrics, fractions from 0 to 1."""
    return {
        f"evaluation/{key}": interval.value
        for key, interval in intervals.items()
        if math.isfinite(interval.value)
    }


def finite(value: float) -> float | None:
    """The value, or ``None`` if it is not finite."""
    return value if math.isfinite(value) else None


def html(page: Path) -> wandb.Html:
    """A self-contained page for display on W&B."""
    return wandb.Html(io.StringIO(page.read_text(encoding="utf-8")), inject=False)


def log_sweep_table(
    folder: Path,
    keys: Sequence[str],
    rows: Sequence[Row],
    *,
    project: str = "symbotunes",
    entity: str | None = None,
    mode: Mode | None = None,
) -> bool:
    """Log the report of a sweep as ``sweep/jobs`` and ``sweep/report`` to a separate run.

    The run belongs to the sweep's group; later reports continue it.

    Args:
        folder: folder of the sweep.
        keys: settings that differ between its jobs.
        rows: its jobs, as read by `symbotunes.modes.report`.
        project: project name on W&B.
        entity: user or team; ``None`` is the account's default.
        mode: see `SafeWandbLogger`.

    Returns:
        Whether it was logged; it is not if no job logged to W&B.
    """
    runs = {row.number: read_id(folder / str(row.number)) for row in rows}
    if not any(runs.values()):
        return False
    logger = SafeWandbLogger(
        folder,
        project,
        name=f"{folder.name} report",
        entity=entity,
        group=folder.name,
        job_type="report",
        mode=mode,
    )
    page = folder / "sweep.html"
    logger.attempt(
        lambda: logger.log_metrics(
            {"sweep/jobs": sweep_table(keys, rows, runs)}
            | ({"sweep/report": html(page)} if page.is_file() else {})
        )
    )
    logger.finish()
    return True


def sweep_table(
    keys: Sequence[str], rows: Sequence[Row], runs: Mapping[int, str | None]
) -> wandb.Table:
    """One row per job; numeric settings are stored as numbers, so that they can be plotted."""
    metric = next((row.metric for row in rows if row.metric), "value")
    label = f"{metric} ({UNITS[metric]})" if metric in UNITS else metric
    columns = [
        "job", "status", *keys, label, "at step", "tokens/s", "peak memory (GiB)", "run", "samples",
        "error",
    ]  # fmt: skip
    data = [
        [
            row.number,
            row.status,
            *(number_or_text(row.settings.get(key)) for key in keys),
            None if row.best is None else finite(row.best),
            row.step,
            row.tokens_per_second,
            row.peak_gib,
            runs.get(row.number),
            row.samples,
            row.error,
        ]
        for row in rows
    ]
    return table(columns, data)


def number_or_text(setting: str | None) -> float | str | None:
    """The setting as a number if it is one, otherwise as text."""
    try:
        return None if setting is None else float(setting)
    except ValueError:
        return setting
