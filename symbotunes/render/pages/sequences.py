"""The report of an evaluation: one HTML file with tables and charts, and the figures as JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.evaluation.metrics.figure import Figure
from symbotunes.evaluation.metrics.infilling import INFILLING
from symbotunes.evaluation.metrics.losses import LOSSES
from symbotunes.evaluation.metrics.set_distances import SetDistances
from symbotunes.evaluation.metrics.set_features import FEATURES
from symbotunes.evaluation.metrics.tunes import TUNES
from symbotunes.evaluation.sequences.findings import Findings, HeldOut, Infilling, TuneSet
from symbotunes.files import atomic_write
from symbotunes.render.pages.charts import Series, dot_chart, histogram
from symbotunes.render.pages.figures import write_figures
from symbotunes.render.tables import Cell, Chart, Head, Table, cell, head
from symbotunes.render.templates import render

OF_A_HUNDRED = ("%", "of 100")  # units
DISTANCE_COLUMNS = (
    "within generated",
    "within held out",
    "between",
    "overlap, generated",
    "overlap, held out",
    "KL, generated",
    "KL, held out",
)


def write_report(folder: Path, findings: Findings) -> Path:
    """Write ``report.json``, ``index.html`` and ``figures/``; returns the page.

    Raises:
        OSError: if the folder cannot be written.
    """
    text = json.dumps(findings.as_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    atomic_write(folder / "report.json", text + "\n")
    page = folder / "index.html"
    values = _values(findings)
    atomic_write(page, render("sequences.html", **values))
    write_figures(page, values)
    return page


def report_page(findings: Findings) -> str:
    """The page as text, with all charts; it loads nothing."""
    return render("sequences.html", **_values(findings))


def _values(findings: Findings) -> dict[str, Any]:
    """What the template of the page is given."""
    held_out, sets = findings.held_out, findings.sets
    return {
        "styles": ["figures.css"],
        "heading": findings.heading,
        "facts": findings.facts,
        "remarks": findings.remarks,
        "heads": _heads(held_out, sets[0]),
        "held_out_lead": _held_out_lead(held_out),
        "losses": _loss_table(held_out),
        "loss_chart": _loss_chart(held_out),
        "piece_chart": _piece_chart(held_out),
        "classes": _class_table(held_out),
        "class_chart": _class_chart(held_out),
        "tunes_lead": (
            f"{sets[0].tunes:,} generated tunes next to {sets[1].tunes:,} {sets[1].name} tunes, "
            "measured in the same way, which show the figures of human music."
        ),
        "tunes": _tune_table(sets),
        "tune_chart": _tune_chart(sets),
        "copy_lead": _copy_lead(sets),
        "copy_chart": _copy_chart(sets),
        "infilling_lead": _infilling_lead(findings.infilling),
        "infilling": _infilling_table(findings.infilling),
        "distances": distance_table(findings.distances),
        "figures": [
            *LOSSES.values(),
            *_shown(sets).values(),
            *(INFILLING.values() if findings.infilling else ()),
            *(figure for name, figure in FEATURES.items() if name in findings.distances),
        ],
    }


def distance_table(distances: Mapping[str, SetDistances]) -> Table:
    """Distances within and between the sets, by feature."""
    rows: list[list[str | Cell]] = [
        [
            FEATURES[name].label,
            *(f"{value:.3g}" for value in (one.generated.mean, one.held_out.mean, one.between)),
            *(f"{value:.3f}" for value in (one.generated.area, one.held_out.area)),
            *(f"{value:.3f}" for value in (one.generated.divergence, one.held_out.divergence)),
        ]
        for name, one in distances.items()
    ]
    return Table(["", *DISTANCE_COLUMNS], rows)


def _infilling_lead(infilling: Infilling | None) -> str:
    """What was filled in; empty if nothing was."""
    if infilling is None:
        return ""
    text = (
        f"{infilling.bars} neighboring bars in a random place of each of {len(infilling.raw):,} "
        "held-out tunes, written anew under the constraint."
    )
    if infilling.passed_over:
        text += (
            f" {infilling.passed_over:,} tunes that the constraint does not accept are left out."
        )
    return text


def _infilling_table(infilling: Infilling | None) -> Table:
    figures = {} if infilling is None else infilling.figures
    rows: list[list[str | Cell]] = [
        [figure.label, cell(figure, figures.get(key))] for key, figure in INFILLING.items()
    ]
    return Table(["", "this model"], rows)


def _held_out_lead(held_out: HeldOut) -> str:
    text = (
        f"{held_out.pieces:,} tunes of the {held_out.split} split in {held_out.families:,} "
        "families of versions, which intervals resample; "
        f"{held_out.tokens:,} tokens, {held_out.notes:,} notes."
    )
    if held_out.related:
        text += f" Of {held_out.related:,} of them a version is trained on."
    if held_out.gains:
        text += (
            " The n-gram models (Kneser-Ney) were fitted on the same training tunes; gains are "
            "paired by tune."
        )
    return text


def _heads(held_out: HeldOut, generated: TuneSet) -> list[Head]:
    """The headline figures."""
    ours = next(iter(held_out.models.values()))
    return [
        head(figure, figures[name])
        for kind, figures in ((LOSSES, ours), (TUNES, generated.figures))
        for name, figure in kind.items()
        if figure.headline and name in figures
    ]


def _loss_table(held_out: HeldOut) -> Table:
    rows: list[list[str | Cell]] = [
        [
            name,
            *(cell(figure, figures.get(key)) for key, figure in LOSSES.items()),
            cell(LOSSES["nats_per_token"], held_out.gains.get(name)),
        ]
        for name, figures in held_out.models.items()
    ]
    rows += [
        [
            f"{name}, on tunes without a version in training",
            *(cell(figure, figures.get(key)) for key, figure in LOSSES.items()),
            Cell(),
        ]
        for name, figures in held_out.apart.items()
    ]
    names = ["model", *(figure.label for figure in LOSSES.values()), "our gain, nats per token"]
    return Table(names, rows, ours=0)


def _class_table(held_out: HeldOut) -> Table:
    rows: list[list[str | Cell]] = [
        [
            token_class.name,
            f"{token_class.tokens:,}",
            f"{100 * token_class.share:.1f} %",
            *(
                cell(LOSSES["nats_per_token"], token_class.nats.get(name))
                for name in held_out.models
            ),
        ]
        for token_class in held_out.classes
    ]
    return Table(["kind of token", "tokens", "share", *held_out.models], rows)


def _shown(sets: Sequence[TuneSet]) -> dict[str, Figure]:
    return {
        name: figure
        for name, figure in TUNES.items()
        if any(name in tunes.figures for tunes in sets)
    }


def _tune_table(sets: Sequence[TuneSet]) -> Table:
    rows: list[list[str | Cell]] = [
        [figure.label, *(cell(figure, tunes.figures.get(name)) for tunes in sets)]
        for name, figure in _shown(sets).items()
    ]
    return Table(["", *(f"{tunes.name}, {tunes.tunes:,} tunes" for tunes in sets)], rows)


def _loss_chart(held_out: HeldOut) -> Chart:
    figure = LOSSES["nats_per_token"]
    values = {name: figures[figure.key] for name, figures in held_out.models.items()}
    ours, *others = values.items()
    series = [Series("this model", dict([ours]))]
    if others:
        series.append(Series("n-gram models", dict(others)))
    chart = dot_chart(list(values), series, f"{figure.label} ({figure.advice})")
    return Chart(chart, "Nats per token of this model and of the n-gram models")


def _strongest(held_out: HeldOut) -> list[str]:
    """This model and the best baseline."""
    ours, *others = held_out.models
    best = sorted(others, key=lambda name: held_out.models[name]["nats_per_token"].value)[:1]
    return [ours, *best]


def _piece_chart(held_out: HeldOut) -> Chart:
    chart = histogram(
        {name: held_out.by_piece[name] for name in _strongest(held_out)}, "nats per token of a tune"
    )
    return Chart(chart, "Histogram of nats per token of tunes")


def _class_chart(held_out: HeldOut) -> Chart:
    series = [
        Series(name, {item.name: item.nats[name] for item in held_out.classes})
        for name in _strongest(held_out)
    ]
    chart = dot_chart([item.name for item in held_out.classes], series, "nats per token")
    return Chart(chart, "Nats per token by kind of token")


def _tune_chart(sets: Sequence[TuneSet]) -> Chart:
    """All figures on a scale from 0 to 100."""
    rows = {name: figure for name, figure in _shown(sets).items() if figure.unit in OF_A_HUNDRED}
    series = [
        Series(
            tunes.name,
            {
                figure.label: _scaled(tunes.figures[name], figure.scale)
                for name, figure in rows.items()
                if name in tunes.figures
            },
        )
        for tunes in sets
    ]
    chart = dot_chart(
        [figure.label for figure in rows.values()], series, "percent, or points of 100"
    )
    return Chart(chart, "Figures of generated and of held-out tunes")


def _scaled(interval: Interval, factor: float) -> Interval:
    return Interval(factor * interval.value, factor * interval.low, factor * interval.high)


def _copy_lead(sets: Sequence[TuneSet]) -> str:
    """A description of the longest copies."""
    parts = [
        "The longest run of tokens that each tune shares with one training tune. Far more than in "
        "held-out tunes means that the model recites; far less means that it misses the phrases "
        "that tunes have in common."
    ]
    for tunes in sets:
        longest = max(tunes.runs, default=0)
        source = f", from “{tunes.copied_from}”" if tunes.copied_from else ""
        parts.append(f"The longest of {tunes.name} tunes: {longest:,} tokens{source}.")
    return " ".join(parts)


def _copy_chart(sets: Sequence[TuneSet]) -> Chart:
    chart = histogram(
        {tunes.name: tunes.runs for tunes in sets}, "tokens of the longest copied run", whole=True
    )
    return Chart(
        chart, "Histogram of the longest run of tokens that a tune shares with one training tune"
    )
