"""What is concluded from ratings: right of listeners who are simulated, and of a few by hand."""

import numpy as np
import pytest

from symbotunes.evaluation.listening.questions import NAMES, OVERALL
from symbotunes.evaluation.listening.ratings import Key, Listener, Rating
from symbotunes.evaluation.listening.results import crossed_interval, least_units, measure
from symbotunes.evaluation.metrics.bootstrap import Bootstrap
from tests.evaluation.listening.simulated import listeners

DRAWS = Bootstrap(resamples=100)


def results_of(effects, seed, **size):
    return measure(*listeners(effects, np.random.default_rng(seed), **size), DRAWS)


def test_without_differences_few_tests_find_any():
    random = np.random.default_rng(3)
    tests = [measure(*listeners((0, 0), random), Bootstrap(2)) for _ in range(80)]
    false = sum(result.overall[0].p <= result.alpha for result in tests)
    assert false <= 9  # of 80; more have a chance of 1 in 100 if each errs 5 times in 100
    alone = sum(result.overall[0].by_listeners <= result.alpha for result in tests)
    assert alone > 9  # all listeners hear the same pieces, some of which are better by chance


def test_a_large_difference_is_found_and_its_interval_holds_it():
    for seed in range(5):
        result = results_of((1.2, 0, 0), seed, count=20)
        first, second, none = result.overall
        assert max(first.p, second.p) <= result.alpha < none.p
        assert first.mean.low <= 1.2 <= first.mean.high + 0.3  # five points clip it a little
        assert result.means["source 0"][OVERALL].value > result.means["source 1"][OVERALL].value
        better = [line for line in result.sentences if line.startswith("source 0 is rated")]
        assert len(better) == 2
        assert "No difference is established for 1 pair of sources" in result.sentences


def rated(piece, *answers):
    return Rating(piece, dict(zip(NAMES, answers, strict=True)), 30)


def test_means_and_differences_are_those_of_a_calculation_by_hand():
    key = Key("00000000", ("a", "b"), {"a0": ("a", 0), "b0": ("b", 0), "a1": ("a", 1)})
    people = [
        Listener("1" * 8, (rated("a0", 5, 4, 3, 4), rated("b0", 2, 2, 2, 2))),
        Listener("2" * 8, (rated("a0", 1, 2, 3, 2), rated("a1", 3, 3, 3, 3))),
    ]
    result = measure(key, people, DRAWS)
    assert result.means["a"][OVERALL].value == pytest.approx((4 + 2 + 3) / 3)
    assert result.means["a"]["coherence"].value == pytest.approx((5 + 1 + 3) / 3)
    assert not result.means["a"][OVERALL].has_ends  # of two listeners
    (overall,) = result.overall
    assert (overall.mean.value, overall.listeners) == (2, 1)
    assert [one.mean.value for one in result.by_question] == [3, 2, 1, 2]
    assert result.ratings == {"a": 3, "b": 1}
    assert result.as_dict()["differences"][0]["p"] == 1


def test_intervals_are_of_other_listeners_and_other_pieces():
    random = np.random.default_rng(0)
    rows = np.tile(random.normal(0, 1, (40, 1)), 12)  # only listeners differ
    wide = crossed_interval(rows, Bootstrap(2000))
    expected = 1.96 * rows[:, 0].std() / np.sqrt(40)
    assert wide.high - wide.value == pytest.approx(expected, rel=0.15)
    flipped = crossed_interval(rows.T, Bootstrap(2000))
    assert flipped.high - flipped.value == pytest.approx(expected, rel=0.15)


def test_the_fewest_listeners_that_can_establish_a_difference():
    assert least_units(1, 0.05) == 6  # 2 / 2**6 is 0.03
    assert least_units(3, 0.05) == 7  # three times 2 / 2**7 is 0.047
