from dataclasses import astuple

import numpy as np
import pytest

from symbotunes.evaluation.metrics.bootstrap import Bootstrap, Interval, ratio


def test_a_constant_has_an_interval_of_no_width():
    assert Bootstrap().mean([3.0] * 20) == Interval(3.0, 3.0, 3.0)


def test_a_mean_lies_in_its_interval_and_the_interval_is_as_wide_as_theory_says():
    values = np.random.default_rng(1).normal(5, 2, 400)
    found = Bootstrap(resamples=2000).mean(values)
    assert found.value == pytest.approx(values.mean())
    half = 1.96 * values.std() / 20  # normal theory: the standard error is s / sqrt(400)
    assert found.low == pytest.approx(values.mean() - half, abs=0.05)
    assert found.high == pytest.approx(values.mean() + half, abs=0.05)


def test_four_times_the_pieces_halve_the_interval():
    values = np.random.default_rng(2).normal(0, 1, 1600)
    few, many = (Bootstrap().mean(values[:count]) for count in (400, 1600))
    assert (many.high - many.low) / (few.high - few.low) == pytest.approx(0.5, abs=0.1)


@pytest.mark.slow("draws hundreds of bootstraps")
def test_ninety_five_percent_of_intervals_cover_the_truth():
    random = np.random.default_rng(3)
    covered = 0
    for seed in range(200):
        found = Bootstrap(resamples=300, seed=seed).mean(random.exponential(1, 60))
        covered += found.low <= 1 <= found.high
    assert 0.88 <= covered / 200 <= 0.99  # binomial spread, and a little too narrow for skew


# Of ten units of two kinds, 95 % of draws take 2 to 8 of the first kind: the binomial distribution
# gives 1.1 % to more than 8 and 5.5 % to more than 7.
ENDS = pytest.approx(((8 * 10 + 2 * 90) / (8 * 10 + 2 * 30), (2 * 10 + 8 * 90) / (2 * 10 + 8 * 30)))


def test_a_ratio_weighs_pieces_by_their_size():
    rows = [(10.0, 10.0), (90.0, 30.0)] * 5
    found = Bootstrap().interval(rows, ratio)
    assert found.value == 2.5  # 100 / 40, not the mean of 1 and 3
    assert (found.low, found.high) == ENDS


@pytest.mark.parametrize(("count", "given"), [(1, False), (9, False), (10, True), (11, True)])
def test_an_interval_needs_ten_units(count, given):
    found = Bootstrap().mean([1.0, 2.0] * count)
    alone = Bootstrap().over(np.repeat(np.arange(count), 2)).mean([1.0, 2.0] * count)
    assert found.value == alone.value == 1.5
    assert found.has_ends is (2 * count >= 10)
    assert alone.has_ends is given
    assert alone.is_defined
    assert alone.as_dict() == {"value": 1.5, "low": 1.5 if given else None,
                               "high": 1.5 if given else None}  # fmt: skip


def test_an_interval_tells_whether_it_leaves_out_zero():
    assert Interval(1.0, 0.5, 1.5).leaves_out_zero is True
    assert Interval(-1.0, -1.5, -0.5).leaves_out_zero is True
    assert Interval(1.0, -0.5, 1.5).leaves_out_zero is False
    assert Interval(1.0, 0.0, 1.5).leaves_out_zero is False
    assert Bootstrap().mean([1.0] * 9).leaves_out_zero is None


def test_the_same_seed_gives_the_same_interval_and_another_gives_another():
    values = np.random.default_rng(4).random(30)
    assert Bootstrap(seed=7).mean(values) == Bootstrap(seed=7).mean(values)
    assert Bootstrap(seed=7).mean(values) != Bootstrap(seed=8).mean(values)


def test_paired_differences_are_sharper_than_the_figures_themselves():
    random = np.random.default_rng(5)
    hardness = random.normal(0, 3, 200)
    first, second = hardness + random.normal(0, 0.1, 200), hardness + 0.2
    difference = Bootstrap().mean(second - first)
    assert difference.low > 0.15
    assert Bootstrap().mean(first).high > Bootstrap().mean(second).low


def test_what_divides_by_nothing_is_undefined():
    assert not Bootstrap().interval([(0.0, 0.0)], ratio).is_defined
    assert not Bootstrap().interval([(0.0, 0.0)] * 10, ratio).is_defined
    assert not Bootstrap().mean([]).is_defined


def test_draws_in_which_a_figure_is_undefined_do_not_count():
    found = Bootstrap().interval([(4.0, 2.0), *[(0.0, 0.0)] * 9], ratio)
    assert (found.value, found.low, found.high) == (2.0, 2.0, 2.0)


@pytest.mark.parametrize("wrong", [{"resamples": 0}, {"confidence": 1.0}, {"confidence": 0.0}])
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Bootstrap(**wrong)


def test_versions_of_a_piece_say_no_more_than_the_piece():
    """Six transpositions each of 21 pieces are 21 pieces, not 126."""
    values = np.random.default_rng(4).normal(5, 2, 21)
    pieces = np.repeat(np.arange(21), 6)
    once = Bootstrap().mean(values)
    grouped = Bootstrap().over(pieces).mean(values[pieces])
    assert astuple(grouped) == pytest.approx(astuple(once))
    narrow = Bootstrap().mean(values[pieces])  # as if they were independent
    assert (once.high - once.low) / (narrow.high - narrow.low) == pytest.approx(6**0.5, rel=0.15)


def test_units_of_unequal_size_are_drawn_as_they_are():
    units = [10 * unit + kind for unit in range(5) for kind in (7, 3, 7)]
    rows = [(1.0, 1.0), (90.0, 30.0), (9.0, 9.0)] * 5
    found = Bootstrap().over(units).interval(rows, ratio)
    assert found.value == 2.5  # (1 + 9 + 90) / (1 + 9 + 30)
    assert (found.low, found.high) == ENDS


def test_some_rows_keep_their_units():
    bootstrap = Bootstrap().over([4, 4, 5, 6])
    assert (bootstrap.count, bootstrap.at([True, False, True, False]).count) == (3, 2)
    assert bootstrap.at([0, 1]).mean([1.0, 2.0]).value == 1.5
    assert Bootstrap().at([0]).count is None


def test_every_row_must_have_a_unit():
    with pytest.raises(ValueError, match="2 rows, but 3 of them have a unit"):
        Bootstrap().over([0, 0, 1]).mean([1.0, 2.0])
