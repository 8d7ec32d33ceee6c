"""The report of an evaluation of a latent model: one HTML file, and the figures as JSON."""

import json
from pathlib import Path as File
from typing import Any

from symbotunes.evaluation.latent.findings import LatentFindings, Notes, Path, Reconstruction
from symbotunes.evaluation.metrics.histograms import OVERLAP
from symbotunes.evaluation.metrics.reconstruction import ACCURACIES, COSTS, DISTANCE
from symbotunes.evaluation.metrics.tunes import GRAMMAR
from symbotunes.files import atomic_write
from symbotunes.render.pages.charts import Series, dot_chart, histogram, line_chart
from symbotunes.render.pages.figures import write_figures
from symbotunes.render.tables import Cell, Chart, Head, Table, cell, head
from symbotunes.render.templates import render


def write_latent_report(folder: File, findings: LatentFindings) -> File:
    """Write ``report.json``, ``index.html`` and ``figures/``; returns the page.

    Raises:
        OSError: if the folder cannot be written.
    """
    text = json.dumps(findings.as_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    atomic_write(folder / "report.json", text + "\n")
    page = folder / "index.html"
    values = _values(findings)
    atomic_write(page, render("latent.html", **values))
    write_figures(page, values)
    return page


def latent_report_page(findings: LatentFindings) -> str:
    """The page as text, with all charts; it loads nothing."""
    return render("latent.html", **_values(findings))


def _values(findings: LatentFindings) -> dict[str, Any]:
    """What the template of the page is given."""
    reconstruction, path = findings.reconstruction, findings.path
    return {
        "styles": ["figures.css"],
        "heading": findings.heading,
        "facts": findings.facts,
        "remarks": findings.remarks,
        "heads": _heads(reconstruction),
        "reconstruction_lead": (
            f"{reconstruction.windows:,} windows of {reconstruction.pieces:,} pieces of the "
            f"{reconstruction.split} split, in {reconstruction.families:,} families of versions, "
            f"which the intervals resample. {_twins(reconstruction)}"
            f"Posterior means vary along {reconstruction.active} of {reconstruction.latent} axes."
        ),
        "accuracies": _accuracies(reconstruction),
        "accuracy_chart": _accuracy_chart(reconstruction),
        "costs": _costs(reconstruction),
        "path_lead": (
            f"{path.pairs:,} pairs of {reconstruction.split} windows. A mix of the data moves "
            "evenly from one end to the other; a good latent space passes through windows that "
            "differ from both ends and are still musical."
        ),
        "path": _path(path),
        "path_chart": Chart(
            line_chart(path.shares, path.distances, "way from A to B", DISTANCE.label),
            "Distance from both ends along the way, in the latent space and for a mix of data",
        ),
        "prior_lead": _prior_lead(findings),
        "prior": prior_table(findings.prior),
        "prior_charts": prior_charts(findings.prior),
        "figures": [*ACCURACIES.values(), *COSTS.values(), DISTANCE, OVERLAP],
    }


def _twins(reconstruction: Reconstruction) -> str:
    if reconstruction.apart is None:
        return ""
    return (
        f"{reconstruction.apart.exact:,} of them are training windows note for note, "
        f"{reconstruction.apart.in_some_key:,} in some key. "
    )


def _heads(reconstruction: Reconstruction) -> list[Head]:
    """The headline figures."""
    first = next(iter(reconstruction.accuracies.values()))
    return [
        head(figure, figures[key], before)
        for kind, figures, before in (
            (ACCURACIES, first, "accuracy, "),
            (COSTS, reconstruction.costs, ""),
        )
        for key, figure in kind.items()
        if figure.headline
    ]


def _accuracies(reconstruction: Reconstruction) -> Table:
    rows: list[list[str | Cell]] = [
        [track, *(cell(figure, shares[key]) for key, figure in ACCURACIES.items())]
        for track, shares in reconstruction.accuracies.items()
    ]
    if reconstruction.apart is not None and reconstruction.apart.in_some_key:
        shares = reconstruction.apart.accuracies
        values = (cell(figure, shares[key]) for key, figure in ACCURACIES.items())
        rows.append([_without_twins(reconstruction), *values])
    return Table(["accuracy", *(figure.label for figure in ACCURACIES.values())], rows)


def _accuracy_chart(reconstruction: Reconstruction) -> Chart:
    series = [
        Series(
            figure.label,
            {track: shares[key] for track, shares in reconstruction.accuracies.items()},
        )
        for key, figure in ACCURACIES.items()
    ]
    chart = dot_chart(list(reconstruction.accuracies), series, "fraction of correct steps")
    return Chart(chart, "Reconstruction accuracy by track")


def _costs(reconstruction: Reconstruction) -> Table:
    names = ["", *(figure.label for figure in COSTS.values())]
    costs = (cell(figure, reconstruction.costs[key]) for key, figure in COSTS.items())
    rows: list[list[str | Cell]] = [["this model", *costs]]
    if reconstruction.apart is not None and reconstruction.apart.in_some_key:
        others = (cell(figure, reconstruction.apart.costs[key]) for key, figure in COSTS.items())
        rows.append([_without_twins(reconstruction), *others])
    return Table(names, rows)


def _without_twins(reconstruction: Reconstruction) -> str:
    count = reconstruction.windows - (
        reconstruction.apart.in_some_key if reconstruction.apart else 0
    )
    return f"the {count:,} windows that training has in no key"


def _path(path: Path) -> Table:
    rows: list[list[str | Cell]] = [
        [f"{share:g}", *(cell(DISTANCE, points[index]) for points in path.distances.values())]
        for index, share in enumerate(path.shares)
    ]
    return Table(["way from A to B", *path.distances], rows)


def _prior_lead(findings: LatentFindings) -> str:
    sets = findings.prior[0].overlaps if findings.prior else {}
    text = f"Notes of {findings.samples:,} new windows"
    if any(name.startswith("held out") for name in sets):
        text += ", and of held-out windows for comparison with human music"
    text += ". The normal prior samples latent vectors as in the paper"
    if "fitted prior" in sets:
        text += ", the fitted prior halfway between neighboring training windows"
    return f"{text}.{_grammar(findings)}"


def _grammar(findings: LatentFindings) -> str:
    """The grammar errors of new windows, in a sentence; empty where any windows are right."""
    figure = GRAMMAR["grammar_errors"]
    shown = [
        f"{' '.join(figure.show(figures[figure.key]))} ({name})"
        for name, figures in findings.grammar.items()
    ]
    label = figure.label[0].upper() + figure.label[1:]
    return f" {label}: {', '.join(shown)}." if shown else ""


def prior_table(prior: tuple[Notes, ...]) -> Table:
    """Overlaps of notes with those of the training windows, by set."""
    sets = list(prior[0].overlaps) if prior else []
    rows: list[list[str | Cell]] = [
        [notes.name, *(cell(OVERLAP, notes.overlaps[name]) for name in sets)] for notes in prior
    ]
    return Table([OVERLAP.label, *sets], rows)


def prior_charts(prior: tuple[Notes, ...]) -> list[Chart]:
    """Histograms of notes by set, for every statistic that has values."""
    return [_prior_chart(notes) for notes in prior if any(notes.values.values())]


def _prior_chart(notes: Notes) -> Chart:
    groups = {name: values for name, values in notes.values.items() if values}
    return Chart(histogram(groups, notes.name, whole=True), f"Histogram of notes: {notes.name}")
