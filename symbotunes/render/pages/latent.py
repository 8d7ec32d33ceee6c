"""The report of an evaluation of a latent model: one HTML file, and the figures as JSON."""

import json
from html import escape
from pathlib import Path as File
from string import Template

from symbotunes.evaluation.latent.findings import (
    ACCURACIES,
    COSTS,
    DISTANCE,
    OVERLAP,
    LatentFindings,
    Notes,
    Path,
    Reconstruction,
)
from symbotunes.files import atomic_write
from symbotunes.render.pages.charts import Series, dot_chart, histogram, line_chart
from symbotunes.render.pages.listening import fact, own_file
from symbotunes.render.pages.sequences import cell, picture, remark_list, table


def write_latent_report(folder: File, findings: LatentFindings) -> File:
    """Write ``report.json`` and ``index.html``; returns the page.

    Raises:
        OSError: if the folder cannot be written.
    """
    text = json.dumps(findings.as_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    atomic_write(folder / "report.json", text + "\n")
    page = folder / "index.html"
    atomic_write(page, latent_report_page(findings))
    return page


def latent_report_page(findings: LatentFindings) -> str:
    """The page as text; charts are inside it, and nothing is loaded."""
    found, path = findings.reconstruction, findings.path
    figures = (*ACCURACIES.values(), *COSTS.values(), DISTANCE, OVERLAP)
    return Template(own_file("latent_report.html")).substitute(
        look=own_file("look.css") + own_file("report.css"),
        heading=escape(findings.heading),
        facts="".join(fact(name, value) for name, value in findings.facts.items()),
        remarks=remark_list(findings.remarks),
        heads=_heads(found),
        reconstruction_lead=escape(
            f"{found.windows:,} windows of {found.pieces:,} pieces of the {found.split} split. "
            f"Posterior means differ along {found.active} of {found.latent} axes."
        ),
        accuracies=_accuracies(found),
        accuracy_chart=_accuracy_chart(found),
        costs=table(
            ["", *(figure.label for figure in COSTS.values())],
            [["this model", *(cell(figure, found.costs[key]) for key, figure in COSTS.items())]],
        ),
        path_lead=escape(
            f"{path.pairs:,} pairs of {found.split} windows. A mix of data leaves its ends at an "
            "even pace; a latent space that knows music goes through windows that differ from "
            "both ends and are music all the same."
        ),
        path=_path(path),
        path_chart=picture(
            line_chart(path.shares, path.distances, "way from A to B", DISTANCE.label),
            "Distance from both ends along the way, in the latent space and for a mix of data",
        ),
        prior_lead=escape(_prior_lead(findings)),
        prior=prior_table(findings.prior),
        prior_charts="".join(prior_chart(notes) for notes in findings.prior),
        terms="".join(
            f"<dt>{escape(figure.label)}</dt><dd>{escape(figure.meaning)}</dd>"
            for figure in figures
        ),
    )


def _heads(found: Reconstruction) -> str:
    """The figures that one looks for first."""
    first = next(iter(found.accuracies.values()))
    chosen = [
        *((figure, first[key], "accuracy, ") for key, figure in ACCURACIES.items()),
        *((COSTS[key], found.costs[key], "") for key in ("reconstruction_nats", "kl_nats")),
    ]
    parts = []
    for figure, interval, before in chosen:
        value, span = figure.show(interval)
        parts.append(
            f'<li><b>{value}</b><span class="of">{escape(before + figure.label)}</span>'
            f'<span class="range">{span}</span></li>'
        )
    return "".join(parts)


def _accuracies(found: Reconstruction) -> str:
    rows = [
        [escape(track), *(cell(figure, shares[key]) for key, figure in ACCURACIES.items())]
        for track, shares in found.accuracies.items()
    ]
    return table(["accuracy", *(figure.label for figure in ACCURACIES.values())], rows)


def _accuracy_chart(found: Reconstruction) -> str:
    series = [
        Series(figure.label, {track: shares[key] for track, shares in found.accuracies.items()})
        for key, figure in ACCURACIES.items()
    ]
    chart = dot_chart(list(found.accuracies), series, "share of steps that are right")
    return picture(chart, "Reconstruction accuracy by track")


def _path(path: Path) -> str:
    rows = [
        [f"{share:g}", *(cell(DISTANCE, each[place]) for each in path.distances.values())]
        for place, share in enumerate(path.shares)
    ]
    return table(["way from A to B", *path.distances], rows)


def _prior_lead(findings: LatentFindings) -> str:
    sets = findings.prior[0].overlaps if findings.prior else {}
    text = f"Notes of {findings.samples:,} new windows"
    if any(name.startswith("held out") for name in sets):
        text += ", and of held-out windows for comparison: what can be expected of music by people"
    text += ". The normal prior draws latent vectors as the paper does"
    if "fitted prior" in sets:
        text += ", the fitted one half way between neighboring training windows"
    return f"{text}."


def prior_table(prior: tuple[Notes, ...]) -> str:
    """Overlaps of notes with those of the training windows, by set."""
    sets = list(prior[0].overlaps) if prior else []
    rows = [
        [escape(notes.name), *(cell(OVERLAP, notes.overlaps[name]) for name in sets)]
        for notes in prior
    ]
    return table([OVERLAP.label, *sets], rows)


def prior_chart(notes: Notes) -> str:
    """How notes spread, by set; nothing where there are none."""
    heard = {name: values for name, values in notes.values.items() if values}
    if not heard:
        return ""
    return picture(histogram(heard, notes.name, whole=True), f"How notes spread: {notes.name}")
