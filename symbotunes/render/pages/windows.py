"""The report of an evaluation of a model of windows: one HTML file, and the figures as JSON."""

import json
from pathlib import Path
from typing import Any

from symbotunes.evaluation.metrics.histograms import OVERLAP
from symbotunes.evaluation.metrics.windows import WINDOWS
from symbotunes.evaluation.windows.findings import WindowFindings
from symbotunes.files import atomic_write
from symbotunes.render.pages.figures import write_figures
from symbotunes.render.pages.latent import prior_charts, prior_table
from symbotunes.render.tables import Cell, Table, cell
from symbotunes.render.templates import render


def write_window_report(folder: Path, findings: WindowFindings) -> Path:
    """Write ``report.json``, ``index.html`` and ``figures/``; returns the page.

    Raises:
        OSError: if the folder cannot be written.
    """
    text = json.dumps(findings.as_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    atomic_write(folder / "report.json", text + "\n")
    page = folder / "index.html"
    values = _values(findings)
    atomic_write(page, render("windows.html", **values))
    write_figures(page, values)
    return page


def window_report_page(findings: WindowFindings) -> str:
    """The page as text, with all charts; it loads nothing."""
    return render("windows.html", **_values(findings))


def _values(findings: WindowFindings) -> dict[str, Any]:
    """What the template of the page is given."""
    generated, held_out = findings.sets
    return {
        "styles": ["figures.css"],
        "heading": findings.heading,
        "facts": findings.facts,
        "remarks": findings.remarks,
        "lead": (
            f"{generated.windows:,} windows of the model next to {held_out.windows:,} "
            f"{held_out.name} windows, measured in the same way, which show the figures of human "
            "music. The model has no likelihood."
        ),
        "windows": _windows(findings),
        "prior": prior_table(findings.prior),
        "prior_charts": prior_charts(findings.prior),
        "figures": [*WINDOWS.values(), OVERLAP],
    }


def _windows(findings: WindowFindings) -> Table:
    rows: list[list[str | Cell]] = [
        [figure.label, *(cell(figure, windows.figures.get(name)) for windows in findings.sets)]
        for name, figure in WINDOWS.items()
    ]
    return Table(["", *(windows.name for windows in findings.sets)], rows)
