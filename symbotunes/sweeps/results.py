"""What a job of a sweep has found, from the files of its folder: of any mode."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from symbotunes.files import read_json
from symbotunes.models.quantities import NLL
from symbotunes.render.pages.sweep_rows import JobCurve, Row
from symbotunes.sweeps.jobs import Job, split
from symbotunes.training.metrics_file import FILE, number, read_rows
from symbotunes.training.page import PAGE

INDEX = "index.html"  # of samples, of an evaluation and of a comparison
REPORT, TABLE = "report.json", "samples.json"


def row_of(job: Job, keys: Sequence[str], sweep: Path) -> Row:
    """The row of a job in the report."""
    settings = dict(map(split, job.overrides))
    best = job.run.get("best") or {}
    metric = str(best.get("metric", ""))
    return Row(
        number=job.number,
        status=job.status,
        settings={key: settings[key] for key in keys if key in settings},
        metric=metric,
        best=best["value"] if best.get("value") is not None else job.value,
        step=best.get("step"),
        tokens_per_second=job.run.get("tokens_per_second"),
        peak_gib=job.run.get("peak_memory_gib"),
        samples=address(samples_of(job), sweep),
        error=job.error,
        mode=str(best.get("mode", "min")),
        quantity=str(best.get("quantity", NLL)),  # that of earlier versions, which did not say
        page=address(page_of(job), sweep),
        figures=figures_of(read_json(job.folder / REPORT)),
        curve=curve_of(job.folder / FILE, metric),
    )


def address(page: Path | None, sweep: Path) -> str | None:
    """Where a page is, relative to the report."""
    return None if page is None else page.relative_to(sweep).as_posix()


def samples_of(job: Job) -> Path | None:
    """The listening page of a job: of a training the newest, of mode=sample its only one."""
    index = job.folder / INDEX
    return index if index.is_file() and (job.folder / TABLE).is_file() else job.samples


def page_of(job: Job) -> Path | None:
    """The page of a job itself: of its training, evaluation or comparison."""
    pages = (job.folder / PAGE, job.folder / INDEX)
    return next((page for page in pages if page.is_file()), None)


def curve_of(path: Path, metric: str) -> JobCurve:
    """What was logged of a metric, where it was logged; empty if the file cannot be read."""
    try:
        rows = [row for row in read_rows(path) if row.get(metric)]
    except OSError:
        return JobCurve()
    return JobCurve(
        [number(row["step"]) for row in rows],
        [number(row["seconds"]) for row in rows],
        [number(row[metric]) for row in rows],
    )


def figures_of(report: Mapping[str, Any]) -> dict[str, str]:
    """The figures of the model in ``report.json``, as its page shows them, by label.

    The model's own come first in every report, before those of baselines and of held-out music.
    """
    meanings = report.get("meanings")
    if not isinstance(meanings, Mapping):
        return {}
    figures: dict[str, str] = {}
    for key, value in _intervals(report):
        meaning = meanings.get(key)
        if not isinstance(meaning, Mapping) or not math.isfinite(value):
            continue
        label = str(meaning.get("label", key))
        shown = f"{float(meaning.get('scale', 1)) * value:,.{int(meaning.get('decimals', 1))}f}"
        figures.setdefault(label, f"{shown}{meaning.get('suffix', '')}")
    return figures


def _intervals(node: Any, key: str = "") -> Iterator[tuple[str, float]]:
    """Every interval of a report with its key, from top to bottom."""
    if isinstance(node, Mapping):
        value = node.get("value")
        if isinstance(value, int | float) and "low" in node:
            yield key, float(value)
            return
        for name, below in node.items():
            yield from _intervals(below, str(name))
    elif isinstance(node, list):
        for below in node:
            yield from _intervals(below, key)
