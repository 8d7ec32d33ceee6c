"""The p-values of listening tests, against all signs written out."""

import itertools

import numpy as np
import pytest
from scipy import stats

from symbotunes.evaluation.listening.significance import holm, signed_rank


def by_all_signs(differences):
    """The share of all ways to sign the ranks that are as far from the middle as the one seen."""
    values = np.array([value for value in differences if value])
    ranks = stats.rankdata(abs(values))
    seen = abs(ranks @ np.sign(values))
    sums = [abs(ranks @ np.array(signs)) for signs in itertools.product((1, -1), repeat=len(ranks))]
    return np.mean([total >= seen - 1e-9 for total in sums])


@pytest.mark.parametrize(
    "differences",
    [
        [1, 2, 3, 4, 5],
        [1, 1, -1, 2, 2, 3, -3, 1],
        [0, 0, 0.5, 0.5, -0.25, 0.75, 1.25],
        [-2, -2, -2, -2, -2, -2],
        [1],
    ],
)
def test_the_p_value_counts_all_signs_of_ranks_with_ties(differences):
    assert signed_rank(differences) == pytest.approx(by_all_signs(differences))


def test_without_ties_it_is_the_exact_value_of_scipy():
    differences = np.random.default_rng(5).normal(0.4, 1, 30)
    expected = stats.wilcoxon(differences, method="exact").pvalue
    assert signed_rank(differences) == pytest.approx(expected)


def test_sums_that_differ_in_their_last_bit_are_ties():
    assert signed_rank([0.1 + 0.2, -0.3]) == 1


def test_no_differences_are_no_evidence():
    assert signed_rank([]) == signed_rank([0, 0]) == signed_rank([np.nan]) == 1


def test_holm_multiplies_by_the_number_of_hypotheses_that_are_left():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([]) == []
