"""Shares of the variance and means over seeds, against sums and products done by hand."""

import itertools
import math
import random

import pytest

from symbotunes.sweeps.analysis import means_over_seeds, variance_shares


def jobs(**values):
    """The settings of a full grid."""
    return [
        dict(zip(values, map(str, choice), strict=True))
        for choice in itertools.product(*values.values())
    ]


def test_shares_of_a_grid_without_interactions_add_up_to_one():
    settings = jobs(lr=(1, 2), seed=(1, 2))
    # 2 x lr + seed: of the variance 1.25, lr makes 1 and seed 0.25.
    found = variance_shares(["lr", "seed"], settings, [0.0, 1.0, 2.0, 3.0])
    assert [(share.key, share.share) for share in found.shares] == [
        ("lr", pytest.approx(0.8)), ("seed", pytest.approx(0.2)),
    ]  # fmt: skip
    assert found.interactions == pytest.approx(0, abs=1e-12)


def test_a_product_of_two_settings_is_all_interaction():
    found = variance_shares(["a", "b"], jobs(a=(-1, 1), b=(-1, 1)), [1.0, -1.0, -1.0, 1.0])
    assert [share.share for share in found.shares] == [0, 0]
    assert found.interactions == pytest.approx(1)


def test_the_share_by_chance_is_the_mean_over_all_ways_to_shuffle_the_results():
    settings = jobs(a=(1, 2, 3), b=(1, 2))
    results = [0.3, 1.7, 2.0, 0.1, 0.9, 1.1]
    shuffled = [
        next(s.share for s in variance_shares(["a"], settings, order).shares)
        for order in itertools.permutations(results)
    ]
    (share,) = variance_shares(["a"], settings, results).shares
    assert share.by_chance == pytest.approx(sum(shuffled) / math.factorial(6))  # 2 / 5


def test_shares_of_settings_that_vary_together_are_not_added_up():
    settings = jobs(a=(1, 2), b=(1, 2))[:3] + jobs(a=(1,), b=(1,))
    found = variance_shares(["a", "b"], settings, [1.0, 2.0, 3.0, 4.0])
    assert found.interactions is None


def test_a_number_that_differs_in_every_job_is_grouped_by_ranges():
    draw = random.Random(0)
    numbers = [draw.uniform(0, 1) for _ in range(12)]
    settings = [{"lr": repr(number)} for number in numbers]
    found = variance_shares(["lr"], settings, numbers)
    (share,) = found.shares
    assert share.groups == 4
    # Three jobs in each range, in the order of the numbers.
    ordered = sorted(numbers)
    means = [sum(ordered[index : index + 3]) / 3 for index in range(0, 12, 3)]
    mean = sum(numbers) / 12
    between = sum((value - mean) ** 2 for value in means) / 4
    assert share.share == pytest.approx(
        between / (sum((number - mean) ** 2 for number in numbers) / 12)
    )


@pytest.mark.parametrize(
    ("settings", "results"),
    [
        (jobs(a=(1, 2, 3)), [1.0, 2.0, 3.0]),  # too few
        (jobs(a=("x", "y", "z", "w")), [1.0, 2.0, 3.0, 4.0]),  # names, each of one job
        (jobs(a=(1, 2), b=(1, 2)), [1.0, 1.0, 1.0, 1.0]),  # nothing varies
        ([], []),
    ],
)
def test_too_few_jobs_have_no_shares(settings, results):
    assert variance_shares(["a"], settings, results) is None


def test_means_over_seeds_have_deviations_and_intervals():
    settings = jobs(lr=("1e-3", "3e-3"), seed=(1, 2, 3))
    first, second = means_over_seeds(["lr", "seed"], settings[:5], [1.0, 2.0, 3.0, 5.0, 7.0])
    assert (dict(first.settings), first.mean, first.deviation) == ({"lr": "1e-3"}, 2.0, 1.0)
    # 4.303 / sqrt(3), from a printed table of Student's t with two degrees of freedom.
    assert first.interval == pytest.approx((2 - 2.4843, 2 + 2.4843), abs=1e-3)
    assert (second.mean, second.interval) == (6.0, None)
    assert second.deviation == pytest.approx(math.sqrt(2))


def test_means_over_seeds_need_jobs_that_differ_in_the_seed_alone():
    assert means_over_seeds(["lr"], jobs(lr=(1, 2)), [1.0, 2.0]) == []
    once = [{"lr": "1", "seed": "1"}, {"lr": "2", "seed": "2"}]
    assert means_over_seeds(["lr", "seed"], once, [1.0, 2.0]) == []
