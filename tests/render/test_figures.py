"""The charts of a page as files for a paper."""

import csv
import xml.etree.ElementTree as ET

import pytest

from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.render.pages.charts import Series, curves, dot_chart, histogram, line_chart
from symbotunes.render.pages.figures import write_figures
from symbotunes.render.pages.plots import Curve, plot_of
from symbotunes.render.tables import Chart


def table(text):
    return list(csv.reader(text.splitlines()))


def test_dots_are_rows_with_their_intervals():
    values = {"ours": Interval(1.5, 1.25, 2.0), "trigram": Interval(3.0, 2.0, 4.0)}
    drawing = dot_chart(["trigram", "ours", "absent"], [Series("test", values)], "nats")
    assert table(drawing.csv) == [
        ["row", "series", "nats", "low", "high"],
        ["trigram", "test", "3", "2", "4"],
        ["ours", "test", "1.5", "1.25", "2"],
    ]


def test_lines_are_rows_by_position():
    drawing = line_chart([0.0, 0.5], {"path": [Interval(1, 0, 2), Interval(3, 2, 4)]}, "way", "far")
    assert table(drawing.csv) == [
        ["way", "series", "far", "low", "high"],
        ["0", "path", "1", "0", "2"],
        ["0.5", "path", "3", "2", "4"],
    ]


def test_bins_have_their_bounds_and_each_group_a_percentage():
    drawing = histogram({"ours": [60, 60, 61, 62], "theirs": [61, 62]}, "pitch", whole=True)
    assert table(drawing.csv) == [
        ["pitch, from", "to", "ours, percentage", "theirs, percentage"],
        ["59.5", "60.5", "50", "0"],
        ["60.5", "61.5", "25", "50"],
        ["61.5", "62.5", "25", "50"],
    ]


def test_curves_keep_all_finite_points():
    nan = float("nan")
    plot = plot_of(
        "Loss (nats)",
        [Curve("training", [10, 20, 30], [4.0, nan, 2.0]), Curve("validation", [20], [3.0])],
    )
    assert table(curves(plot).csv) == [
        ["optimizer steps", "series", "Loss (nats)"],
        ["10", "training", "4"],
        ["30", "training", "2"],
        ["20", "validation", "3"],
    ]


@pytest.fixture
def values():
    """What a page is given: charts in lists and alone, among other things."""
    chart = Chart(histogram({"ours": [1, 2]}, "pitch"), "Histogram of pitches (ours & theirs)")
    plot = plot_of("Loss", [Curve("a <b> $x$", [1, 2], [1.0, 100.0])])
    return {"heading": "A page", "charts": [chart, chart], "curves": [plot], "absent": None}


def test_every_chart_of_a_page_is_a_drawing_and_a_table(values, tmp_path):
    folder = write_figures(tmp_path / "index.html", values)
    names = ["histogram_of_pitches_ours_theirs", "histogram_of_pitches_ours_theirs_2", "loss"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{name}.{suffix}" for name in names for suffix in ("csv", "svg")
    )
    for name in names:
        root = ET.fromstring((folder / f"{name}.svg").read_bytes())
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert len(table((folder / f"{name}.csv").read_text())) >= 2


def test_the_same_figures_are_the_same_bytes(values, tmp_path):
    first, second = (write_figures(tmp_path / name / "page.html", values) for name in "ab")
    assert {path.name: path.read_bytes() for path in first.iterdir()} == {
        path.name: path.read_bytes() for path in second.iterdir()
    }
