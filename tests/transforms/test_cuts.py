"""Random stretches of examples: where they may begin, and what stays in front."""

from collections import Counter

import numpy as np
import pytest
import torch

from symbotunes.errors import UserError
from symbotunes.tokenizers.abc import AbcTokens
from symbotunes.transforms.base import Chain
from symbotunes.transforms.cuts import Crop, SampleBars, SampleSubsequence
from symbotunes.transforms.transpose import Transpose
from tests.data.letters import Letters

HEAD, BODY = ["M:4/4", "K:Cmaj"], ["|:", *"CD|EF|GA", ":|", "|:", *"Bc|de", ":|"]
TUNE = [*HEAD, *BODY]


def draws(step, ids, count=4_000):
    generator = torch.Generator().manual_seed(0)
    return [tuple(step(np.array(ids), generator)[0].tolist()) for _ in range(count)]


def test_every_start_of_a_subsequence_is_equally_likely_the_last_included():
    counts = Counter(draws(SampleSubsequence(3), range(7)))
    assert set(counts) == {(0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (4, 5, 6)}
    # Binomial with p = 1/5: a standard deviation is 25; four of them on either side.
    assert all(abs(count - 800) < 4 * 25.3 for count in counts.values())


@pytest.mark.parametrize("length", [7, 8])
def test_an_example_that_is_no_longer_stays_whole(length):
    assert set(draws(SampleSubsequence(length), range(7), 5)) == {tuple(range(7))}


def test_a_subsequence_of_one_less_than_all_has_two_starts():
    assert set(draws(SampleSubsequence(6), range(7))) == {tuple(range(6)), tuple(range(1, 7))}


def test_with_a_stride_every_start_is_a_multiple_of_it_and_the_end_is_kept():
    spans = {(0, 1, 2, 3, 4), (4, 5, 6, 7, 8), (8, 9, 10)}
    assert set(draws(SampleSubsequence(5, stride=4), range(11))) == spans
    assert set(draws(SampleSubsequence(5, stride=4), range(5), 5)) == {(0, 1, 2, 3, 4)}
    with pytest.raises(UserError, match="stride=0"):
        SampleSubsequence(5, stride=0)


def test_a_crop_is_the_beginning():
    assert set(draws(Crop(3), range(7), 3)) == {(0, 1, 2)}
    assert Crop(3).longest(np.array([2, 9])).tolist() == [2, 3]


def test_rows_of_several_numbers_are_cut_along_time():
    rows = np.arange(12).reshape(6, 2)
    assert SampleSubsequence(2)(rows, torch.Generator())[0].shape == (2, 2)


def test_beginnings_and_endings_keep_their_shares_of_the_draws():
    counts = Counter(draws(SampleSubsequence(3, beginnings=0.25, endings=0.5), range(7)))
    # The rest, a quarter, is shared evenly by all five starts, the first and the last included.
    expected = [0.25 + 0.05, 0.05, 0.05, 0.05, 0.5 + 0.05]
    for start, share in enumerate(expected):
        deviation = (4_000 * share * (1 - share)) ** 0.5
        assert abs(counts[(start, start + 1, start + 2)] - 4_000 * share) < 4 * deviation


def test_without_shares_the_draws_are_those_of_earlier_versions():
    generator = torch.Generator().manual_seed(7)
    starts = [int(torch.randint(5, (), generator=generator)) for _ in range(20)]
    generator.manual_seed(7)
    step = SampleSubsequence(3)
    assert [int(step(np.arange(7), generator)[0][0]) for _ in range(20)] == starts


@pytest.mark.parametrize("make", [SampleSubsequence, SampleBars])
@pytest.mark.parametrize(
    ("beginnings", "endings", "message"),
    [
        (-0.1, 0, r"beginnings=-0\.1: must be from 0 to 1"),
        (0, 1.5, r"endings=1\.5: must be from 0 to 1"),
        (0.6, 0.5, "add up to more than 1"),
    ],
)
def test_shares_that_are_none_are_refused(make, beginnings, endings, message):
    with pytest.raises(UserError, match=message):
        make(3, beginnings=beginnings, endings=endings)


@pytest.mark.parametrize("make", [Crop, SampleSubsequence])
@pytest.mark.parametrize(("context", "kept"), [(16, 17), (None, 513)])
def test_a_cut_without_a_length_fills_the_context_of_the_network(make, context, kept):
    chain = Chain({"letters": Letters(), "cut": make()}, context)
    assert len(chain.cut(np.zeros(2_000, np.int64), torch.Generator())[0]) == kept
    given = Chain({"letters": Letters(), "cut": make(5)}, context)
    assert len(given.cut(np.zeros(2_000, np.int64), torch.Generator())[0]) == 5


@pytest.fixture
def abc():
    tokenizer = AbcTokens()
    tokenizer.fit(Counter(TUNE * 10))
    return tokenizer


def test_bars_begin_behind_the_head_and_behind_what_closes_music(abc):
    starts = abc.bar_starts(np.array(abc.encode(TUNE)))
    assert [TUNE[start] for start in starts] == ["|:", "E", "G", "|:", "d"]


def test_bars_are_drawn_whole_with_the_head_and_equally_often(abc):
    step = SampleBars(2)
    step.bind(abc)
    bos, eos = abc.vocabulary.bos, abc.vocabulary.eos
    counts = Counter(draws(step, [bos, *abc.encode(TUNE), eos]))
    texts = {
        " ".join(abc.tokens[index] for index in stretch): count for stretch, count in counts.items()
    }
    assert set(texts) == {
        "<s> M:4/4 K:Cmaj |: C D | E F |",
        "M:4/4 K:Cmaj E F | G A :|",
        "M:4/4 K:Cmaj G A :| |: B c |",
        "M:4/4 K:Cmaj |: B c | d e :| </s>",
    }
    # Binomial with p = 1/4: a standard deviation is 27.
    assert all(abs(count - 1_000) < 4 * 27.4 for count in texts.values())


def test_first_and_last_bars_keep_their_shares_of_the_draws(abc):
    ids = [abc.vocabulary.bos, *abc.encode(TUNE), abc.vocabulary.eos]
    for shares, place in (({"beginnings": 1.0}, 0), ({"endings": 1.0}, -1)):
        step = SampleBars(2, **shares)
        step.bind(abc)
        assert all(stretch[place] == ids[place] for stretch in draws(step, ids, 20))


def test_a_stretch_says_where_in_the_example_it_begins(abc):
    generator = torch.Generator().manual_seed(0)
    numbers = np.arange(100)
    chain = Chain(
        {"letters": Letters(), "long": SampleSubsequence(40), "short": SampleSubsequence(5)}
    )
    for _ in range(20):
        kept, before = chain.cut(numbers, generator)
        assert kept[0] == before
    bars = SampleBars(2)
    bars.bind(abc)
    ids = np.array([abc.vocabulary.bos, *abc.encode(TUNE), abc.vocabulary.eos])
    places = {}
    for _ in range(40):
        stretch, before = bars(ids, generator)
        places[before] = [abc.tokens[index] for index in stretch[:4]]
    assert places == {
        0: ["<s>", "M:4/4", "K:Cmaj", "|:"],
        7: ["M:4/4", "K:Cmaj", "E", "F"],
        10: ["M:4/4", "K:Cmaj", "G", "A"],
        13: ["M:4/4", "K:Cmaj", "|:", "B"],
    }


def test_a_tune_of_few_bars_stays_whole(abc):
    step = SampleBars(5)
    step.bind(abc)
    ids = (abc.vocabulary.bos, *abc.encode(TUNE), abc.vocabulary.eos)
    assert set(draws(step, ids, 5)) == {ids}


def test_bars_need_a_tokenizer_that_knows_them():
    with pytest.raises(UserError, match="Letters does not"):
        SampleBars(2).bind(Letters())


@pytest.mark.parametrize("make", [Crop, SampleSubsequence, SampleBars])
@pytest.mark.parametrize("size", [0, -1, 1.5])
def test_a_stretch_has_at_least_one_token_or_bar(make, size):
    with pytest.raises(UserError, match="must be a whole number of at least 1"):
        make(size)


def test_steps_that_need_whole_tunes_come_before_the_cuts():
    tokenizer = AbcTokens(root="keep")
    Chain({"abc_tokens": tokenizer, "transpose": Transpose([0]), "crop": Crop(2)})
    with pytest.raises(UserError, match="cut examples must come last"):
        Chain({"abc_tokens": tokenizer, "crop": Crop(2), "transpose": Transpose([0])})
