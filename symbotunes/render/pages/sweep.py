"""The page of a sweep: one table of its jobs, and how the result depends on every setting."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from symbotunes.render.pages.charts import COLOURS
from symbotunes.render.pages.listening import own_file

UNITS = {"val/loss": "nats per token"}
WIDTH, HEIGHT, MARGIN = 300, 210, 40  # px


@dataclass(frozen=True)
class Row:
    """One job as the report shows it.

    Attributes:
        number: of the job.
        status: of the job.
        settings: what it sets, by key.
        metric: name of what is best.
        best: its value.
        step: optimizer steps when it was reached.
        tokens_per_second: speed of training.
        peak_gib: memory, GiB.
        samples: address of its listening page, relative to the report.
        error: what stopped it.
        mode: ``min`` if less of `metric` is better, ``max`` if more is.
    """

    number: int
    status: str
    settings: Mapping[str, str]
    metric: str
    best: float | None
    step: int | None
    tokens_per_second: float | None
    peak_gib: float | None
    samples: str | None
    error: str | None
    mode: str = "min"


def sweep_page(name: str, keys: Sequence[str], rows: Sequence[Row]) -> str:
    """The page as text; nothing is loaded. The best job comes first."""
    metric = next((row.metric for row in rows if row.metric), "value")
    label = f"{metric} ({UNITS[metric]})" if metric in UNITS else metric
    heads = ["job", "status", *keys, label, "at step", "tokens/s", "peak memory (GiB)", "samples"]
    body = "".join(_line(row, keys) for row in sorted(rows, key=_rank))
    done = sum(row.status == "finished" for row in rows)
    charts = "".join(slice_chart(key, rows, label) for key in keys)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(name)}</title><style>{own_file('look.css')}"
        "table{border-collapse:collapse}td,th{padding:.3em .6em;text-align:left}"
        "main{max-width:90rem;margin:0 auto;padding:1.5rem}"
        ".wide{overflow-x:auto}.slices{display:flex;flex-wrap:wrap;gap:1em}</style>"
        f"<main><h1>Sweep {escape(name)}</h1><p>{done} of {len(rows)} jobs finished.</p>"
        f'<div class="wide"><table><thead><tr>'
        f"{''.join(f'<th>{escape(head)}</th>' for head in heads)}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
        f'<div class="slices">{charts}</div></main></html>\n'
    )


def _rank(row: Row) -> tuple[bool, float, int]:
    finite = _finite(row)
    value = row.best if finite and row.best is not None else 0.0
    return not finite, value if row.mode == "min" else -value, row.number


def _finite(row: Row) -> bool:
    return row.best is not None and math.isfinite(row.best)


def _line(row: Row, keys: Sequence[str]) -> str:
    link = f'<a href="{quote(row.samples)}">listen</a>' if row.samples else ""
    status = escape(row.status) + (f": {escape(row.error)}" if row.error else "")
    cells = [
        str(row.number),
        status,
        *(escape(row.settings.get(key, "")) for key in keys),
        "" if row.best is None else f"{row.best:.4f}",
        "" if row.step is None else f"{row.step:,}",
        "" if row.tokens_per_second is None else f"{row.tokens_per_second:,.0f}",
        "" if row.peak_gib is None else f"{row.peak_gib:.2f}",
        link,
    ]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def slice_chart(key: str, rows: Sequence[Row], label: str) -> str:
    """The result over one setting, a dot for each job; numbers far apart on a logarithmic axis."""
    shown = [row for row in rows if _finite(row) and key in row.settings]
    if not shown:
        return ""
    places = _places([row.settings[key] for row in shown])
    results = [row.best or 0.0 for row in shown]
    low, high = min(results), max(results)
    dots = []
    for row, place, result in zip(shown, places, results, strict=True):
        x = MARGIN + place * (WIDTH - 2 * MARGIN)
        share = (result - low) / (high - low) if high > low else 0.5
        y = HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN)
        said = escape(f"job {row.number}: {key}={row.settings[key]}, {result:.4f}")
        dots.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{COLOURS[0]}" fill-opacity=".7">'
            f"<title>{said}</title></circle>"
        )
    first, last = (
        escape(shown[places.index(end)].settings[key]) for end in (min(places), max(places))
    )
    small = 'font-size="11" fill="currentColor"'
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{escape(label)} over '
        f'{escape(key)}"><text x="0" y="12" {small}>{escape(label)}</text>'
        f'<text x="0" y="{MARGIN + 4}" {small}>{high:.2f}</text>'
        f'<text x="0" y="{HEIGHT - MARGIN + 4}" {small}>{low:.2f}</text>'
        f'<text x="{MARGIN}" y="{HEIGHT - 20}" {small}>{first}</text>'
        f'<text x="{WIDTH - 4}" y="{HEIGHT - 20}" text-anchor="end" {small}>{last}</text>'
        f'<text x="{WIDTH // 2}" y="{HEIGHT - 4}" text-anchor="middle" {small}>{escape(key)}'
        f"</text>{_frame()}"
        f"{''.join(dots)}</svg>"
    )


def _frame() -> str:
    """The two axes, a little outside the dots."""
    left, bottom = MARGIN - 8, HEIGHT - MARGIN + 8
    return (
        f'<path d="M{left} {MARGIN - 8}V{bottom}H{WIDTH - MARGIN + 8}" fill="none" '
        'stroke="currentColor" stroke-opacity=".4"/>'
    )


def _places(values: Sequence[str]) -> list[float]:
    """Where values stand between 0 and 1: by size if they are numbers, else in turn."""
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        names = list(dict.fromkeys(values))
        numbers = [float(names.index(value)) for value in values]
    if min(numbers) > 0 and max(numbers) >= 10 * min(numbers):
        numbers = [math.log(number) for number in numbers]
    low, high = min(numbers), max(numbers)
    return [(number - low) / (high - low) if high > low else 0.5 for number in numbers]
