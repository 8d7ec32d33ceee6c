"""Keys of samples after a fine-tuning."""

from collections import Counter

import torch

from symbotunes.generation.sequences.collection_keys import key_among
from symbotunes.generation.sequences.plan import SamplePlan, draw_samples
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.music.abc.keys import Key
from symbotunes.tokenizers.abc import AbcTokens

D_MAJOR, A_DORIAN, G_MAJOR = Key(1, 0, "maj"), Key(5, 0, "dor"), Key(4, 0, "maj")
COUNTS = {"Dmaj": 3, "Ador": 9, "Gmaj": 1}


def test_a_key_of_the_same_mode_is_as_likely_as_it_is_frequent():
    drawn = Counter(key_among(COUNTS, "maj", seed) for seed in range(2000))
    assert set(drawn) == {D_MAJOR, G_MAJOR}
    assert 1440 <= drawn[D_MAJOR] <= 1560  # three quarters, give or take three deviations
    assert {key_among(COUNTS, "dor", seed) for seed in range(20)} == {A_DORIAN}


def test_a_mode_that_the_collection_lacks_takes_any_of_its_keys():
    drawn = {key_among(COUNTS, "phr", seed) for seed in range(200)}
    assert drawn == {D_MAJOR, A_DORIAN, G_MAJOR}
    assert key_among(COUNTS, None, 5) == key_among(COUNTS, None, 5)


def test_names_that_are_no_keys_are_passed_over():
    assert key_among({"H sharp": 9, "Dmaj": 1}, "maj", 0) == D_MAJOR
    assert key_among({"H sharp": 9}, "maj", 0) is None
    assert key_among({}, "maj", 0) is None


def test_samples_are_written_in_the_keys_of_the_collection_unless_they_continue_something():
    tokenizer = AbcTokens(vocabulary="folk_rnn")
    torch.manual_seed(1)
    net = FolkRNN(tokenizer.vocabulary, width=4, depth=1)
    plan = SamplePlan(num=2, max_tokens=30, constraint="abc")
    on_c = draw_samples(net, tokenizer, plan, seed=0)
    tokenizer.keys = {"Dmaj": 1}
    in_d = draw_samples(net, tokenizer, plan, seed=0)
    for before, after in zip(on_c, in_d, strict=True):
        assert "\nK:C" in before.abc
        assert "\nK:D" in after.abc
        assert after.nll_nats == before.nll_nats
    prompted = SamplePlan(num=1, max_tokens=30, prompt="M:4/4 K:Cmaj C2")
    assert "\nK:Cmaj" in draw_samples(net, tokenizer, prompted, seed=0)[0].abc
