"""``figures/`` beside a page: every chart on it as SVG, and its numbers as CSV, for a paper."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from symbotunes.files import atomic_write
from symbotunes.render.pages.charts import curves
from symbotunes.render.pages.plots import Plot
from symbotunes.render.tables import Chart

FOLDER = "figures"


def write_figures(page: Path, values: object) -> Path:
    """Write the charts of a page into the folder ``figures`` beside it; returns the folder.

    Args:
        page: where the page is.
        values: of its template, among which the charts are.

    Raises:
        OSError: if the folder cannot be written.
    """
    folder = page.parent / FOLDER
    names: set[str] = set()
    for chart in charts_in(values):
        title = chart.says if isinstance(chart, Chart) else chart.title
        drawing = chart.drawing if isinstance(chart, Chart) else curves(chart)
        name = unused(name_of(title), names)
        atomic_write(folder / f"{name}.svg", drawing.svg)
        atomic_write(folder / f"{name}.csv", drawing.csv)
    return folder


def charts_in(value: object) -> Iterator[Chart | Plot]:
    """All charts in the values of a page, in their order."""
    if isinstance(value, Chart | Plot):
        yield value
    elif isinstance(value, Mapping):
        yield from charts_in(list(value.values()))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from charts_in(part)


def name_of(title: str) -> str:
    """A file name for a title, such as ``loss_nats_per_token``."""
    return "_".join(re.findall("[a-z0-9]+", title.lower()))[:80] or "chart"


def unused(name: str, names: set[str]) -> str:
    """The name, with a number if another chart of the page has it; it is added to the names."""
    numbered = (f"{name}_{number}" for number in range(2, len(names) + 3))
    chosen = name if name not in names else next(other for other in numbered if other not in names)
    names.add(chosen)
    return chosen
