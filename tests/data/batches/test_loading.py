"""From draws to batches: padding, frames, rows of several pieces, and going on."""

import pickle

import numpy as np
import pytest
import torch

from symbotunes.data.batches.grouping import Buckets, Packing, TokenBudget
from symbotunes.data.batches.loading import Examples, ResumableLoader, collate
from symbotunes.data.batches.rule import BatchRule
from symbotunes.data.batches.sampler import Batches, Draws
from symbotunes.data.module import MusicData
from symbotunes.errors import UserError
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.models.gpt2 import GPT2
from symbotunes.training.lit_model import LitModel
from symbotunes.transforms.base import Chain
from symbotunes.transforms.cuts import Crop, SampleSubsequence
from tests.data.letters import Letters, Pairs, Words, binary_words


@pytest.fixture
def words(corpus_of, encoded_of):
    return encoded_of(corpus_of(binary_words(1, 100)))


def loader(words, grouping=None, *, seed=1, workers=0):
    encoded, chain = words
    examples = encoded.examples("train")
    make = grouping or (lambda lengths: Buckets(lengths, 8))
    batches = Batches(examples, make(encoded.lengths(examples) + 2), seed)
    return ResumableLoader(Examples(encoded, chain, augment=True), batches, workers=workers)


GROUPINGS = {
    "buckets": lambda lengths: Buckets(lengths, 8),
    "budget": lambda lengths: TokenBudget(lengths, 64),
    "packing": lambda lengths: Packing(lengths, 30, 3),
}
every_grouping = pytest.mark.parametrize("grouping", GROUPINGS.values(), ids=GROUPINGS)


def drawn(batches):
    return [batch.tokens.tolist() for batch in batches]


def draws_of(*examples, rows=None):
    places = np.array(examples)
    return Draws(places, places, None if rows is None else np.array(rows))


def test_padding_lies_behind_each_piece():
    batch = collate(np.array([7, 8, 9, 7, 9], np.uint8), np.array([3, 2]))
    assert batch.tokens.tolist() == [[7, 8, 9], [7, 9, 0]]
    assert batch.tokens.dtype == torch.int64
    assert batch.lengths.tolist() == [3, 2]
    assert batch.segments is None
    assert batch.targets == 3


def test_rows_of_several_pieces_say_where_each_is():
    batch = collate(np.array([7, 8, 9, 7, 9, 5, 6]), np.array([3, 2, 2]), np.array([0, 0, 1]))
    assert batch.tokens.tolist() == [[7, 8, 9, 7, 9], [5, 6, 0, 0, 0]]
    assert batch.segments.tolist() == [[1, 1, 1, 2, 2], [1, 1, 0, 0, 0]]
    assert batch.lengths.tolist() == [5, 2]
    assert batch.pieces == 3
    assert batch.targets == 2 + 1 + 1
    assert batch.to("cpu").segments is batch.segments


def test_examples_are_opened_and_closed(corpus_of, encoded_of):
    encoded, chain = encoded_of(corpus_of(["ab", "cab"]))
    batch = Examples(encoded, chain, augment=True)[draws_of(1, 0)]
    assert batch.tokens.tolist() == [[3, 2, 0, 1, 4], [3, 0, 1, 4, 0]]
    assert batch.lengths.tolist() == [5, 4]


def test_windows_of_several_numbers_have_neither_frame_nor_padding(corpus_of, encoded_of):
    encoded, chain = encoded_of(corpus_of(["abcd", "bbbb"]), chain=Chain({"pairs": Pairs()}))
    batch = Examples(encoded, chain, augment=True)[draws_of(0, 1)]
    assert batch.tokens.tolist() == [[[0, 3], [1, 2], [2, 1], [3, 0]], [[1, 1]] * 4]
    assert batch.lengths.tolist() == [4, 4]


def test_packed_pieces_are_whole(words):
    encoded, _ = words
    texts = set()
    for batch in loader(words, GROUPINGS["packing"]):
        for row, segments in zip(batch.tokens, batch.segments, strict=True):
            texts |= {
                tuple(row[segments == number].tolist()) for number in range(1, segments.max() + 1)
            }
    bos, eos = 2, 3
    assert texts == {(bos, *encoded.example(number).tolist(), eos) for number in range(99)}


@every_grouping
@pytest.mark.parametrize("stop", [1, 5, 13])
def test_a_loader_goes_on_where_it_stopped(words, grouping, stop):
    whole = loader(words, grouping)
    expected = drawn(whole) + drawn(whole)
    first = loader(words, grouping)
    begun = []
    while len(begun) < stop:
        for batch in first:
            begun.append(batch.tokens.tolist())
            if len(begun) == stop:
                break
    resumed = loader(words, grouping)
    resumed.load_state_dict(first.state_dict())
    rest = drawn(resumed)
    if stop < len(first):
        rest += drawn(resumed)
    assert begun + rest == expected


def test_a_recipe_of_an_earlier_version_keeps_its_batches(corpus_of, tmp_path):
    """16af299 sorted by blurred lengths and left the remainder, the longest, to the last batch."""
    data = module_of(corpus_of(binary_words(1, 100)), tmp_path, Chain({"letters": Letters()}))
    even = module_of(
        corpus_of(binary_words(1, 100)), tmp_path, Chain({"letters": Letters()}), even_batches=True
    )
    total = len(data.encoded.examples("train"))
    assert total % 4
    sizes = [len(batch.lengths) for batch in data.train_dataloader()]
    assert sorted(sizes) == [total % 4, *[4] * (total // 4)]
    random = np.random.default_rng([0, 0])
    lengths = data.encoded.lengths(data.encoded.examples("train")) + 2
    order = np.argsort(lengths * (1 + 0.1 * random.random(total)), kind="stable")
    expected = [order[first : first + 4].tolist() for first in range(0, total, 4)]
    turn = random.permutation(len(expected))
    drawn = [draws.examples for draws in data.train_dataloader().batches]
    positions = np.searchsorted(data.encoded.examples("train"), np.concatenate(drawn))
    assert positions.tolist() == [place for number in turn for place in expected[number]]
    assert min(len(batch.lengths) for batch in even.train_dataloader()) == 3


def test_every_validation_begins_with_the_first_batch(words):
    held_out = loader(words, seed=None)
    begun = [batch.tokens.tolist() for batch, _ in zip(held_out, range(3), strict=False)]
    assert begun == drawn(held_out)[:3] == drawn(loader(words, seed=None))[:3]


def test_workers_make_the_same_batches_and_do_not_disturb_the_position(words):
    ahead = loader(words, workers=2)
    iterator = iter(ahead)
    begun = [next(iterator).tokens.tolist() for _ in range(3)]
    state = ahead.state_dict()
    assert (state["epoch"], state["done"]) == (0, 3)
    assert begun == drawn(loader(words))[:3]


def test_opening_a_loader_leaves_the_global_random_stream_alone(words):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    next(iter(loader(words)))
    assert torch.equal(torch.rand(3), expected)


def test_random_steps_run_for_training_alone_and_see_no_frame(corpus_of, encoded_of):
    seen = []

    class Shift:
        def bind(self, tokenizer):
            self.size = tokenizer.vocabulary.size

        def __call__(self, ids, generator):
            seen.append(ids.tolist())
            return ((ids + torch.randint(1, 3, (), generator=generator).item()) % 3).tolist()

    chain = Chain({"letters": Letters(), "shift": Shift()})
    encoded, chain = encoded_of(corpus_of(["abc", "aab"]), chain=chain)
    draws = draws_of(0, 1)
    training = Examples(encoded, chain, augment=True)[draws].tokens.tolist()
    assert training == Examples(encoded, chain, augment=True)[draws].tokens.tolist()
    assert seen[0] == [0, 1, 2]
    assert training[0][1:4] in ([1, 2, 0], [2, 0, 1])
    held_out = Examples(encoded, chain, augment=False)[draws].tokens
    assert held_out.tolist() == [[3, 0, 1, 2, 4], [3, 0, 0, 1, 4]]


def test_held_out_pieces_are_not_cut(corpus_of, encoded_of):
    chain = Chain({"letters": Letters(), "sample_subsequence": SampleSubsequence(3)})
    encoded, chain = encoded_of(corpus_of(["abcabcabcabc", "bcabc"]), chain=chain)
    whole = Examples(encoded, chain, augment=False)[draws_of(0, 1)]
    assert (whole.lengths.tolist(), whole.offsets) == ([14, 7], None)
    batch = Examples(encoded, chain, augment=True)[draws_of(0, 1)]
    assert batch.lengths.tolist() == [3, 3]
    for row, (tokens, offset) in enumerate(zip(batch.tokens, batch.offsets, strict=True)):
        assert torch.equal(tokens, whole.tokens[row, offset : offset + 3])


def test_held_out_windows_are_cut_to_what_their_network_reads(corpus_of, encoded_of):
    chain = Chain({"pairs": Pairs(), "crop": Crop(3)})
    encoded, chain = encoded_of(corpus_of(["abcdabcd", "bcdabcda"]), chain=chain)
    assert Examples(encoded, chain, augment=False)[draws_of(0, 1)].lengths.tolist() == [3, 3]


def test_batches_of_whole_held_out_pieces_hold_as_many_tokens_as_those_of_training(
    corpus_of, tmp_path
):
    chain = Chain({"letters": Letters(), "crop": Crop(5)})
    words = [*binary_words(64, 164), "abcd" * 40]
    data = module_of(corpus_of(words), tmp_path, chain, split={"val": 0.5, "test": 0.0})
    batches = list(data.val_dataloader())
    assert sum(len(batch.lengths) for batch in batches) == len(data.encoded.examples("val"))
    longest = max(int(batch.lengths.max()) for batch in batches)
    assert longest > 5
    assert all(batch.tokens.numel() <= max(4 * 5, longest) for batch in batches)


def test_a_prepared_corpus_travels_to_other_processes_as_a_path(words):
    encoded, _ = words
    luggage = pickle.dumps(encoded)
    assert len(luggage) < 1_000
    again = pickle.loads(luggage)
    assert again.example(7).tolist() == encoded.example(7).tolist()


def module_of(corpus, tmp_path, chain, **changes):
    settings = {
        "key": "",
        "cache": tmp_path / "cache",
        "batch_size": 4,
        "split": {"val": 0.3, "test": 0.0},
        "min_tokens": 1,
        "max_tokens": None,
        "workers": 0,
        "seed": 0,
        "prepare_workers": 0,
    }
    return MusicData(corpus=corpus, chain=chain, **{**settings, **changes})


def test_training_rows_are_packed_and_held_out_ones_are_not(corpus_of, tmp_path):
    corpus = corpus_of(binary_words(1, 100))
    data = module_of(corpus, tmp_path, Chain({"letters": Letters()}), pack=True, pack_length=20)
    assert all(batch.segments is not None for batch in data.train_dataloader())
    assert all(batch.segments is None for batch in data.val_dataloader())
    assert data.test_dataloader() == []


def test_a_token_budget_holds_for_examples_of_any_and_of_one_length(corpus_of, tmp_path):
    corpus = corpus_of([*binary_words(1, 100), "abcdabcdabcd"])
    for chain in (Chain({"letters": Letters()}), Chain({"pairs": Pairs()})):
        data = module_of(corpus, tmp_path, chain, batch_tokens=17)
        sizes = [batch.tokens[..., :1].numel() for batch in data.train_dataloader()]
        assert max(sizes) <= 34 if chain.tokenizer.FIELDS == 2 else max(sizes) <= 17


def test_what_another_corpus_validates_is_not_split_off(corpus_of, tmp_path):
    class WithItsOwn(Words):
        validates = True

    data = module_of(
        WithItsOwn(*corpus_of(binary_words(1, 100)).paths), tmp_path, Chain({"letters": Letters()})
    )
    assert data.val_dataloader() == []
    assert data.encoded.receipt.kept["train"] == 99


def test_a_training_that_leaves_a_process_without_a_batch_is_refused(corpus_of, tmp_path):
    data = module_of(corpus_of(binary_words(1, 20)), tmp_path, Chain({"letters": Letters()}))
    assert (
        len(data.val_dataloader(processes=3)) == 1
    )  # one of the two batches, or one of them once more
    with pytest.raises(
        UserError, match="the train split makes 3 batches, fewer than the 9 processes"
    ):
        data.train_dataloader(processes=9)
    data.rule = BatchRule(1)
    assert len(data.train_dataloader(processes=9)) == 1


def test_a_batch_that_another_process_counts_says_so(corpus_of, tmp_path):
    data = module_of(corpus_of(binary_words(1, 20)), tmp_path, Chain({"letters": Letters()}))
    (batch,) = data.val_dataloader(rank=2, processes=3)
    assert batch.repeated
    assert batch.to("cpu").repeated


def test_cut_examples_are_grouped_by_the_length_that_they_have_left(corpus_of, tmp_path):
    chain = Chain({"letters": Letters(), "crop": Crop(5)})
    data = module_of(corpus_of(binary_words(64, 100)), tmp_path, chain, batch_tokens=20)
    batches = list(data.train_dataloader())
    assert {tuple(batch.tokens.shape) for batch in batches[:-1]} <= {(4, 5), (3, 5), (2, 5), (1, 5)}
    assert max(len(batch.tokens) for batch in batches) == 4


def test_pieces_that_are_cut_are_never_too_long(corpus_of, tmp_path):
    corpus = corpus_of(["abcdabcdabcd", "abc", "bca", "cab", "abd"])
    for chain, kept in (({}, 4), ({"crop": Crop(5)}, 5)):
        chain = Chain({"letters": Letters(), **chain})
        data = module_of(corpus, tmp_path, chain, max_tokens=4)
        assert data.encoded.receipt.kept.total() == kept


@pytest.mark.parametrize(
    "rule",
    [
        {"batch_size": 0},
        {"batch_size": 1, "batch_tokens": 0},
        {"batch_size": 1, "batch_tokens": 5, "pack": True, "pack_length": 6},
    ],
)
def test_impossible_batches_are_refused(rule):
    with pytest.raises(UserError, match=r"loader\.batch"):
        BatchRule(**rule)


def test_a_network_scores_packed_pieces_as_it_scores_them_apart(words):
    torch.manual_seed(0)
    net = GPT2(words[1].tokenizer.vocabulary, width=16, depth=2, heads=2, context=32, dropout=0.0)
    packed, apart = (
        [net.loss(batch) for batch in loader(words, GROUPINGS[name])]
        for name in ("packing", "buckets")
    )
    nats = [sum(float(loss.nll_nats) for loss in losses) for losses in (packed, apart)]
    assert nats[0] == pytest.approx(nats[1], rel=1e-5)
    targets = [sum(loss.targets for loss in losses) for losses in (packed, apart)]
    assert targets[0] == targets[1]


def test_a_network_that_cannot_keep_pieces_apart_refuses_them(words):
    vocabulary = words[1].tokenizer.vocabulary
    model = LitModel(net=FolkRNN, optimizer=torch.optim.SGD, vocabulary=vocabulary)
    with pytest.raises(UserError, match="FolkRNN cannot keep the pieces of a row apart"):
        model.training_step(next(iter(loader(words, GROUPINGS["packing"]))), 0)


def test_the_examples_of_the_first_held_out_batches_are_those_that_are_read(corpus_of, tmp_path):
    data = module_of(corpus_of(binary_words(1, 100)), tmp_path, Chain({"letters": Letters()}))
    batches = [batch for batch, _ in zip(data.val_dataloader(), range(2), strict=False)]
    examples = data.held_out_examples("val", 2)
    lengths = np.concatenate([batch.lengths.numpy() for batch in batches])
    assert sorted(data.encoded.lengths(examples) + 2) == sorted(lengths)
    assert data.held_out_examples("val", 10**6).tolist() == data.encoded.examples("val").tolist()
    assert data.held_out_examples("test", 2).tolist() == []
    shares = data.held_out_examples("val", 1, processes=2)  # of each process
    assert shares.tolist() == examples.tolist()
