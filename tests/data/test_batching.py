import numpy as np
import pytest
import torch

from symbotunes.data.batching import Buckets, Examples, ResumableLoader, collate


@pytest.fixture
def pieces(corpus_of, encoded_of):
    lines = [f"{number:b}".replace("0", "a").replace("1", "b") for number in range(1, 100)]
    return encoded_of(corpus_of(lines))


def loader(pieces, *, seed=1, batch_size=8, workers=0):
    encoded, chain = pieces
    indices = encoded.pieces("train")
    buckets = Buckets(indices, encoded.lengths(indices), batch_size, seed)
    return ResumableLoader(Examples(encoded, chain, augment=True), buckets, workers=workers)


def drawn(batches):
    return [batch.tokens.tolist() for batch in batches]


def buckets_of(lengths, **settings):
    return Buckets(np.arange(len(lengths)), np.array(lengths), **settings)


def test_padding_lies_behind_each_piece():
    batch = collate([[7, 8, 9], [7, 9]])
    assert batch.tokens.tolist() == [[7, 8, 9], [7, 9, 0]]
    assert batch.lengths.tolist() == [3, 2]
    assert batch.targets == 3


def test_every_piece_is_drawn_once_per_epoch(pieces):
    rows = [
        row[:n]
        for batch in loader(pieces)
        for row, n in zip(batch.tokens.tolist(), batch.lengths, strict=True)
    ]
    assert len(rows) == 99
    assert len({tuple(row) for row in rows}) == 99


def test_pieces_of_like_length_share_a_batch():
    lengths = np.random.default_rng(0).integers(10, 1000, 2_000)
    buckets = Buckets(np.arange(2_000), lengths, batch_size=50, seed=3)
    waste = [lengths[[draw.piece for draw in batch]] for batch in buckets]
    padded = sum(len(batch) * batch.max() for batch in waste)
    assert lengths.sum() / padded > 0.85


def test_epochs_differ_and_a_seed_repeats_them(pieces):
    one, two = loader(pieces), loader(pieces)
    first, second = drawn(one), drawn(one)
    assert first != second
    assert drawn(two) == first
    assert drawn(two) == second
    assert drawn(loader(pieces, seed=2)) != first


@pytest.mark.parametrize("stop", [1, 5, 13])
def test_a_loader_goes_on_where_it_stopped(pieces, stop):
    whole = loader(pieces)
    expected = drawn(whole) + drawn(whole)
    first = loader(pieces)
    iterator = iter(first)
    begun = [next(iterator).tokens.tolist() for _ in range(stop)]
    resumed = loader(pieces)
    resumed.load_state_dict(first.state_dict())
    rest = drawn(resumed)
    if stop < len(first):
        rest += drawn(resumed)
    assert begun + rest == expected


def test_workers_that_fetch_ahead_do_not_disturb_the_position(pieces):
    ahead = loader(pieces, workers=2)
    iterator = iter(ahead)
    for _ in range(3):
        next(iterator)
    assert ahead.state_dict() == {"epoch": 0, "done": 3}


def test_opening_a_loader_leaves_the_global_random_stream_alone(pieces):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    next(iter(loader(pieces)))
    assert torch.equal(torch.rand(3), expected)


def test_processes_share_an_epoch_without_overlap_in_equal_steps():
    lengths = list(range(1, 102))
    ranks = [
        buckets_of(lengths, batch_size=8, seed=1, rank=rank, world_size=4) for rank in range(4)
    ]
    seen = [{draw.piece for batch in rank for draw in batch} for rank in ranks]
    assert [len(list(rank)) for rank in ranks] == [3, 3, 3, 3]
    assert sum(map(len, seen)) == len(set.union(*seen))


def test_held_out_pieces_are_all_seen_whatever_the_number_of_processes():
    lengths = list(range(1, 102))
    ranks = [
        buckets_of(lengths, batch_size=8, seed=None, rank=rank, world_size=4) for rank in range(4)
    ]
    seen = [draw.piece for rank in ranks for batch in rank for draw in batch]
    assert sorted(seen) == list(range(101))
    assert [len(rank) for rank in ranks] == [len(list(rank)) for rank in ranks]


def test_an_example_gets_a_new_seed_every_epoch_and_the_same_in_a_second_run():
    first, again = (buckets_of([5] * 10, batch_size=10, seed=1) for _ in range(2))
    seeds = {draw.piece: draw.seed for draw in next(iter(first))}
    assert seeds == {draw.piece: draw.seed for draw in next(iter(again))}
    first.epoch = 1
    assert not set(seeds.values()) & {draw.seed for draw in next(iter(first))}
