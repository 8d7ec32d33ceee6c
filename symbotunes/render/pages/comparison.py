"""The page of a comparison: one HTML file with tables, charts and music; figures as JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from symbotunes.evaluation.comparison.findings import (
    FIRST,
    Column,
    Comparison,
    Continuation,
    Reference,
    general,
    musical,
)
from symbotunes.evaluation.metrics.figure import Figure
from symbotunes.evaluation.metrics.losses import LOSSES
from symbotunes.evaluation.metrics.musical import HISTOGRAMS
from symbotunes.files import atomic_write
from symbotunes.render.forms import Card, card_of
from symbotunes.render.pages.charts import Series, dot_chart, histogram
from symbotunes.render.pages.figures import write_figures
from symbotunes.render.palette import COLORS
from symbotunes.render.tables import Cell, Chart, Table, cell
from symbotunes.render.templates import render

BOUNDS = "Upper bounds of models of windows, which do not compare with likelihoods"


def write_comparison(folder: Path, comparison: Comparison) -> Path:
    """Write ``compare.json``, ``index.html`` and ``figures/``; returns the page.

    Raises:
        OSError: if the folder cannot be written.
    """
    text = json.dumps(comparison.as_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    atomic_write(folder / "compare.json", text + "\n")
    page = folder / "index.html"
    values = _values(comparison)
    atomic_write(page, render("comparison.html", **values))
    write_figures(page, values)
    return page


def comparison_page(comparison: Comparison) -> str:
    """The page as text, with all charts and sound; it loads nothing."""
    return render("comparison.html", **_values(comparison))


def _values(comparison: Comparison) -> dict[str, Any]:
    """What the template of the page is given."""
    remarks = [*comparison.remarks]
    remarks += [
        f"{column.name}: {note}" for column in comparison.columns for note in column.remarks
    ]
    remarks += [
        f"{column.name} is left out: {column.failure}"
        for column in comparison.columns
        if column.failure
    ]
    return {
        "styles": ["figures.css", "comparison.css"],
        "heading": "Which model is better",
        "facts": comparison.facts,
        "remarks": remarks,
        "general": general_table(comparison),
        "sentences": [difference.sentence for difference in comparison.differences],
        "bounds_title": BOUNDS,
        "bounds": bounds_table(comparison),
        "chart": _chart(comparison),
        "musical": _table(comparison, musical()),
        "histograms": _histograms(comparison),
        "continuations": _continuations(comparison),
        "figures": (general() | musical()).values(),
    }


def bounds_table(comparison: Comparison) -> Table | None:
    """The bounds of models of windows, with the notes that they cover; ``None`` if there are none.

    They stand apart from likelihoods, since both are of other notes.
    """
    columns = [column for column in comparison.measured if column.bound is not None]
    if not columns:
        return None
    figures = {name: figure for name, figure in general().items() if name in LOSSES}
    head = ["model", *(f"{figure.label}, at most" for figure in figures.values())]
    rows: list[list[str | Cell]] = [
        [
            column.name,
            *(cell(figure, bound.figures.get(name)) for name, figure in figures.items()),
            f"{bound.windows:,}",
            f"{bound.pieces:,}",
            f"{bound.notes:,}",
        ]
        for column in columns
        if (bound := column.bound) is not None
    ]
    return Table([*head, "windows", "of pieces", "notes covered"], rows)


def general_table(comparison: Comparison) -> Table:
    """Figures of likelihood, validity, memory and speed, and what they were measured on."""
    columns = comparison.measured
    references = {reference.data: reference for reference in comparison.references}
    pieces = f"{comparison.references[0].split} pieces"
    windows = any(reference.windows for reference in comparison.references)
    extra: Sequence[Sequence[str | Cell]] = [
        ["parameters", *(f"{column.parameters:,}" for column in columns)],
        *_training_rows(columns),
        [pieces, *(f"{references[column.data].pieces:,}" for column in columns)],
        *(
            [["windows of them", *(_windows(references[column.data]) for column in columns)]]
            if windows
            else []
        ),
        [
            "families of versions, which intervals resample",
            *(f"{references[column.data].families:,}" for column in columns),
        ],
        [
            "notes in them",
            *(f"{references[column.data].notes:,}" for column in columns),
        ],
    ]
    rest: list[str | Cell] = [Cell()] * len(comparison.references)
    return _table(comparison, general(), [[*row, *rest] for row in extra])


def _training_rows(columns: Sequence[Column]) -> list[list[str | Cell]]:
    """What the models have cost; a dash where that is not known."""
    trainings = [column.training for column in columns]
    return [
        ["optimizer steps", *(f"{training.steps:,}" for training in trainings)],
        ["tokens seen", *(f"{one.tokens:,}" if one.tokens else Cell() for one in trainings)],
        [
            "seconds of training",
            *(Cell() if one.seconds is None else f"{one.seconds:,.0f}" for one in trainings),
        ],
        ["trained on", *(one.processor or Cell() for one in trainings)],
    ]


def _windows(reference: Reference) -> str:
    return f"{reference.windows:,}" if reference.windows else "whole pieces"


def _table(
    comparison: Comparison, figures: Mapping[str, Figure], more: Sequence[Sequence[str | Cell]] = ()
) -> Table:
    """One row per figure; columns of models, then of test music."""
    rows: list[list[str | Cell]] = [
        [
            figure.label,
            *(_cell(figure, column, name) for column in comparison.measured),
            *(cell(figure, reference.figures.get(name)) for reference in comparison.references),
        ]
        for name, figure in figures.items()
    ]
    names = ["", *(column.name for column in comparison.measured), *_titles(comparison)]
    return Table(names, [*rows, *more])


def _cell(figure: Figure, column: Column, name: str) -> Cell:
    if name in column.reasons:
        return Cell(reason=column.reasons[name])
    return cell(figure, column.figures.get(name))


def _titles(comparison: Comparison) -> list[str]:
    """Titles of the references; with their models, if there are several."""
    if len(comparison.references) == 1:
        return [f"{comparison.references[0].split} set"]
    return [
        f"{reference.split} set of " + ", ".join(
            column.name for column in comparison.measured if column.data == reference.data
        )
        for reference in comparison.references
    ]  # fmt: skip


def _chart(comparison: Comparison) -> Chart | None:
    """Bits per note of the models that have a likelihood, if there are any."""
    figure = general()[FIRST]
    values = {
        column.name: column.figures[FIRST]
        for column in comparison.measured
        if FIRST in column.figures
    }
    if not values:
        return None
    series = [Series(figure.label, values)]
    chart = dot_chart(list(values), series, f"{figure.label} ({figure.advice})")
    return Chart(chart, f"{figure.label.capitalize()} of every model")


def _histograms(comparison: Comparison) -> list[Chart]:
    """Histograms of test music and of as many models as there are colors."""
    reference = comparison.references[0]
    charts = []
    for name, figure in HISTOGRAMS.items():
        groups = {f"{reference.split} set": reference.values[name]}
        groups |= {column.name: column.values[name] for column in comparison.measured}
        chosen = {key: values for key, values in groups.items() if values}
        if chosen:
            first = dict(list(chosen.items())[: len(COLORS)])
            says = f"Histogram of {name}s of the samples and of the {reference.split} set"
            charts.append(Chart(histogram(first, figure.axis, whole=True), says))
    return charts


def _continuations(
    comparison: Comparison,
) -> list[tuple[str, list[tuple[str, Continuation, Card | None]]]]:
    """Each prompt, with the continuations of all models."""
    columns = comparison.measured
    prompts = [continuation.prompt for continuation in columns[0].continuations]
    return [
        (
            prompt,
            [
                _continued(column.name, column.continuations[index])
                for column in comparison.measured
            ],
        )
        for index, prompt in enumerate(prompts)
    ]


def _continued(model: str, continuation: Continuation) -> tuple[str, Continuation, Card | None]:
    sample = continuation.sample
    return model, continuation, None if sample is None else card_of(sample)
