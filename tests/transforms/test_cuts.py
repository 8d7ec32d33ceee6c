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
    return [tuple(np.asarray(step(np.array(ids), generator)).tolist()) for _ in range(count)]


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


def test_a_crop_is_the_beginning():
    assert set(draws(Crop(3), range(7), 3)) == {(0, 1, 2)}
    assert Crop(3).longest(np.array([2, 9])).tolist() == [2, 3]


def test_rows_of_several_numbers_are_cut_along_time():
    rows = np.arange(12).reshape(6, 2)
    assert SampleSubsequence(2)(rows, torch.Generator()).shape == (2, 2)


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
