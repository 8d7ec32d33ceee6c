"""The table and charts of a sweep."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from symbotunes.errors import UserError
from symbotunes.files import atomic_write
from symbotunes.models.quantities import NLL
from symbotunes.render.pages.sweep import Row, sweep_page
from symbotunes.sweeps.jobs import CONFIG, Job, read_jobs, split, varied
from symbotunes.training.loggers.environment import with_environment

COLUMNS = ("job", "status", "metric", "best", "step", "tokens_per_s", "peak_gib", "error")


def newest_sweep(root: Path) -> Path:
    """The newest sweep below the folder of all runs.

    Raises:
        UserError: if there is none.
    """
    sweeps = [path.parent for path in root.glob("multirun/*/sweep.yaml")]
    if not sweeps:
        raise UserError(f"no sweep below {root}; set sweep.dir=PATH")
    return max(sweeps, key=lambda path: path.stat().st_mtime)


def write_sweep_report(folder: Path) -> Path:
    """Write ``sweep.csv`` and ``sweep.html`` to the sweep's folder; returns the page."""
    jobs = read_jobs(folder)
    keys = varied(jobs)
    rows = [row_of(job, keys, folder) for job in jobs]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*COLUMNS[:2], *keys, *COLUMNS[2:]])
    for row in rows:
        figures = [row.metric, row.best, row.step, row.tokens_per_second, row.peak_gib, row.error]
        writer.writerow([row.number, row.status, *(row.settings.get(key, "") for key in keys)]
                        + ["" if figure is None else figure for figure in figures])  # fmt: skip
    atomic_write(folder / "sweep.csv", text.getvalue())
    page = folder / "sweep.html"
    atomic_write(page, sweep_page(folder.name, keys, rows))
    show(folder, jobs, keys, rows)
    return page


def show(folder: Path, jobs: Sequence[Job], keys: list[str], rows: list[Row]) -> None:
    """Also log the table to W&B, if the jobs logged to it."""
    logged = [job for job in jobs if (job.folder / "wandb_id").is_file()]
    if not logged:
        return
    config = OmegaConf.load(logged[0].folder / CONFIG)
    assert isinstance(config, DictConfig)
    logger = (with_environment(config) or config.logger).wandb
    from symbotunes.training.loggers.tables import log_sweep_table  # which imports wandb

    log_sweep_table(
        folder, keys, rows, project=logger.project, entity=logger.entity, mode=logger.mode
    )


def row_of(job: Job, keys: list[str], sweep: Path) -> Row:
    """The row of a job in the report."""
    settings = dict(split(override) for override in job.overrides)
    best = job.run.get("best") or {}
    return Row(
        number=job.number,
        status=job.status,
        settings={key: settings[key] for key in keys if key in settings},
        metric=str(best.get("metric", "")),
        best=best["value"] if best.get("value") is not None else job.value,
        step=best.get("step"),
        tokens_per_second=job.run.get("tokens_per_second"),
        peak_gib=job.run.get("peak_memory_gib"),
        samples=None if job.samples is None else job.samples.relative_to(sweep).as_posix(),
        error=job.error,
        mode=str(best.get("mode", "min")),
        quantity=str(best.get("quantity", NLL)),  # that of earlier versions, which did not say
    )
