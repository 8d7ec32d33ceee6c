"""The table, page and closing lines of a sweep."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from symbotunes.errors import UserError
from symbotunes.files import atomic_write
from symbotunes.render.pages.sweep import SweepState, sweep_page
from symbotunes.render.pages.sweep_plots import differs
from symbotunes.render.pages.sweep_rows import Row, best_of, label_of, metric_of
from symbotunes.render.tables import Cell, Table
from symbotunes.sweeps.analysis import SEED, Shares, means_over_seeds, variance_shares
from symbotunes.sweeps.jobs import CONFIG, Job, read_jobs, varied
from symbotunes.sweeps.results import row_of
from symbotunes.training.loggers.environment import with_environment
from symbotunes.training.page import PAGE, commands_of, write_training_page

DEBUG_HINT = "(SYMBOTUNES_DEBUG=1 shows more)"  # on the console, where it can be followed
COLUMNS = ("metric", "best", "step", "tokens_per_s", "peak_gib", "error")


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
    atomic_write(folder / "sweep.csv", table_of(keys, rows, folder))
    settle_pages(jobs)
    page = folder / "sweep.html"
    atomic_write(page, sweep_page(state_of(folder, jobs, keys, rows)))
    show(folder, jobs, keys, rows)
    return page


def settle_pages(jobs: Sequence[Job]) -> None:
    """Write ``training.html`` of jobs that were killed, which still says that they run."""
    for job in jobs:
        if job.status == "killed" and (job.folder / PAGE).is_file():
            with suppress(OSError):  # the sweep of someone else
                write_training_page(job.folder)


def best_lines(folder: Path) -> str:
    """The best job of a sweep and what to type next, for the console; empty if no job is best."""
    jobs = read_jobs(folder)
    keys = varied(jobs)
    best = best_of([row_of(job, keys, folder) for job in jobs])
    if best is None:
        return ""
    settings = " ".join(f"{key}={value}" for key, value in best.settings.items())
    lines = {
        "Best job": f"{best.number}: {label_of(best.metric)} {result_of(best)}",
        **({"Settings": settings} if settings else {}),
        "Its folder": str(job_folder(folder, best)),
        **commands_of(job_folder(folder, best)),
    }
    width = max(map(len, lines))
    return "\n".join(f"{name:{width}}  {text}" for name, text in lines.items())


def result_of(row: Row) -> str:
    """The best value of a job and its step."""
    at = f" at step {row.step:,}" if row.step is not None else ""
    return f"{row.result:.4g}{at}"


def job_folder(sweep: Path, row: Row) -> Path:
    """The folder of a job."""
    return sweep.absolute() / str(row.number)


def table_of(keys: Sequence[str], rows: Sequence[Row], folder: Path) -> str:
    """The jobs as CSV, one line each."""
    figures = list(dict.fromkeys(label for row in rows for label in row.figures))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["job", "status", *keys, *COLUMNS, *figures, "folder"])
    for row in rows:
        values = [row.metric, row.best, row.step, row.tokens_per_second, row.peak_gib, row.error]
        writer.writerow(
            [
                row.number,
                row.status,
                *(row.settings.get(key, "") for key in keys),
                *("" if value is None else value for value in values),
                *(row.figures.get(label, "") for label in figures),
                job_folder(folder, row),
            ]
        )
    return text.getvalue()


def state_of(
    folder: Path, jobs: Sequence[Job], keys: Sequence[str], rows: Sequence[Row]
) -> SweepState:
    """What the page shows."""
    best = best_of(rows)
    measured = [row for row in rows if row.has_result] if best is not None else []
    settings = [row.settings for row in measured]
    results = [row.result for row in measured]
    varying = [key for key in keys if differs(key, measured)]  # the others may all have failed
    shares = variance_shares(varying, settings, results)
    seeds, seeds_lead = seeds_of(keys, measured)
    counts = Counter(job.status for job in jobs)
    return SweepState(
        keys=keys,
        rows=rows,
        facts={
            "jobs": f"{counts.pop('finished', 0)} of {len(jobs)} jobs finished",
            **{status: str(count) for status, count in counts.items()},
            "folder": str(folder.absolute()),
        },
        remarks=outcomes_of(jobs),
        best_facts={} if best is None else best_facts(folder, best),
        commands={} if best is None else commands_of(job_folder(folder, best)),
        shares=None if shares is None else shares_table(shares),
        shares_lead="" if shares is None else shares_lead(shares, metric_of(rows)),
        seeds=seeds,
        seeds_lead=seeds_lead,
    )


def outcomes_of(jobs: Sequence[Job]) -> list[str]:
    """How the jobs ended that did not finish as they should; those that ended alike together."""
    numbers: dict[str, list[str]] = {}
    for job in jobs:
        if job.status != "finished" or job.error:
            outcome = job.outcome.removesuffix(f" {DEBUG_HINT}")
            numbers.setdefault(outcome, []).append(str(job.number))
    return [
        f"{'jobs' if len(jobs_of) > 1 else 'job'} {', '.join(jobs_of)} {outcome}"
        for outcome, jobs_of in numbers.items()
    ]


def best_facts(folder: Path, best: Row) -> dict[str, str]:
    """What stands at the top of the best job."""
    status = {} if best.status == "finished" else {"status": best.status}
    return {label_of(best.metric): result_of(best), **status, **best.settings,
            "folder": str(job_folder(folder, best))}  # fmt: skip


def shares_table(shares: Shares) -> Table:
    """A row for each setting, and one for what settings do together."""
    rows: list[list[str | Cell]] = [
        [
            share.key,
            f"{100 * share.share:.1f} %",
            f"{100 * share.by_chance:.1f} %",
            str(share.groups),
        ]
        for share in shares.shares
    ]
    if shares.interactions is not None:
        rows.append(["interactions of settings", f"{100 * shares.interactions:.1f} %", "", ""])
    return Table(["setting", "share", "by chance", "groups"], rows)


def shares_lead(shares: Shares, metric: str) -> str:
    """What the shares are of, and what they are not."""
    text = (
        f"Of the variance of {metric} over {shares.jobs} jobs, the part that lies between the "
        "means of jobs with the same value (of numbers that hardly repeat: in the same range). "
        "By chance: the mean share of a setting without effect."
    )
    if shares.interactions is None:
        return f"{text} The jobs are not a full grid, so that shares of several settings overlap."
    return f"{text} The jobs are a full grid, so that shares and interactions add up to 100 %."


def seeds_of(keys: Sequence[str], measured: Sequence[Row]) -> tuple[Table | None, str]:
    """The table of means over seeds, and what it is; none if no jobs differ in the seed alone."""
    means = means_over_seeds(
        keys, [row.settings for row in measured], [row.result for row in measured]
    )
    if not means:
        return None, ""
    sign = -1 if measured[0].mode == "max" else 1
    means.sort(key=lambda group: sign * group.mean)
    others = [key for key in keys if key != SEED]
    table = Table(
        [*others, "seeds", "mean", "standard deviation"] if others
        else ["settings", "seeds", "mean", "standard deviation"],
        [
            [
                *([group.settings.get(key, "") for key in others] or ["all the same"]),
                str(len(group.results)),
                mean_cell(group.mean, group.interval),
                "" if group.deviation is None else f"{group.deviation:.3g}",
            ]
            for group in means
        ],
        ours=0,
    )  # fmt: skip
    label = label_of(metric_of(measured))
    lead = (
        f"{label} of jobs that differ in the seed alone, the best mean first. The standard "
        "deviation is that of a single seed; brackets are 95 % intervals of the mean by Student's "
        "t, from three seeds on; they take results to be normally distributed."
    )
    return table, lead


def mean_cell(mean: float, interval: tuple[float, float] | None) -> Cell:
    """A mean with its interval in brackets."""
    if interval is None:
        return Cell(f"{mean:.4f}")
    return Cell(f"{mean:.4f}", f"[{interval[0]:.4f}, {interval[1]:.4f}]")


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
