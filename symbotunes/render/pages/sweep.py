"""The page of a sweep: its best job, its curves, what its settings do, and all of its jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symbotunes.render.pages.sweep_plots import curve_plots, parallel_of, rounded, slice_plots
from symbotunes.render.pages.sweep_rows import (
    Row,
    best_of,
    kinds_of,
    label_of,
    metric_of,
    ranked,
    short_names,
)
from symbotunes.render.tables import Table
from symbotunes.render.templates import render


@dataclass(frozen=True)
class SweepState:
    """What is known of a sweep.

    Attributes:
        keys: settings that differ between its jobs.
        rows: its jobs by number.
        facts: what stands at the top, by name.
        remarks: what needs attention.
        best_facts: of the best job, such as where it is.
        commands: to go on with the best job, by purpose.
        shares: each setting's share of the variance, if there are enough jobs.
        shares_lead: what they are, in a sentence.
        seeds: means over seeds, if jobs differ in nothing else.
        seeds_lead: what they are, in a sentence.
    """

    keys: Sequence[str]
    rows: Sequence[Row]
    facts: Mapping[str, str] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    best_facts: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)
    shares: Table | None = None
    shares_lead: str = ""
    seeds: Table | None = None
    seeds_lead: str = ""


def sweep_page(state: SweepState) -> str:
    """The page as text; it loads nothing. The best job comes first."""
    rows, keys = state.rows, state.keys
    metric = metric_of(rows)
    figures = list(dict.fromkeys(label for row in rows for label in row.figures))
    return render(
        "sweep.html",
        styles=["figures.css", "plots.css", "sweep.css"],
        heading=heading_of(keys, rows),
        facts=state.facts,
        remarks=[*mixed(rows), *state.remarks],
        best=best_of(rows),
        best_facts=state.best_facts,
        commands=state.commands,
        metric=label_of(metric),
        curves=curve_plots(keys, rows),
        parallel=parallel_of(keys, rows),
        slices=slice_plots(keys, rows),
        shares=state.shares,
        shares_lead=state.shares_lead,
        seeds=state.seeds,
        seeds_lead=state.seeds_lead,
        keys=keys,
        rounded=rounded,
        figures=figures,
        rows=ranked(rows),
    )


def heading_of(keys: Sequence[str], rows: Sequence[Row]) -> str:
    """What the sweep varies, or how many jobs it has."""
    if not keys:
        return f"Sweep of {len(rows)} {'job' if len(rows) == 1 else 'jobs'}"
    names = list(short_names(keys).values())
    return f"Sweep over {names[0]}" if len(names) == 1 else (
        f"Sweep over {', '.join(names[:-1])} and {names[-1]}"
    )  # fmt: skip


def mixed(rows: Sequence[Row]) -> list[str]:
    """A remark if the results of jobs do not compare."""
    kinds = kinds_of(rows)
    metrics = {metric for metric, _, _ in kinds}
    if len(kinds) < 2:
        return []
    quantities = sorted({quantity or metric for metric, quantity, _ in kinds})
    names = " and ".join(sorted(label_of(metric) for metric in metrics))
    return [
        f"The values of {names} do not compare: they are of different quantities "
        f"({', '.join(quantities)}), so that no job is the best."
    ]
