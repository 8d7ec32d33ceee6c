"""The results of a listening test: a page with tables and plots, JSON, and the ratings as CSV."""

import csv
import io
import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from symbotunes.evaluation.listening.questions import HIGHEST, LOWEST, NAMES, OVERALL
from symbotunes.evaluation.listening.ratings import Key, Listener
from symbotunes.evaluation.listening.results import COLUMNS, Difference, Results
from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.files import atomic_write
from symbotunes.render.pages.charts import Series, dot_chart
from symbotunes.render.tables import Cell, Chart, Table
from symbotunes.render.templates import render

ROW_CHARACTERS, ROW_LINES = 30, 2  # of the label of a row


def write_results(
    folder: Path,
    results: Results,
    ratings: tuple[Key, Sequence[Listener]],
    *,
    facts: Mapping[str, str],
    remarks: Sequence[str],
) -> Path:
    """Write ``results.json``, ``ratings.csv`` and ``index.html``; returns the page.

    Raises:
        OSError: if the folder cannot be written.
    """
    content = {"facts": dict(facts), "remarks": list(remarks), **results.as_dict()}
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    atomic_write(folder / "results.json", text + "\n")
    atomic_write(folder / "ratings.csv", ratings_csv(*ratings))
    page = folder / "index.html"
    atomic_write(page, results_page(results, facts, remarks))
    return page


def ratings_csv(key: Key, listeners: Sequence[Listener]) -> str:
    """One row for every piece that a listener rated."""
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(["listener", "position", "piece", "source", "round", "seconds", *NAMES])
    for listener in listeners:
        for position, rating in enumerate(listener.ratings, start=1):
            source, number = key.pieces[rating.piece]
            answers = [rating.answers[name] for name in NAMES]
            row = [listener.name, position, rating.piece, source, number, rating.seconds]
            table.writerow([*row, *answers])
    return buffer.getvalue()


def results_page(results: Results, facts: Mapping[str, str], remarks: Sequence[str]) -> str:
    """The page as text, with all charts; it loads nothing."""
    rows = {_row(mark): name for name, mark in marked(results).items() if results.ratings[name]}
    means = [
        Series(question, {row: results.means[name][question] for row, name in rows.items()})
        for question in COLUMNS
    ]
    pairs = {_pair(one, results): one.mean for one in results.overall}
    shown = {pair: mean for pair, mean in pairs.items() if mean.is_defined}
    return render(
        "listening_results.html",
        styles=["figures.css", "comparison.css"],
        heading="What listeners heard",
        facts=facts,
        remarks=remarks,
        sentences=results.sentences,
        means_chart=Chart(
            dot_chart(list(rows), means, f"mean rating, from {LOWEST} to {HIGHEST}"),
            "Mean ratings of every source, overall and by question",
        ),
        means=means_table(results),
        differences_chart=Chart(
            dot_chart(list(shown), [Series(OVERALL, shown)], "difference of mean ratings, points"),
            "Differences of overall ratings between any two sources",
        ),
        overall=differences_table(results, results.overall),
        by_question=differences_table(results, results.by_question),
    )


def means_table(results: Results, *, spans: bool = True) -> Table:
    """Mean ratings by source; without intervals if there is no room for `spans`."""
    marks = marked(results)
    rows: list[list[str | Cell]] = []
    for source in results.sources:
        cells = [_cell(results.means[source][name]) for name in COLUMNS]
        shown = cells if spans else [Cell(cell.value) for cell in cells]
        rows.append([marks[source], *shown, f"{results.ratings[source]:,}"])
    return Table(["", *COLUMNS, "ratings"], rows)


def differences_table(results: Results, differences: Sequence[Difference]) -> Table:
    """Differences of the results, with their p-values."""
    rows: list[list[str | Cell]] = [
        [
            _pair(one, results),
            one.question,
            _cell(one.mean, sign="+"),
            _p(one.by_listeners),
            _p(one.by_rounds),
            _p(one.p),
        ]
        for one in differences
    ]
    head = ["", "of", "difference", "p, listeners", "p, rounds", "p, corrected"]
    return Table(head, rows)


def marked(results: Results) -> dict[str, str]:
    """Every source with a number in front, which stands for it where there is little room."""
    return {name: f"{number}: {name}" for number, name in enumerate(results.sources, start=1)}


def _row(label: str) -> str:
    """The label of a row of a chart, which is narrow."""
    return "\n".join(textwrap.wrap(label, ROW_CHARACTERS)[:ROW_LINES])


def _pair(difference: Difference, results: Results) -> str:
    first, second = (
        results.sources.index(name) + 1 for name in (difference.first, difference.second)
    )
    return f"{first}\u00a0over\u00a0{second}"


def _cell(interval: Interval, sign: str = "") -> Cell:
    if not interval.is_defined:
        return Cell()
    value, low, high = (
        f"{number:{sign}.2f}" for number in (interval.value, interval.low, interval.high)
    )
    return Cell(value, f"[{low}, {high}]" if interval.has_ends else "")


def _p(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"{value:.2g}"
