"""The page of a training: its curves so far, its samples, and what to type next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbotunes.render.pages.plots import Curve, Plot, plot_of
from symbotunes.render.palette import COLORS
from symbotunes.render.templates import render

Columns = Mapping[str, Sequence[float]]
TITLES = {  # of plots, by what a column is called after its group
    "loss": "Loss (nats per token)",
    "learning_rate": "Learning rate",
    "gradient_norm": "Gradient norm, before clipping",
    "tokens_per_second": "Tokens per second",
    "peak_gib": "Peak memory (GiB)",
}
SPLITS = {"train": "training", "val": "validation"}
HIDDEN = ("step", "seconds", "epoch", "speed/mfu")  # positions, and what follows from another
FIRST = ("loss", "learning_rate", "gradient_norm", "tokens_per_second")


@dataclass(frozen=True)
class TrainingState:
    """What is known of a training.

    Attributes:
        heading: name of the run.
        facts: what stands at the top, by name.
        remarks: what needs attention, such as why it failed.
        columns: values of ``metrics.csv`` by column, NaN where a step has none; all of a length.
        monitor: column that decides which checkpoint is best.
        panels: pages of samples, as label and address relative to the page, oldest first.
        commands: what to type next, by purpose.
        written: when the page was written, in a sentence.
        refresh_seconds: how often a browser shall load the page again; ``None``: never.
    """

    heading: str
    facts: Mapping[str, str]
    remarks: Sequence[str]
    columns: Columns
    monitor: str
    panels: Sequence[tuple[str, str]]
    commands: Mapping[str, str]
    written: str
    refresh_seconds: int | None = None


def training_page(state: TrainingState) -> str:
    """The page as text; it loads nothing."""
    return render(
        "training.html",
        styles=["figures.css", "plots.css"],
        heading=state.heading,
        facts=state.facts,
        remarks=state.remarks,
        refresh_seconds=state.refresh_seconds,
        curves=plots_of(state.columns, state.monitor),
        panels=state.panels,
        commands=state.commands,
        written=state.written,
    )


def plots_of(columns: Columns, monitor: str) -> list[Plot]:
    """A plot for each quantity: its training and validation values, or those of all parts."""
    steps = columns.get("step", ())
    plots = []
    for title, names in sorted(
        quantities(columns).items(), key=lambda entry: rank_of(entry[1], monitor)
    ):
        curves = [_curve(name, steps, columns[name], index) for index, name in enumerate(names)]
        zero = names[0].startswith(("speed/", "memory/"))
        log = False if zero or names[0].startswith("optim/learning_rate") else None
        plots.append(plot_of(title, curves, log=log, zero=zero, x_end=max(steps, default=0.0)))
    return [plot for plot in plots if plot is not None]


def quantities(columns: Columns) -> dict[str, list[str]]:
    """Columns that belong into one plot, by its title, in the order of the file."""
    groups: dict[str, list[str]] = {}
    for column in columns:
        if column in HIDDEN:
            continue
        group, _, name = column.rpartition("/")
        if group == "optim":  # each part may have its own, such as learning_rate_critic
            name = next((known for known in FIRST if name.startswith(known)), name)
        alike = name if group in SPLITS or name in TITLES else column
        groups.setdefault(TITLES.get(name, alike), []).append(column)
    return {title: sorted(names, key=_training_first) for title, names in groups.items()}


def rank_of(names: Sequence[str], monitor: str) -> tuple[int, int]:
    """The place of a plot: the loss or what decides, then `FIRST`, then the rest."""
    stems = [name.rpartition("/")[2] for name in names]
    places = [index for index, known in enumerate(FIRST) if stems[0].startswith(known)]
    return (0 if monitor in names or "loss" in stems else 1, places[0] if places else len(FIRST))


def _training_first(name: str) -> bool:
    return not name.startswith("train/")


def _curve(name: str, steps: Sequence[float], values: Sequence[float], index: int) -> Curve:
    group = name.partition("/")[0]
    return Curve(
        name=SPLITS.get(group, name.rpartition("/")[2]),
        x=steps,
        y=values,
        color=COLORS[1 if group == "val" else index % len(COLORS)],
        weight=2.0 if group == "val" else 1.5,
        is_dotted=group == "val",
    )
