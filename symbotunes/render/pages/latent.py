"""The report of an evaluation of a latent model: one HTML file, and the figures as JSON."""

import json
from pathlib import Path as File

from symbotunes.evaluation.latent.findings import LatentFindings, Notes, Path, Reconstruction
from symbotunes.evaluation.metrics.histograms import OVERLAP
from symbotunes.evaluation.metrics.reconstruction import ACCURACIES, COSTS, DISTANCE
from symbotunes.files import atomic_write
from symbotunes.render.pages.charts import Series, dot_chart, histogram, line_chart
from symbotunes.render.tables import Cell, Chart, Head, Table, cell, head
from symbotunes.render.templates import render


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
    return render(
        "latent.html",
        styles=["figures.css"],
        heading=findings.heading,
        facts=findings.facts,
        remarks=findings.remarks,
        heads=_heads(found),
        reconstruction_lead=(
            f"{found.windows:,} windows of {found.pieces:,} pieces of the {found.split} split, in "
            f"{found.families:,} families of versions, which intervals draw anew. "
            f"Posterior means differ along {found.active} of {found.latent} axes."
        ),
        accuracies=_accuracies(found),
        accuracy_chart=_accuracy_chart(found),
        costs=_costs(found),
        path_lead=(
            f"{path.pairs:,} pairs of {found.split} windows. A mix of data leaves its ends at an "
            "even pace; a latent space that knows music goes through windows that differ from "
            "both ends and are music all the same."
        ),
        path=_path(path),
        path_chart=Chart(
            line_chart(path.shares, path.distances, "way from A to B", DISTANCE.label),
            "Distance from both ends along the way, in the latent space and for a mix of data",
        ),
        prior_lead=_prior_lead(findings),
        prior=prior_table(findings.prior),
        prior_charts=prior_charts(findings.prior),
        figures=[*ACCURACIES.values(), *COSTS.values(), DISTANCE, OVERLAP],
    )


def _heads(found: Reconstruction) -> list[Head]:
    """The figures that one looks for first."""
    first = next(iter(found.accuracies.values()))
    return [
        head(figure, figures[key], before)
        for kind, figures, before in ((ACCURACIES, first, "accuracy, "), (COSTS, found.costs, ""))
        for key, figure in kind.items()
        if figure.headline
    ]


def _accuracies(found: Reconstruction) -> Table:
    rows: list[list[str | Cell]] = [
        [track, *(cell(figure, shares[key]) for key, figure in ACCURACIES.items())]
        for track, shares in found.accuracies.items()
    ]
    return Table(["accuracy", *(figure.label for figure in ACCURACIES.values())], rows)


def _accuracy_chart(found: Reconstruction) -> Chart:
    series = [
        Series(figure.label, {track: shares[key] for track, shares in found.accuracies.items()})
        for key, figure in ACCURACIES.items()
    ]
    chart = dot_chart(list(found.accuracies), series, "share of steps that are right")
    return Chart(chart, "Reconstruction accuracy by track")


def _costs(found: Reconstruction) -> Table:
    names = ["", *(figure.label for figure in COSTS.values())]
    costs = (cell(figure, found.costs[key]) for key, figure in COSTS.items())
    return Table(names, [["this model", *costs]])


def _path(path: Path) -> Table:
    rows: list[list[str | Cell]] = [
        [f"{share:g}", *(cell(DISTANCE, each[place]) for each in path.distances.values())]
        for place, share in enumerate(path.shares)
    ]
    return Table(["way from A to B", *path.distances], rows)


def _prior_lead(findings: LatentFindings) -> str:
    sets = findings.prior[0].overlaps if findings.prior else {}
    text = f"Notes of {findings.samples:,} new windows"
    if any(name.startswith("held out") for name in sets):
        text += ", and of held-out windows for comparison: what can be expected of music by people"
    text += ". The normal prior draws latent vectors as the paper does"
    if "fitted prior" in sets:
        text += ", the fitted one half way between neighboring training windows"
    return f"{text}."


def prior_table(prior: tuple[Notes, ...]) -> Table:
    """Overlaps of notes with those of the training windows, by set."""
    sets = list(prior[0].overlaps) if prior else []
    rows: list[list[str | Cell]] = [
        [notes.name, *(cell(OVERLAP, notes.overlaps[name]) for name in sets)] for notes in prior
    ]
    return Table([OVERLAP.label, *sets], rows)


def prior_charts(prior: tuple[Notes, ...]) -> list[Chart]:
    """How notes spread, by set, for every statistic of which there are notes."""
    return [_prior_chart(notes) for notes in prior if any(notes.values.values())]


def _prior_chart(notes: Notes) -> Chart:
    heard = {name: values for name, values in notes.values.items() if values}
    return Chart(histogram(heard, notes.name, whole=True), f"How notes spread: {notes.name}")
