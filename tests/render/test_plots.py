"""Axes with round ticks, and curves where their numbers say."""

import math

import pytest

from symbotunes.render.pages.axes import Axis, axis_of, linear_ticks, log_ticks, short
from symbotunes.render.pages.plots import Curve, plot_of, thinned, time_unit


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (0, "0"), (4.16081762, "4.161"), (1500, "1,500"), (0.25, "0.25"), (0.0005, "0.0005"),
        (3e-5, "3e-5"), (-0.5, "-0.5"), (1_000_000, "1M"), (2_500_000, "2.5M"),
        (3.25e12, "3.25e12"), (math.inf, "inf"), (99_999.6, "100,000"),
    ],
)  # fmt: skip
def test_numbers_have_short_labels(value, label):
    assert short(value) == label


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 60, [0, 10, 20, 30, 40, 50, 60]),
        (3.9, 4.26, [3.9, 4.0, 4.1, 4.2]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (0, 2600, [0, 500, 1000, 1500, 2000, 2500]),
    ],
)
def test_ticks_are_multiples_of_one_two_or_five(low, high, ticks):
    assert linear_ticks(low, high, 6) == pytest.approx(ticks)


def test_ticks_of_a_logarithmic_axis_are_powers_of_ten_or_finer():
    assert log_ticks(0.9e-4, 1.1e-1, 6) == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1])
    assert log_ticks(90, 1100, 6) == pytest.approx([100, 200, 500, 1000])
    assert len(log_ticks(1e-30, 1e30, 6)) <= 6


def test_values_that_span_a_factor_of_ten_are_logarithmic_unless_some_are_not_positive():
    assert axis_of([1, 10]).is_log
    assert not axis_of([1, 9.9]).is_log
    assert not axis_of([0, 10]).is_log
    assert not axis_of([1, 10], log=False).is_log
    # The middle of a logarithmic axis is the geometric mean.
    axis = axis_of([1e-4, 1e-2])
    assert axis.position(1e-3) == pytest.approx(0.5)


@pytest.mark.parametrize("values", [[], [math.nan], [2.0], [0.0, 0.0], [-3.0, -3.0], [5e-324]])
def test_an_axis_of_few_values_has_a_length_and_contains_them(values):
    axis = axis_of(values)
    assert axis.low < axis.high
    finite = [value for value in values if math.isfinite(value)]
    assert all(0 <= axis.position(value) <= 1 for value in finite)
    assert all(0 <= tick.position <= 1 for tick in axis.ticks())


def test_labels_of_an_axis_have_as_many_decimals_each():
    assert [tick.label for tick in Axis(3.9, 4.26).ticks()] == ["3.9", "4.0", "4.1", "4.2"]


def test_a_curve_is_drawn_where_its_numbers_are():
    plot = plot_of("Loss", [Curve("ours", [0, 50, 100], [1.0, 3.0, 2.0])], log=False)
    (line,) = plot.lines
    points = [tuple(map(float, point.split(","))) for point in line.points.split()]
    # The axes leave 4 % of the range: of 0 to 100 on the right, of 1 to 3 below and above.
    width, height = plot.right - plot.left, plot.bottom - plot.top
    expected = [
        (plot.left + width * x / 104, plot.bottom - height * (y - 0.92) / (3.08 - 0.92))
        for x, y in ((0, 1), (50, 3), (100, 2))
    ]
    assert points == [pytest.approx(point, abs=0.06) for point in expected]
    assert plot.description == "Loss over optimizer steps: ours from 1 at 0 to 2 at 100"


def test_numbers_that_are_not_finite_are_left_out_and_a_plot_of_none_is_none():
    curve = Curve("ours", [1, 2, 3], [1.0, math.nan, math.inf])
    plot = plot_of("Loss", [curve, Curve("empty", [], [])])
    assert [len(line.points.split()) for line in plot.lines] == [1]
    assert [says for _, _, says in plot.lines[0].marks] == ["ours: 1 at 1"]  # visible all the same
    assert plot_of("Loss", [Curve("ours", [1], [math.nan])]) is None


def test_long_curves_are_thinned_and_keep_their_ends_and_extremes():
    points = [(float(x), math.sin(x)) for x in range(10_000)]
    points[1234], points[7654] = (1234.0, 9.0), (7654.0, -9.0)
    kept = thinned(points, most=100)
    assert len(kept) <= 100
    assert kept == sorted(kept)
    assert {points[0], points[-1], points[1234], points[7654]} <= set(kept)
    assert thinned(points[:100], most=100) == points[:100]


def test_times_have_a_unit_that_leaves_few_digits():
    assert [time_unit(seconds) for seconds in (100, 200, 20_000)] == [
        (1, "seconds"), (60, "minutes"), (3600, "hours"),
    ]  # fmt: skip
