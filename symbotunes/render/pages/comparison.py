"""Several models side by side: one HTML file with tables, charts, music; figures as JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from symbotunes.evaluation.comparison.findings import (
    FIRST,
    Column,
    Comparison,
    Continuation,
    general,
    musical,
)
from symbotunes.evaluation.metrics.figure import Figure
from symbotunes.evaluation.metrics.musical import HISTOGRAMS
from symbotunes.files import atomic_write
from symbotunes.render.forms import Card, card_of
from symbotunes.render.pages.charts import COLORS, Series, dot_chart, histogram
from symbotunes.render.tables import Cell, Chart, Table, cell
from symbotunes.render.templates import render


def write_comparison(folder: Path, found: Comparison) -> Path:
    """Write ``compare.json`` and ``index.html``; returns the page.

    Raises:
        OSError: if the folder cannot be written.
    """
    text = json.dumps(found.as_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    atomic_write(folder / "compare.json", text + "\n")
    page = folder / "index.html"
    atomic_write(page, comparison_page(found))
    return page


def comparison_page(found: Comparison) -> str:
    """The page as text; charts and sound are inside it, and nothing is loaded."""
    remarks = [*found.remarks]
    remarks += [f"{each.name}: {note}" for each in found.columns for note in each.remarks]
    remarks += [
        f"{each.name} is left out: {each.failure}" for each in found.columns if each.failure
    ]
    return render(
        "comparison.html",
        styles=["figures.css", "comparison.css"],
        heading="Which model is better",
        facts=found.facts,
        remarks=remarks,
        general=_general(found),
        chart=_chart(found),
        musical=_table(found, musical()),
        histograms=_histograms(found),
        continuations=_continuations(found),
        figures=(general() | musical()).values(),
    )


def _general(found: Comparison) -> Table:
    names = {each.data: each for each in found.references}
    pieces = f"{found.references[0].split} pieces"
    extra = [
        ["parameters", *(f"{each.parameters:,}" for each in found.measured)],
        [pieces, *(f"{names[each.data].pieces:,}" for each in found.measured)],
        [
            "families, which intervals draw",
            *(f"{names[each.data].families:,}" for each in found.measured),
        ],
        ["notes in them", *(f"{names[each.data].notes:,}" for each in found.measured)],
    ]
    rest = [Cell()] * len(found.references)
    return _table(found, general(), [[*row, *rest] for row in extra])


def _table(
    found: Comparison, figures: Mapping[str, Figure], more: Sequence[Sequence[str | Cell]] = ()
) -> Table:
    """A figure a line; models first, then the test music."""
    rows: list[list[str | Cell]] = [
        [
            figure.label,
            *(_cell(figure, each, name) for each in found.measured),
            *(cell(figure, each.figures.get(name)) for each in found.references),
        ]
        for name, figure in figures.items()
    ]
    names = ["", *(each.name for each in found.measured), *_titles(found)]
    return Table(names, [*rows, *more])


def _cell(figure: Figure, column: Column, name: str) -> Cell:
    if name in column.reasons:
        return Cell(reason=column.reasons[name])
    return cell(figure, column.figures.get(name))


def _titles(found: Comparison) -> list[str]:
    """Of the references: whose, where there are several."""
    if len(found.references) == 1:
        return [f"{found.references[0].split} set"]
    return [
        f"{each.split} set of " + ", ".join(
            one.name for one in found.measured if one.data == each.data
        )
        for each in found.references
    ]  # fmt: skip


def _chart(found: Comparison) -> Chart | None:
    """Bits per note of the models that have a likelihood, if there are any."""
    figure = general()[FIRST]
    values = {each.name: each.figures[FIRST] for each in found.measured if FIRST in each.figures}
    if not values:
        return None
    series = [Series(figure.label, values)]
    chart = dot_chart(list(values), series, f"{figure.label} ({figure.advice})")
    return Chart(chart, f"{figure.label.capitalize()} of every model")


def _histograms(found: Comparison) -> list[Chart]:
    """Test music and as many models as there are colors."""
    reference = found.references[0]
    charts = []
    for name, figure in HISTOGRAMS.items():
        groups = {f"{reference.split} set": reference.values[name]}
        groups |= {each.name: each.values[name] for each in found.measured}
        chosen = {key: values for key, values in groups.items() if values}
        if chosen:
            first = dict(list(chosen.items())[: len(COLORS)])
            says = f"Histogram of {name}s of the samples and of the {reference.split} set"
            charts.append(Chart(histogram(first, figure.axis, whole=True), says))
    return charts


def _continuations(
    found: Comparison,
) -> list[tuple[str, list[tuple[str, Continuation, Card | None]]]]:
    """By prompt, what each model made of it."""
    prompts = [one.prompt for one in found.measured[0].continuations]
    return [
        (prompt, [_continued(each.name, each.continuations[at]) for each in found.measured])
        for at, prompt in enumerate(prompts)
    ]


def _continued(model: str, one: Continuation) -> tuple[str, Continuation, Card | None]:
    return model, one, None if one.sample is None else card_of(one.sample)
