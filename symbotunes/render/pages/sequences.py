"""The report of an evaluation: one HTML file with tables and charts, and the figures as JSON."""

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.evaluation.metrics.figure import Figure
from symbotunes.evaluation.sequences.findings import LOSSES, TUNES, Findings, HeldOut, TuneSet
from symbotunes.files import atomic_write
from symbotunes.render.pages.charts import Series, dot_chart, histogram
from symbotunes.render.pages.listening import data_uri, fact, own_file

OF_A_HUNDRED = [
    name for name, figure in TUNES.items() if figure.suffix or name.startswith(("bleu", "rouge"))
]


def write_report(folder: Path, findings: Findings) -> Path:
    """Write ``report.json`` and ``index.html``; returns the page.

    Raises:
        OSError: if the folder cannot be written.
    """
    text = json.dumps(findings.as_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    atomic_write(folder / "report.json", text + "\n")
    page = folder / "index.html"
    atomic_write(page, report_page(findings))
    return page


def report_page(findings: Findings) -> str:
    """The page as text; charts are inside it, and nothing is loaded."""
    held_out, sets = findings.held_out, findings.sets
    return Template(own_file("report.html")).substitute(
        look=own_file("look.css") + own_file("report.css"),
        heading=escape(findings.heading),
        facts="".join(fact(name, value) for name, value in findings.facts.items()),
        remarks=remark_list(findings.remarks),
        heads=_heads(held_out, sets[0]),
        held_out_lead=_held_out_lead(held_out),
        losses=_loss_table(held_out),
        loss_chart=_loss_chart(held_out),
        piece_chart=_piece_chart(held_out),
        classes=_class_table(held_out),
        class_chart=_class_chart(held_out),
        tunes_lead=escape(
            f"{sets[0].tunes:,} generated tunes beside {sets[1].tunes:,} {sets[1].name} tunes that "
            "were measured in the same way: they show what a figure is for music by people."
        ),
        tunes=_tune_table(sets),
        tune_chart=_tune_chart(sets),
        copy_lead=_copy_lead(sets),
        copy_chart=picture(
            histogram(
                {each.name: each.runs for each in sets},
                "tokens of the longest copied run",
                whole=True,
            ),
            "How long the longest run of tokens is that a tune shares with one training tune",
        ),
        terms="".join(
            f"<dt>{escape(figure.label)}</dt><dd>{escape(figure.meaning)}</dd>"
            for figure in (*LOSSES.values(), *_shown(sets).values())
        ),
    )


def _held_out_lead(held_out: HeldOut) -> str:
    text = (
        f"{held_out.pieces:,} tunes of the {held_out.split} split, {held_out.tokens:,} tokens, "
        f"{held_out.notes:,} notes."
    )
    if held_out.gains:
        text += (
            " The n-gram models (Kneser-Ney) were fitted on the same training tunes; gains are "
            "paired, tune by tune."
        )
    return escape(text)


def remark_list(remarks: Sequence[str]) -> str:
    """Remarks as a list, or nothing."""
    items = "".join(f"<li>{escape(remark)}</li>" for remark in remarks)
    return f'<ul class="remarks">{items}</ul>' if items else ""


def _heads(held_out: HeldOut, generated: TuneSet) -> str:
    """The four figures that one looks for first."""
    ours = next(iter(held_out.models.values()))
    chosen = [
        *((LOSSES[name], ours[name]) for name in ("nats_per_token", "bits_per_note")),
        *(
            (TUNES[name], generated.figures[name])
            for name in ("well_formed", "right_bars", "longest_copy")
            if name in generated.figures
        ),
    ]
    parts = []
    for figure, interval in chosen:
        value, span = figure.show(interval)
        parts.append(
            f'<li><b>{value}</b><span class="of">{escape(figure.label)}</span>'
            f'<span class="range">{span}</span></li>'
        )
    return "".join(parts)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], ours: int = -1) -> str:
    """A table of cells that are HTML already; the row `ours` stands out."""
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr{" class=ours" if place == ours else ""}><th scope="row">{first}</th>'
        + "".join(f"<td>{cell}</td>" for cell in rest)
        + "</tr>"
        for place, (first, *rest) in enumerate(rows)
    )
    return (
        '<div class="scroll"><table><thead><tr>'
        f"{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def cell(figure: Figure, interval: Interval | None) -> str:
    """A figure with its interval, or a dash."""
    if interval is None or not interval.is_finite:
        return '<span class="range">–</span>'
    value, span = figure.show(interval)
    return f'{value}<span class="range">{span}</span>'


def _loss_table(held_out: HeldOut) -> str:
    rows = [
        [
            escape(name),
            *(cell(figure, figures.get(key)) for key, figure in LOSSES.items()),
            cell(LOSSES["nats_per_token"], held_out.gains.get(name)),
        ]
        for name, figures in held_out.models.items()
    ]
    head = ["model", *(figure.label for figure in LOSSES.values()), "our gain, nats per token"]
    return table(head, rows, ours=0)


def _class_table(held_out: HeldOut) -> str:
    head = ["kind of token", "tokens", "share", *held_out.models]
    rows = [
        [
            escape(each.name),
            f"{each.tokens:,}",
            f"{100 * each.share:.1f} %",
            *(cell(LOSSES["nats_per_token"], each.nats.get(name)) for name in held_out.models),
        ]
        for each in held_out.classes
    ]
    return table(head, rows)


def _shown(sets: Sequence[TuneSet]) -> dict[str, Figure]:
    return {
        name: figure for name, figure in TUNES.items() if any(name in each.figures for each in sets)
    }


def _tune_table(sets: Sequence[TuneSet]) -> str:
    rows = [
        [escape(figure.label), *(cell(figure, each.figures.get(name)) for each in sets)]
        for name, figure in _shown(sets).items()
    ]
    return table(["", *(f"{each.name}, {each.tunes:,} tunes" for each in sets)], rows)


def _loss_chart(held_out: HeldOut) -> str:
    values = {name: figures["nats_per_token"] for name, figures in held_out.models.items()}
    ours, *others = values.items()
    series = [Series("this model", dict([ours]))]
    if others:
        series.append(Series("n-gram models", dict(others)))
    chart = dot_chart(list(values), series, "nats per token (lower is better)")
    return picture(chart, "Nats per token of this model and of the n-gram models")


def _strongest(held_out: HeldOut) -> list[str]:
    """Our model and the baseline that comes nearest."""
    ours, *others = held_out.models
    best = sorted(others, key=lambda name: held_out.models[name]["nats_per_token"].value)[:1]
    return [ours, *best]


def _piece_chart(held_out: HeldOut) -> str:
    chart = histogram(
        {name: held_out.by_piece[name] for name in _strongest(held_out)}, "nats per token of a tune"
    )
    return picture(chart, "How nats per token spread over the tunes")


def _class_chart(held_out: HeldOut) -> str:
    series = [
        Series(name, {each.name: each.nats[name] for each in held_out.classes})
        for name in _strongest(held_out)
    ]
    chart = dot_chart([each.name for each in held_out.classes], series, "nats per token")
    return picture(chart, "Nats per token by kind of token")


def _tune_chart(sets: Sequence[TuneSet]) -> str:
    """All figures that run from 0 to 100."""
    rows = {name: figure for name, figure in _shown(sets).items() if name in OF_A_HUNDRED}
    series = [
        Series(
            each.name,
            {
                figure.label: _scaled(each.figures[name], figure.scale)
                for name, figure in rows.items()
                if name in each.figures
            },
        )
        for each in sets
    ]
    chart = dot_chart(
        [figure.label for figure in rows.values()], series, "percent, or points of 100"
    )
    return picture(chart, "Figures of generated and of held-out tunes")


def _scaled(interval: Interval, factor: float) -> Interval:
    return Interval(factor * interval.value, factor * interval.low, factor * interval.high)


def _copy_lead(sets: Sequence[TuneSet]) -> str:
    """What the longest copies are, in words."""
    parts = [
        "The longest run of tokens that each tune shares with one training tune. Far more than in "
        "held-out tunes means that the model recites; far less, that it misses the phrases which "
        "tunes have in common."
    ]
    for each in sets:
        longest = max(each.runs, default=0)
        source = f", from “{each.copied_from}”" if each.copied_from else ""
        parts.append(f"The longest of {each.name} tunes: {longest:,} tokens{source}.")
    return escape(" ".join(parts))


def picture(svg: bytes, says: str) -> str:
    """A chart on paper, with words for those who do not see it."""
    return (
        f'<div class="paper" tabindex="0" role="group" aria-label="{escape(says)}">'
        f'<img alt="{escape(says)}; the tables hold the figures" '
        f'src="{data_uri("svg", svg)}"></div>'
    )
