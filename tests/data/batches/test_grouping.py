"""Which examples share a batch: sizes, order, processes, epochs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbotunes.data.batches.grouping import (
    Buckets,
    Packing,
    TokenBudget,
    Windows,
    best_fit,
    rounded_up,
)
from symbotunes.data.batches.sampler import Batches, seeds_of
from symbotunes.errors import UserError

LENGTHS = np.random.default_rng(0).integers(10, 500, 2_000)
GROUPINGS = {
    "buckets": Buckets(LENGTHS, 50),
    "windows": Windows(2_000, 50),
    "budget": TokenBudget(LENGTHS, 8_000),
    "packing": Packing(LENGTHS, 1_000, 8),
}
every_grouping = pytest.mark.parametrize("grouping", GROUPINGS.values(), ids=GROUPINGS)


def batches_of(grouping, seed=1, epoch=0, done=0, **process):
    batches = Batches(np.arange(2_000) * 2, grouping, seed, **process)
    batches.epoch, batches.done = epoch, done
    return batches


def drawn(grouping, **settings):
    return [draws.examples.tolist() for draws in batches_of(grouping, **settings)]


def width(draws) -> int:
    """Tokens of the longest row."""
    lengths = LENGTHS[draws.examples // 2]
    return max(lengths) if draws.rows is None else int(np.bincount(draws.rows, lengths).max())


@every_grouping
def test_every_example_is_drawn_once_per_epoch(grouping):
    seen = sorted(example for batch in drawn(grouping) for example in batch)
    assert seen == list(range(0, 4_000, 2))


@every_grouping
def test_epochs_differ_in_what_shares_a_batch_and_a_seed_repeats_them(grouping):
    first, second = ({tuple(sorted(batch)) for batch in drawn(grouping, epoch=e)} for e in (0, 1))
    assert len(first & second) < len(first) / 10
    assert drawn(grouping, epoch=1) == drawn(grouping, epoch=1)
    assert drawn(grouping, seed=2) != drawn(grouping, seed=1)


@every_grouping
def test_all_epochs_have_the_same_number_of_batches(grouping):
    assert {len(drawn(grouping, epoch=epoch)) for epoch in range(4)} == {len(batches_of(grouping))}


@every_grouping
@pytest.mark.parametrize("done", [1, 17])
def test_an_epoch_goes_on_where_it_stopped(grouping, done):
    assert drawn(grouping, done=done) == drawn(grouping)[done:]


@every_grouping
def test_processes_share_an_epoch_without_overlap_in_equal_steps(grouping):
    ranks = [drawn(grouping, rank=rank, world_size=3) for rank in range(3)]
    seen = [{example for batch in rank for example in batch} for rank in ranks]
    assert [len(rank) for rank in ranks] == [len(drawn(grouping)) // 3] * 3
    assert sum(map(len, seen)) == len(set.union(*seen))


@every_grouping
def test_held_out_examples_are_all_seen_once_whatever_the_number_of_processes(grouping):
    ranks = [drawn(grouping, seed=None, rank=rank, world_size=3) for rank in range(3)]
    assert ranks == [drawn(grouping, seed=None, epoch=5, rank=r, world_size=3) for r in range(3)]
    whole = drawn(grouping, seed=None)
    steps = -(-len(whole) // 3)
    assert [len(rank) for rank in ranks] == [steps] * 3
    shares = [list(batches_of(grouping, seed=None, rank=rank, world_size=3)) for rank in range(3)]
    counted = [draws for share in shares for draws in share if not draws.repeated]
    assert sorted(n for draws in counted for n in draws.examples) == list(range(0, 4_000, 2))
    repeated = [draws.examples.tolist() for share in shares for draws in share if draws.repeated]
    assert len(repeated) == 3 * steps - len(whole)
    assert all(batch in whole for batch in repeated)


def test_more_processes_than_held_out_batches_take_a_step_each():
    shares = [
        list(Batches(np.arange(8), Windows(8, 4), None, rank=rank, world_size=5))
        for rank in range(5)
    ]
    assert [[draws.repeated for draws in share] for share in shares] == [
        [False], [False], [True], [True], [True]
    ]  # fmt: skip
    counted = [
        n for share in shares for draws in share if not draws.repeated for n in draws.examples
    ]
    assert sorted(counted) == list(range(8))


@pytest.mark.parametrize("name", ["buckets", "budget"])
def test_the_first_held_out_batches_are_a_sample_of_all_lengths(name):
    lengths = np.concatenate(
        [LENGTHS[draws.examples // 2] for draws in list(batches_of(GROUPINGS[name], seed=None))[:8]]
    )
    # Lengths are even from 10 to 499: the eight batches with the shortest have a mean below 100.
    assert abs(lengths.mean() - 255) < 100
    assert lengths.max() > 400


@pytest.mark.parametrize("total", [2_000, 1_999, 1_951, 1_950])
def test_no_batch_of_like_lengths_is_short_of_more_than_one_example(total):
    groups = Buckets(LENGTHS[:total], 50).groups(np.random.default_rng(0))
    sizes = np.diff(groups.bounds)
    assert sizes.max() <= 50
    assert sizes.max() - sizes.min() <= 1
    assert len(sizes) == -(-total // 50)


def test_full_batches_of_like_lengths_are_neighbors_in_order_of_blurred_length():
    # Written down from numpy's own sort, not from the class.
    keys = LENGTHS * (1 + 0.1 * np.random.default_rng([3, 0]).random(2_000))
    neighbors = [set(row) for row in np.argsort(keys, kind="stable").reshape(40, 50)]
    batches = [set(draws.examples // 2) for draws in batches_of(GROUPINGS["buckets"], seed=3)]
    assert all(batch in neighbors for batch in batches)


def test_the_longest_examples_of_a_token_budget_get_no_small_batch():
    # 25 examples of 100 tokens fill 2,500 of a budget of 1,000 tokens: 10, 10 and 5 if filled in
    # turn, in which each of the last five would weigh twice as much.
    bounds = TokenBudget(np.full(25, 100), 1_000).bounds
    assert sorted(np.diff(bounds)) == [7, 9, 9]
    for total in range(1_900, 2_000, 7):
        grouping = TokenBudget(LENGTHS[:total], 8_000)
        keys = np.sort(grouping.keys)
        sizes = np.diff(grouping.bounds) * keys[grouping.bounds[1:] - 1]
        assert sizes.max() <= 8_000
        assert sizes.min() > 5_000


def test_examples_of_like_length_share_a_batch():
    for grouping, least in ((GROUPINGS["buckets"], 0.85), (GROUPINGS["budget"], 0.9)):
        batches = list(batches_of(grouping))
        padded = sum(len(draws.examples) * width(draws) for draws in batches)
        assert LENGTHS.sum() / padded > least


def test_a_batch_of_a_token_budget_never_holds_more_and_seldom_much_less():
    sizes = [len(draws.examples) * width(draws) for draws in batches_of(GROUPINGS["budget"])]
    assert max(sizes) <= 8_000
    assert np.median(sizes) > 7_000


def test_packed_rows_hold_no_more_than_their_length_and_hardly_any_padding():
    rows, filled = 0, 0
    for draws in batches_of(GROUPINGS["packing"]):
        totals = np.bincount(draws.rows, LENGTHS[draws.examples // 2])
        assert totals.max() <= 1_000
        assert len(totals) <= 8
        rows, filled = rows + len(totals), filled + totals.sum()
    assert filled == LENGTHS.sum()
    assert filled / (1_000 * rows) > 0.99


@pytest.mark.parametrize(
    "make", [lambda: TokenBudget(LENGTHS, 400), lambda: Packing(LENGTHS, 400, 8)]
)
def test_an_example_that_fits_no_batch_is_refused(make):
    with pytest.raises(UserError, match=r"=400 is less than the longest example, 499 tokens"):
        make()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=60), st.integers(300, 900))
def test_any_lengths_keep_the_budget_and_lose_nobody(lengths, budget):
    lengths = np.array(lengths)
    for grouping in (TokenBudget(lengths, budget), Packing(lengths, budget, 2)):
        groups = grouping.groups(np.random.default_rng(0))
        assert sorted(groups.order) == list(range(len(lengths)))
        assert len(groups.bounds) - 1 == grouping.count
        assert groups.bounds[0] == 0
        assert groups.bounds[-1] == len(lengths)
        assert (np.diff(groups.bounds) > 0).all()
        if groups.rows is None:
            for begin, end in zip(groups.bounds, groups.bounds[1:], strict=False):
                assert lengths[groups.order[begin:end]].max() * (end - begin) <= budget
        else:
            assert np.bincount(groups.rows, lengths[groups.order]).max() <= budget


def test_best_fit_puts_each_length_where_it_leaves_the_least_room():
    # 7 and 6 open rows; 4 fills the second, 3 the first; 3 and 2 share a third.
    assert best_fit(np.array([7, 6, 4, 3, 3, 2]), 10) == [[0, 3], [1, 2], [4, 5]]


def test_lengths_are_rounded_up_by_less_than_a_sixteenth():
    lengths = np.arange(1, 5_000)
    rounded = rounded_up(lengths)
    assert (rounded >= lengths).all()
    assert ((rounded - lengths) * 16 < lengths).all()
    assert rounded_up(np.array([31, 33, 35])).tolist() == [31, 34, 36]


def test_seeds_depend_on_seed_epoch_and_example_alone():
    examples = np.arange(10_000)
    seeds = seeds_of(examples, 1, 0)
    assert len(set(seeds.tolist())) == 10_000
    assert seeds_of(examples[5:6], 1, 0).tolist() == [seeds[5]]
    for other in (seeds_of(examples, 1, 1), seeds_of(examples, 2, 0), seeds_of(examples, None, 0)):
        assert not set(seeds.tolist()) & set(other.tolist())
    assert seeds_of(examples, None, 0).tolist() == seeds_of(examples, None, 7).tolist()
    # Every bit is set in about half of them: five standard deviations are 2.5 %.
    for bit in range(63):
        assert abs(np.mean(seeds >> bit & 1) - 0.5) < 0.025


def test_a_repeated_batch_is_the_same_in_every_epoch():
    batches = Batches(np.arange(20), Windows(20, 4), seed=1, repeat=2)
    first = [draw.examples.tolist() for draw in batches]
    batches.epoch = 3
    assert [draw.examples.tolist() for draw in batches] == first
    assert len(batches) == len(first) == 2
