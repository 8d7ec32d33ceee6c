"""Several models side by side: one HTML file with tables, charts, music; figures as JSON."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

from symbotunes.evaluation.comparison.findings import GENERAL, Column, Comparison, Continuation
from symbotunes.evaluation.metrics.figure import Figure
from symbotunes.evaluation.metrics.musical import HISTOGRAMS, MUSICAL
from symbotunes.files import atomic_write
from symbotunes.render.gallery import card_of
from symbotunes.render.pages.charts import COLOURS, Series, dot_chart, histogram
from symbotunes.render.pages.listening import data_uri, fact, own_file
from symbotunes.render.pages.sequences import cell, picture, remark_list, table

AXES = {
    "pitch": "MIDI pitch",
    "interval": "semitones to the next note of the track",
    "duration": "duration in 24ths of a quarter note",
}


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
    terms = (GENERAL | MUSICAL | HISTOGRAMS).values()
    return Template(own_file("comparison.html")).substitute(
        look=own_file("look.css") + own_file("report.css"),
        facts="".join(fact(name, value) for name, value in found.facts.items()),
        remarks=remark_list(remarks),
        figures=_general(found),
        chart=_chart(found),
        musical=_rows(found, MUSICAL | HISTOGRAMS),
        histograms=_histograms(found),
        continuations=_continuations(found),
        terms="".join(
            f"<dt>{escape(each.label)}</dt><dd>{escape(each.meaning)}</dd>" for each in terms
        ),
    )


def _general(found: Comparison) -> str:
    names = {each.data: each for each in found.references}
    pieces = f"{found.references[0].split} pieces"
    extra = [
        ["parameters", *(f"{each.parameters:,}" for each in found.measured)],
        [pieces, *(f"{names[each.data].pieces:,}" for each in found.measured)],
        ["notes in them", *(f"{names[each.data].notes:,}" for each in found.measured)],
    ]
    rest = ['<span class="range">–</span>'] * len(found.references)
    return _rows(found, GENERAL, [[*row, *rest] for row in extra])


def _rows(
    found: Comparison, figures: Mapping[str, Figure], more: Sequence[Sequence[str]] = ()
) -> str:
    """A figure a line; models first, then the test music."""
    rows = [
        [
            escape(figure.label),
            *(_cell(figure, each, name) for each in found.measured),
            *(cell(figure, each.figures.get(name)) for each in found.references),
        ]
        for name, figure in figures.items()
    ]
    return table(["", *(each.name for each in found.measured), *_titles(found)], [*rows, *more])


def _cell(figure: Figure, column: Column, name: str) -> str:
    if name in column.reasons:
        return f'<span class="range why">– {escape(column.reasons[name])}</span>'
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


def _chart(found: Comparison) -> str:
    shown = [each for each in found.measured if "bits_per_note" in each.figures]
    if not shown:
        return ""
    series = [Series("bits per note", {each.name: each.figures["bits_per_note"] for each in shown})]
    chart = dot_chart([each.name for each in shown], series, "bits per note (lower is better)")
    return picture(chart, "Bits per note of every model")


def _histograms(found: Comparison) -> str:
    """Test music and as many models as there are colours."""
    reference = found.references[0]
    parts = []
    for name, axis in AXES.items():
        groups = {f"{reference.split} set": reference.values[name]}
        groups |= {each.name: each.values[name] for each in found.measured}
        chosen = {key: values for key, values in groups.items() if values}
        if chosen:
            first = dict(list(chosen.items())[: len(COLOURS)])
            says = f"Histogram of {name}s of the samples and of the {reference.split} set"
            parts.append(picture(histogram(first, axis, whole=True), says))
    return "".join(parts)


def _continuations(found: Comparison) -> str:
    prompts = [one.prompt for one in found.measured[0].continuations]
    if not prompts:
        return '<p class="lead">compare.prompts is empty.</p>'
    return "".join(
        f"<h3>{escape(prompt)}</h3>"
        f'<div class="side">{"".join(_side(each, at) for each in found.measured)}</div>'
        for at, prompt in enumerate(prompts)
    )


def _side(column: Column, at: int) -> str:
    return f"<div><h4>{escape(column.name)}</h4>{_music(column.continuations[at])}</div>"


def _music(one: Continuation) -> str:
    if one.sample is None:
        return f'<p class="range why">– {escape(one.reason)}</p>'
    card = card_of(one.sample)
    parts = []
    if "wav" in card.content:
        parts.append(f'<audio controls src="{data_uri("wav", card.content["wav"])}"></audio>')
    seen = "svg" if "svg" in card.content else "png"
    if seen in card.content:
        label = f"{'Notation' if seen == 'svg' else 'Piano roll'} of {escape(one.sample.title)}"
        source = data_uri(seen, card.content[seen])
        parts.append(
            f'<div class="paper" tabindex="0" role="group" aria-label="{label}">'
            f'<img alt="{label}" src="{source}"></div>'
        )
    reasons = [*card.notes, *(f"no {name}: {why}" for name, why in card.failures.items())]
    return "".join(parts) + remark_list(reasons)
