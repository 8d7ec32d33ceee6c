"""The page of the leaderboards, as Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symbotunes.render.templates import render

NOT_MEASURED = "not measured"
COLUMNS = {  # of a table: figure -> heading and decimals, or None for a percentage
    "bits_per_note": ("bits per note", 3),
    "nats_per_token": ("nats per token", 3),
    "well_formed": ("well-formed", None),
    "seen_ngrams": ("8-grams seen in training", None),
    "tokens_per_second": ("tokens per second", 0),
}


@dataclass(frozen=True)
class Line:
    """A row of a leaderboard.

    Attributes:
        name: of the row.
        about: what it is.
        minutes: the budget that its steps were chosen for; ``None`` if it is not trained.
        result: content of its JSON file; ``None`` if it has not been measured.
    """

    name: str
    about: str
    minutes: int | None
    result: Mapping[str, Any] | None

    @property
    def runs(self) -> Sequence[Mapping[str, Any]]:
        """What each seed gave."""
        return self.result["runs"] if self.result else []

    @property
    def bits_per_note(self) -> float:
        """By which lines are sorted; those without come last."""
        values = [run["figures"]["bits_per_note"]["value"] for run in self.runs]
        return sum(values) / len(values) if values else float("inf")


def leaderboard_page(boards: Mapping[str, Sequence[Line]]) -> str:
    """The page of all benchmarks.

    Args:
        boards: lines by the name of the benchmark.
    """
    tables = {name: table(lines) for name, lines in boards.items()}
    return render("leaderboard.md", tables=tables)


def table(lines: Sequence[Line]) -> dict[str, Any]:
    """What the template needs to know about one benchmark."""
    measured = sorted(lines, key=lambda line: (line.bits_per_note, line.name))
    results = [line.result for line in measured if line.result]
    head = [
        "row",
        "what",
        *(heading for heading, _ in COLUMNS.values()),
        "steps",
        "minutes",
        "seeds",
    ]
    return {
        "head": head,
        "rows": [cells(line) for line in measured],
        "data": results[0]["data"] if results else None,
        "people": people(results),
        "sizes": results[0]["runs"][0] if results else None,
        "processors": sorted({result["environment"]["processor"] for result in results}),
    }


def cells(line: Line) -> list[str]:
    """The cells of one line."""
    if not line.runs:
        empty = [NOT_MEASURED, *([""] * (len(COLUMNS) - 1))]
        return [line.name, line.about, *empty, "", "", ""]
    figures = [pooled([run["figures"].get(name) for run in line.runs]) for name in COLUMNS]
    texts = [
        "" if figure is None else written(figure, decimals)
        for figure, (_, decimals) in zip(figures, COLUMNS.values(), strict=True)
    ]
    steps = "" if line.runs[0]["steps"] is None else f"{line.runs[0]['steps']:,}"
    minutes = sum(run["seconds"] or 0 for run in line.runs) / len(line.runs) / 60
    seeds = "" if line.runs[0]["seed"] is None else str(len(line.runs))
    return [line.name, line.about, *texts, steps, f"{minutes:.1f}", seeds]


def pooled(figures: Sequence[Mapping[str, float | None] | None]) -> dict[str, float | None] | None:
    """The mean over seeds, between the lowest and the highest end of their intervals."""
    given = [figure for figure in figures if figure is not None and figure["value"] is not None]
    if not given:
        return None
    values = [float(figure["value"] or 0) for figure in given]
    lows = [figure["low"] for figure in given if figure["low"] is not None]
    highs = [figure["high"] for figure in given if figure["high"] is not None]
    whole = len(lows) == len(highs) == len(given)
    return {
        "value": sum(values) / len(values),
        "low": min(lows) if whole else None,
        "high": max(highs) if whole else None,
    }


def written(figure: Mapping[str, float | None], decimals: int | None) -> str:
    """A figure and its interval."""

    def text(number: float | None) -> str:
        value = number or 0.0
        return f"{100 * value:.0f} %" if decimals is None else f"{value:,.{decimals}f}"

    if figure["low"] is None:
        return text(figure["value"])
    return f"{text(figure['value'])} ({text(figure['low'])} to {text(figure['high'])})"


def people(results: Sequence[Mapping[str, Any]]) -> str:
    """Which share of 8-grams of held-out tunes is seen in training; empty if no row tells."""
    for result in results:
        figure = result["runs"][0]["figures"].get("human_seen_ngrams")
        if figure is not None:
            return written(figure, None)
    return ""
