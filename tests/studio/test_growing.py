"""The text of a tune while it is written."""

import pytest

from symbotunes.generation.sequences.prompts import read_prompt
from symbotunes.studio import growing
from symbotunes.studio.growing import GrowingTune, Steps
from symbotunes.tokenizers.abc import AbcTokens

TUNE = "M:4/4 K:Cmaj | C 2 D 2 E 2 F 2 | G 4 G 4 |"


@pytest.fixture
def tokenizer():
    return AbcTokens(vocabulary="folk_rnn")


def grown(tokenizer, ids, prompt=""):
    """What is told while ids are written one after the other."""
    told = []
    beginning = read_prompt(tokenizer, prompt)
    tune = GrowingTune(lambda: None, told.append, tokenizer, beginning, 2, seed=5)
    for end in range(1, len(ids) + 1):
        tune.wrote([ids[:end]])
    return told


def test_every_whole_bar_is_told_with_those_before_it(tokenizer, monkeypatch):
    monkeypatch.setattr(growing, "LEAST_SECONDS", 0.0)
    told = grown(tokenizer, tokenizer.encode(TUNE.split()))
    assert [("C2D2" in text.replace(" ", ""), "G4" in text) for text in told[-2:]] == [
        (True, False), (True, True),
    ]  # fmt: skip
    assert all("T:Sample 3\n" in text and "K:C" in text for text in told)


def test_a_tune_grows_in_the_key_of_its_prompt(tokenizer, monkeypatch):
    monkeypatch.setattr(growing, "LEAST_SECONDS", 0.0)
    told = grown(tokenizer, tokenizer.encode(TUNE.split()), "M:4/4 K:Dmaj")
    assert "K:D" in told[-1]
    assert "D2E2F2G2" in told[-1].replace(" ", "")


def test_a_tune_of_a_collection_grows_in_the_key_in_which_it_ends(tokenizer, monkeypatch):
    monkeypatch.setattr(growing, "LEAST_SECONDS", 0.0)
    tokenizer.keys = {"Gmaj": 3}
    assert "K:G" in grown(tokenizer, tokenizer.encode(TUNE.split()))[-1]


def test_texts_are_told_no_more_often_than_they_can_be_read(tokenizer, monkeypatch):
    monkeypatch.setattr(growing, "LEAST_SECONDS", 1000.0)
    assert len(grown(tokenizer, tokenizer.encode(TUNE.split()))) == 1


def test_every_step_asks_whether_to_go_on():
    def stop():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        Steps(stop)(7)
