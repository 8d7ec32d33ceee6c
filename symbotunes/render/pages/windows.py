"""The report of an evaluation of a model of windows: one HTML file, and the figures as JSON."""

import json
from html import escape
from pathlib import Path
from string import Template

from symbotunes.evaluation.latent.findings import OVERLAP
from symbotunes.evaluation.windows.findings import WINDOWS, WindowFindings
from symbotunes.files import atomic_write
from symbotunes.render.pages.latent import prior_chart, prior_table
from symbotunes.render.pages.listening import fact, own_file
from symbotunes.render.pages.sequences import cell, remark_list, table


def write_window_report(folder: Path, findings: WindowFindings) -> Path:
    """Write ``report.json`` and ``index.html``; returns the page.

    Raises:
        OSError: if the folder cannot be written.
    """
    text = json.dumps(findings.as_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    atomic_write(folder / "report.json", text + "\n")
    page = folder / "index.html"
    atomic_write(page, window_report_page(findings))
    return page


def window_report_page(findings: WindowFindings) -> str:
    """The page as text; charts are inside it, and nothing is loaded."""
    written, held_out = findings.sets
    figures = (*WINDOWS.values(), OVERLAP)
    return Template(own_file("window_report.html")).substitute(
        look=own_file("look.css") + own_file("report.css"),
        heading=escape(findings.heading),
        facts="".join(fact(name, value) for name, value in findings.facts.items()),
        remarks=remark_list(findings.remarks),
        lead=escape(
            f"{written.windows:,} windows of the model beside {held_out.windows:,} "
            f"{held_out.name} windows that were measured in the same way: they show what a figure "
            "is for music by people. The model has no likelihood."
        ),
        figures=table(
            ["", *(each.name for each in findings.sets)],
            [
                [
                    escape(figure.label),
                    *(cell(figure, each.figures.get(name)) for each in findings.sets),
                ]
                for name, figure in WINDOWS.items()
            ],
        ),
        prior=prior_table(findings.prior),
        prior_charts="".join(prior_chart(notes) for notes in findings.prior),
        terms="".join(
            f"<dt>{escape(figure.label)}</dt><dd>{escape(figure.meaning)}</dd>"
            for figure in figures
        ),
    )
