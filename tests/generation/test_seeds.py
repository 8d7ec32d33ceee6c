import json

import numpy as np
import pytest

from symbotunes.errors import UserError
from symbotunes.generation.latent.interpolate import InterpolatePlan
from symbotunes.generation.latent.prior import PriorPlan
from symbotunes.generation.seeds import sample_seeds
from symbotunes.generation.sequences.plan import SamplePlan


def test_neighboring_seeds_share_no_sample():
    numbers = [number for seed in range(50) for number in sample_seeds(seed, 100)]
    assert len(set(numbers)) == 5000


def test_numbers_are_those_of_the_children_that_numpy_spawns():
    children = np.random.SeedSequence(42).spawn(5)
    states = [child.generate_state(2, np.uint32).tolist() for child in children]
    expected = [(high << 32 | low) // 2**11 for low, high in states]
    assert sample_seeds(42, 5) == expected
    assert sample_seeds(42, 2) == expected[:2]
    assert sample_seeds(2**32 + 42, 2) != expected[:2]


def test_a_program_that_reads_numbers_as_floats_keeps_them():
    numbers = sample_seeds(7, 100)
    assert [int(json.loads(json.dumps(number), parse_int=float)) for number in numbers] == numbers


@pytest.mark.parametrize("kind", [SamplePlan, PriorPlan])
def test_given_seeds_say_how_many_samples_there_are(kind):
    plan = kind(num=9, seeds=[5, 2**53 - 1])
    assert plan.num == 2
    given = plan.seeds_of(1) if kind is SamplePlan else plan.seeds_of(1, plan.num)
    assert given == [5, 2**53 - 1]


@pytest.mark.parametrize("seeds", [[], "7", [-1], [1.5], [2**53], 7], ids=str)
@pytest.mark.parametrize("kind", [SamplePlan, PriorPlan])
def test_seeds_that_cannot_be_drawn_from_are_refused(kind, seeds):
    with pytest.raises(UserError, match=r"sample\.seeds=.*must be "):
        kind(seeds=seeds)


def test_every_window_needs_its_seed():
    plan = InterpolatePlan(a="a.mid", b="b.mid", seeds=[1, 2])
    with pytest.raises(UserError, match=r"sample\.seeds has 2 numbers; 1 are drawn from"):
        plan.seeds_of(0, 1)
