"""Distances within and between sets of pieces, against scipy's kernels and integrals."""

import itertools

import numpy as np
import pytest
from scipy import integrate, stats

from symbotunes.evaluation.metrics.set_distances import log_density, set_distances


def sets(kind):
    random = np.random.default_rng(4)
    ours, theirs = random.normal(0, 1, (9, 3)), random.normal(0.7, 1.5, (12, 3))
    return (ours, theirs) if kind == "vectors" else (np.round(3 * ours)[:, :1], theirs[:, :1])


def all_distances(ours, theirs):
    """Within the first set, within the second, and between them."""
    within = [
        [np.linalg.norm(a - b) for a, b in itertools.permutations(part, 2)]
        for part in (ours, theirs)
    ]
    between = [np.linalg.norm(a - b) for a, b in itertools.product(ours, theirs)]
    return np.array(within[0]), np.array(within[1]), np.array(between)


@pytest.mark.parametrize("kind", ["vectors", "whole numbers"])
def test_means_areas_and_divergences_are_those_of_kernels_and_integrals(kind):
    ours, theirs = sets(kind)
    inside, outside, between = all_distances(ours, theirs)
    found = set_distances(ours, theirs)
    assert found.between == pytest.approx(between.mean())
    across = stats.gaussian_kde(between)
    for values, likeness in ((inside, found.generated), (outside, found.held_out)):
        density = stats.gaussian_kde(values)
        low, high = min(values.min(), between.min()), max(values.max(), between.max())
        area, _ = integrate.quad(
            lambda x, f=density: min(f(x)[0], across(x)[0]), low, high, limit=200
        )
        assert likeness.mean == pytest.approx(values.mean())
        assert likeness.area == pytest.approx(area, abs=1e-5)
        x = np.linspace(low, high, 1000)
        assert likeness.divergence == pytest.approx(stats.entropy(density(x), across(x)))
        own = [np.linspace(part.min(), part.max(), 1000) for part in (values, between)]
        expected = stats.entropy(density(own[0]), across(own[1]))
        assert likeness.published == pytest.approx(expected)


def test_sets_of_one_kind_are_alike_and_a_model_that_repeats_itself_is_not():
    random = np.random.default_rng(0)
    pieces, others = random.normal(0, 1, (2, 40, 4))
    alike = set_distances(pieces, others)
    assert min(alike.generated.area, alike.held_out.area) > 0.9
    assert max(alike.generated.divergence, alike.held_out.divergence) < 0.1
    same = set_distances(pieces / 50, others)
    assert same.generated.mean < 0.1 * same.held_out.mean
    assert same.generated.area < 0.1
    far = set_distances(pieces + 20, others)
    assert far.generated.area < 1e-6
    assert far.generated.divergence > 100  # scipy's density would be 0 there
    assert far.generated.published < 1  # it compares shapes alone


def test_densities_are_finite_far_from_everything():
    values = np.array([0.0, 1.0, 1.0, 3.0])
    near = stats.gaussian_kde(values)(np.array([0.5, 2.0]))
    assert np.exp(log_density(values, np.array([0.5, 2.0]))) == pytest.approx(near)
    width = values.std(ddof=1) * 4**-0.2
    expected = -(((1000 - 3) / width) ** 2) / 2 - np.log(4 * width * np.sqrt(2 * np.pi))
    assert log_density(values, np.array([1e3])) == pytest.approx([expected])


def test_sets_without_distances_have_no_figures():
    pieces = np.arange(12.0).reshape(4, 3)
    assert set_distances(pieces[:2], pieces) is None
    assert set_distances(np.ones((5, 1)), np.arange(5.0)[:, None]) is None
