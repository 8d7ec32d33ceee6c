"""The page of a sweep: the best job first, and every job drawn where its numbers are."""

import re

import pytest

from symbotunes.render.pages.axes import axis_of
from symbotunes.render.pages.sweep import SweepState, heading_of, sweep_page
from symbotunes.render.pages.sweep_plots import (
    FAINTEST,
    curve_plots,
    looks_of,
    parallel_of,
    scale_of,
    slice_plots,
)
from symbotunes.render.pages.sweep_rows import JobCurve, Row, best_of, short_names
from symbotunes.render.palette import COLORS


def row(number, best, mode="min", *, metric="val/figure", settings=None, **more):
    fields = {
        "status": "finished",
        "settings": {"seed": str(number)} if settings is None else settings,
        "metric": metric,
        "step": 1,
        "tokens_per_second": None,
        "peak_gib": None,
        "samples": None,
        "error": None,
    }
    return Row(number=number, best=best, mode=mode, **{**fields, **more})


def rates(*values):
    """Jobs of a rate each; the loss is ten times the rate."""
    return [
        row(number, 10 * float(value), settings={"model.optimizer.lr": value, "seed": "1"})
        for number, value in enumerate(values)
    ]


@pytest.mark.parametrize(("mode", "order"), [("min", ["1", "2", "0"]), ("max", ["0", "2", "1"])])
def test_the_best_job_comes_first(mode, order):
    rows = [row(number, best, mode) for number, best in enumerate((0.9, 0.1, 0.5))]
    page = sweep_page(SweepState(["seed"], rows))
    body = page.partition("<tbody>")[2]
    assert re.findall(r'<th scope="row">(\d)</th>', body) == order
    assert f"Best job: {order[0]}" in page


def test_jobs_without_a_finite_result_are_never_the_best():
    rows = [row(0, None), row(1, float("inf")), row(2, 5.0), row(3, float("nan"))]
    assert best_of(rows).number == 2
    assert best_of(rows[:2]) is None
    page = sweep_page(SweepState(["seed"], rows[:2]))
    assert "Best job" not in page


def test_results_of_different_quantities_have_no_best_job():
    rows = [row(0, 1.0, quantity="negative log-likelihood"), row(1, 2.0, quantity="a bound")]
    page = sweep_page(SweepState(["seed"], rows))
    assert "Best job" not in page
    assert "do not compare" in page
    assert "a bound, negative log-likelihood" in page


def test_the_heading_names_what_varies():
    rows = [row(0, 1.0)]
    assert heading_of(["model.optimizer.lr", "seed"], rows) == "Sweep over lr and seed"
    assert heading_of(["seed"], rows) == "Sweep over seed"
    assert heading_of([], rows) == "Sweep of 1 job"
    assert short_names(["a.lr", "b.lr", "lr", "model"]) == {
        "a.lr": "a.lr", "b.lr": "b.lr", "lr": "lr", "model": "model",
    }  # fmt: skip


def test_few_jobs_have_colors_of_their_own_and_of_many_the_best_stands_out():
    few = looks_of(rates("1", "2", "3"))
    assert len({look.color for look in few.values()}) == 3
    assert few[0].weight > few[1].weight == few[2].weight
    many = looks_of(rates(*map(str, range(1, 12))))
    assert many[0].color == COLORS[1]
    assert {many[number].color for number in range(1, 11)} == {COLORS[0]}
    opacities = [many[number].opacity for number in range(1, 11)]
    assert opacities == sorted(opacities, reverse=True)
    assert opacities[-1] == pytest.approx(FAINTEST)


def test_rates_are_on_a_logarithmic_axis_and_names_are_in_order():
    scale = scale_of(["1e-4", "1e-3", "1e-2"])
    assert [tick.label for tick in scale.ticks] == ["0.0001", "0.001", "0.01"]
    places = [scale.position(value) for value in ("1e-4", "1e-3", "1e-2")]
    assert places[1] == pytest.approx((places[0] + places[2]) / 2)
    linear = scale_of(["1", "2", "4"])
    assert linear.position("2") - linear.position("1") == pytest.approx(
        (linear.position("4") - linear.position("1")) / 3
    )
    named = scale_of(["gpt2", "null", "gpt2", "folk_rnn_with_a_long_name"])
    assert [tick.label for tick in named.ticks] == ["gpt2", "null", "folk_rnn_with_a…"]
    assert [named.position(value) for value in ("gpt2", "null")] == pytest.approx([1 / 6, 0.5])


def test_long_numbers_are_rounded_and_not_too_many_values_are_named():
    drawn = [str(0.001 * 1.37**index) for index in range(12)]
    labels = [tick.label for tick in scale_of(drawn).ticks]
    assert all(len(label) <= 6 for label in labels)
    assert 2 <= len(labels) <= 6
    page = sweep_page(SweepState(["lr"], [row(0, 1.0, settings={"lr": "0.0012345678901"})]))
    assert "<td>0.001235</td>" in page


def test_curves_of_all_jobs_share_a_plot_over_steps_and_one_over_time():
    rows = [
        row(0, 2.0, curve=JobCurve([10, 20], [60, 120], [3.0, 2.0])),
        row(1, 1.0, status="killed", curve=JobCurve([10, 20], [300, 600], [4.0, 1.0])),
        row(2, None, status="failed", metric=""),
    ]
    steps, minutes = curve_plots(["seed"], rows)
    assert [line.curve.name for line in steps.lines] == ["job 0: seed=0", "job 1: seed=1"]
    assert [line.curve.is_dashed for line in steps.lines] == [False, True]
    assert [curve.name for curve in steps.legend] == ["job 1: seed=1", "job 0: seed=0"]
    assert minutes.x_label == "minutes of training"
    # The axis of time ends 4 % after ten minutes; job 0 ends after two.
    ends = [float(line.points.split()[-1].split(",")[0]) for line in minutes.lines]
    width = minutes.right - minutes.left
    assert ends == pytest.approx([minutes.left + width * m / 10.4 for m in (2, 10)], abs=0.06)


def test_a_slice_has_a_dot_for_each_job_and_a_line_through_the_means():
    rows = [
        row(number, best, settings={"lr": lr, "seed": seed})
        for number, (lr, seed, best) in enumerate(
            [("0.1", "1", 1.0), ("0.1", "2", 3.0), ("0.2", "1", 4.0), ("0.2", "2", 4.0)]
        )
    ]
    by_rate, by_seed = slice_plots(["lr", "seed"], rows)
    mean = by_rate.lines[0].curve
    assert (mean.name, list(mean.x), list(mean.y)) == ("mean", [0.1, 0.2], [2.0, 4.0])
    assert len(by_rate.lines) == len(by_seed.lines) == 5
    says = {text for line in by_rate.lines[1:] for _, _, text in line.marks}
    assert "job 1: lr=0.1, seed=2: 3 at 0.1" in says


def test_parallel_coordinates_lead_each_job_from_its_settings_to_its_result():
    rows = [
        row(0, 1.0, settings={"a": "1", "b": "x", "c": "same"}),
        row(1, 3.0, settings={"a": "2", "b": "y", "c": "same"}),
        row(2, None, settings={"a": "3", "b": "y", "c": "other"}, status="failed"),
    ]
    chart = parallel_of(["a", "b", "c"], rows)
    # The third setting has one value among jobs with a result.
    assert [axis.name for axis in chart.axes] == ["a", "b", "val/figure"]
    worst, best = chart.lines
    assert (worst.says, best.says) == ("job 1: a=2, b=y, c=same, 3", "job 0: a=1, b=x, c=same, 1")
    ys = [float(point.split(",")[1]) for point in best.points.split()]
    height = chart.bottom - chart.top
    expected = [
        axis_of([1.0, 2.0]).position(1.0),
        0.25,  # the first of two names
        axis_of([1.0, 3.0]).position(1.0),
    ]
    assert ys == pytest.approx([chart.bottom - height * place for place in expected], abs=0.06)
    assert parallel_of(["a"], rows) is None


def test_figures_of_evaluations_are_columns_and_take_the_place_of_losses():
    rows = [
        row(number, None, metric="", figures={"bits per note": f"{number}.5"}, samples=None,
            page=f"{number}/index.html", step=None)
        for number in range(2)
    ]  # fmt: skip
    page = sweep_page(SweepState(["ckpt"], rows))
    heads = re.findall(r'<th scope="col">(.*?)</th>', page)
    assert heads == ["job", "status", "ckpt", "bits per note", "samples"]
    assert "<td>1.5</td>" in page
    assert 'href="1/index.html"' in page
