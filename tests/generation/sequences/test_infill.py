"""Bars of a tune written anew: all else stays as it was, in whatever key, and the bars fit."""

import dataclasses
import re
from collections import Counter
from itertools import groupby

import pytest
import torch

from symbotunes.errors import UserError
from symbotunes.generation.compose import compose
from symbotunes.generation.sequences.infill import InfillPlan
from symbotunes.generation.sequences.plan import SamplePlan
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.music.abc.check import check_bars
from symbotunes.music.abc.phrases import parse_tokens
from symbotunes.music.abc.text import from_abc
from symbotunes.music.abc.tokens import kind
from symbotunes.tokenizers.abc import FOLK_RNN, AbcTokens
from symbotunes.tokenizers.abc_bpe import AbcBpe
from symbotunes.transforms.base import Chain
from symbotunes.transforms.infill import Infill

HEAD = "X:1\nT:A tune\nM:6/8\nL:1/8\nK:{}\n"
TUNES = {
    # An upbeat, a repeat with two endings, and one that begins within a bar.
    "C": "G|:A2A Bcd|e2e d2c|1 A3 G3:|2 A3 A2|:G|c2c cde|g2e c2d|e2c A2G|G3 G2:|",
    "G": "d|:e2e fga|b2b a2g|1 e3 d3:|2 e3 e2|:d|g2g gab|d'2b g2a|b2g e2d|d3 d2:|",
}
RICH = [*FOLK_RNN, "-", "M:none", "M:33/8"]


@pytest.fixture(scope="module")
def tokenizer():
    tokenizer = AbcTokens()
    tokenizer.fit(Counter(RICH))
    Chain({"abc_tokens": tokenizer, "infill": Infill()}).bind()
    return tokenizer


@pytest.fixture(scope="module")
def net(tokenizer):
    torch.manual_seed(1)
    return FolkRNN(tokenizer.model_vocabulary, width=16, depth=1)


@pytest.fixture
def infill(net, tokenizer, tmp_path):
    """Samples of a plan for a tune: the original and the variants."""

    def run(bars, body=TUNES["C"], key="C", seed=0, **options):
        path = tmp_path / "tune.abc"
        path.write_text(HEAD.format(key) + body + "\n")
        plan = InfillPlan(input=str(path), bars=bars, **{"num": 6, **options})
        return compose(net, plan, tokenizer=tokenizer, seed=seed).samples

    return run


def bars_of(sample):
    """What stands between the bar signs of a sample, and the signs."""
    body = [token for token in from_abc(sample.abc) if kind(token) not in ("meter", "key")]
    grouped = [(is_sign, " ".join(group))
               for is_sign, group in groupby(body, lambda token: kind(token) == "bar")]  # fmt: skip
    return [text for is_sign, text in grouped if not is_sign], [text for is_sign, text in grouped
                                                                if is_sign]  # fmt: skip


@pytest.mark.parametrize("key", TUNES)
@pytest.mark.parametrize(
    ("bars", "stretches"),
    # Bar 3 is the first ending; bar 4 the second, in which a repeat begins with an upbeat, so that
    # bar 8 is shorter.
    [("1-2", {1, 2}), (["3", 7], {3, 8}), ("0", {0}), ("4,8", {4, 5, 9}), ("0-7", set(range(9)))],
    ids=str,
)
def test_the_bars_are_new_and_all_else_is_as_it_was(infill, key, bars, stretches):
    given, *variants = infill(bars, TUNES[key], key)
    old, signs = bars_of(given)
    assert len(variants) == 6
    for sample in variants:
        new, new_signs = bars_of(sample)
        assert new_signs == signs
        assert len(new) == len(old)
        assert {index for index, bar in enumerate(new) if bar != old[index]} <= stretches
        assert sample.right_bars == sample.bars == given.bars
        assert sample.notes == ()
        assert f"\nK:{key}maj\n" in sample.abc
    changed = {index for one in variants for index, bar in enumerate(bars_of(one)[0])
               if bar != old[index]}  # fmt: skip
    assert changed == stretches


def test_the_original_comes_first_as_it_was_written(infill):
    given, first, *_ = infill("1", TUNES["G"], "G")
    assert (given.name, given.title) == ("original", "Original")
    assert (first.name, first.title) == ("fill_01", "Fill 1")
    assert from_abc(given.abc)[2:] == from_abc(TUNES["G"].replace(":|2", ":||2"))


def test_a_tie_into_the_bars_goes_on_and_none_is_left_open(infill):
    body = "c3 c3-|c6|d6-|d6|e6|"
    given, *variants = infill("2-3", body, num=20)
    for sample in variants:
        tokens = from_abc(sample.abc)
        phrase = parse_tokens(tokens)
        assert phrase.problems == ()
        new, _ = bars_of(sample)
        assert new[0] == "c 3 c 3 -"
        assert (
            next(token for token in new[1].split() if kind(token) == "pitch") == "c"
        )  # the tied note sounds on
        if new[2].endswith("-"):  # a tie out of the last new bar leads to the d that follows
            assert re.search(r"(^| )d( [0-9/]+)? -$", new[2])
    assert len(variants) == 20


def test_tunes_of_any_meter_are_filled_in(infill):
    for meter, body in {"none": "abc|d2e|fg|", "3/4": "C|C6|D2E2F2|G4 z|"}.items():
        _, *variants = infill("2", f"{body}\n", key="C\nM:" + meter, num=2)
        for sample in variants:
            check = check_bars(from_abc(sample.abc))
            assert check.right == check.bars


def test_a_variant_depends_on_its_seed_alone(infill):
    six = infill("1-2", batch_size=4)[1:]
    _, last = infill("1-2", seeds=[six[5].seed], seed=9)
    assert from_abc(last.abc) == from_abc(six[5].abc)
    assert len({sample.abc for sample in six}) > 1


def test_what_is_likeliest_is_taken_at_temperature_zero(infill):
    first, second = infill("5", temperature=0.0, num=2)[1:]
    assert from_abc(first.abc) == from_abc(second.abc)


def test_without_the_constraint_the_number_of_bars_is_still_right(infill):
    given, *variants = infill("1-2", constraint=None, num=12)
    assert any(sample.right_bars != sample.bars for sample in variants)
    for sample in variants:
        assert bars_of(sample)[1] == bars_of(given)[1]
        assert sample.finished


@pytest.mark.parametrize("constraint", ["abc", None])
def test_the_bars_end_within_the_limit(infill, constraint):
    # C 6 and its sentinel, twice; one note and its sentinel.
    needed = 6 if constraint else 4
    variants = infill("5-6", constraint=constraint, max_tokens=needed)[1:]
    assert {sample.generated for sample in variants} == {needed}
    with pytest.raises(UserError, match=f"max_tokens={needed - 1} is too small"):
        infill("5-6", constraint=constraint, max_tokens=needed - 1)


def test_new_bars_are_marked_wherever_they_are_heard(infill):
    given, first, *_ = infill([2, "5"], num=1)
    # Between signs, counted from 0: the upbeat, bars 1 to 3, two parts of bar 4, bars 5 to 8.
    assert given.marked_bars == first.marked_bars == (2, 6)
    eighth, bar = 240, 1440
    second = eighth + bar  # an upbeat and bar 1 come before bar 2
    repeated = second + 3 * bar  # bars 2, 3 (the first ending) and 1 come between
    fifth = repeated + 2 * bar  # bars 2 and 4 (the second ending)
    assert first.marked_ticks[0] == (second, second + bar)
    assert first.marked_ticks[1] == (repeated, repeated + bar)
    assert first.marked_ticks[2][0] == fifth
    assert len(first.marked_ticks) == 4  # the second part is repeated


def test_a_fill_that_restores_the_original_says_so(net, tokenizer, infill, monkeypatch):
    given, *variants = infill("4", "c6|c6|c6|c6|", num=40, temperature=1.0)
    alike = [sample for sample in variants if sample.abc.split("K:")[1] == given.abc.split("K:")[1]]
    for sample in variants:
        restored = sample.abc.split("K:")[1] == given.abc.split("K:")[1]
        assert (sample.notes == ("the same notes as in the original",)) == restored
    assert len(alike) < 40


def test_byte_pairs_are_filled_in_without_the_grammar(tmp_path):
    import numpy as np

    tokenizer = AbcBpe(280)
    path = tmp_path / "tune.abc"
    path.write_text(HEAD.format("G") + TUNES["G"] + "\n")
    text = "M:6/8\nL:1/8\nK:Gmaj\n" + "".join(TUNES["G"].split()) + "\n"
    tokenizer.fit_ids([np.frombuffer(text.encode(), np.uint8)] * 2)
    Chain({"abc_bpe": tokenizer, "infill": Infill()}).bind()
    torch.manual_seed(0)
    net = FolkRNN(tokenizer.model_vocabulary, width=8, depth=1)
    plan = InfillPlan(input=str(path), bars="1-2", constraint=None, num=3, max_tokens=40)
    given, *variants = compose(net, plan, tokenizer=tokenizer, seed=0).samples
    assert from_abc(given.abc)[2:] == from_abc(TUNES["G"].replace(":|2", ":||2"))
    assert len(variants) == 3
    with pytest.raises(UserError, match="does not write ABC tokens: set sample.constraint=null"):
        compose(net, dataclasses.replace(plan, constraint="abc"), tokenizer=tokenizer, seed=0)


def test_a_model_without_the_tokens_is_refused(tmp_path, infill):
    infill("1", num=1)  # writes the file
    tokenizer = AbcTokens(vocabulary="folk_rnn")
    net = FolkRNN(tokenizer.vocabulary, width=8, depth=1)
    plan = InfillPlan(input=str(tmp_path / "tune.abc"), bars=1)
    with pytest.raises(UserError, match=r"FolkRNN was not trained to fill in bars.*infill\]$"):
        compose(net, plan, tokenizer=tokenizer, seed=0)


def test_a_model_that_learned_another_order_is_refused(tmp_path, infill):
    infill("1", num=1)  # writes the file
    tokenizer = AbcTokens(vocabulary="folk_rnn")
    tokenizer.added = ("<mask>", "<fill>")  # of a checkpoint whose fills came after the whole tune
    net = FolkRNN(tokenizer.model_vocabulary, width=8, depth=1)
    plan = InfillPlan(input=str(tmp_path / "tune.abc"), bars=1)
    with pytest.raises(UserError, match="in an earlier order .*; train one anew"):
        compose(net, plan, tokenizer=tokenizer, seed=0)


@pytest.mark.parametrize(
    ("bars", "body", "message"),
    [
        ("20", TUNES["C"], "the tune has bars 0 to 8, no bar 20"),
        ("0", "c6|c6|", "the tune has bars 1 to 2, no bar 0"),
        ("1", "M:33/8\nc8 c8 c8 c8 c|c6|", r"bar 1 lasts 33 eighths, which no notes .*=null"),
        ("1", "c5 c/16c/16|c6|", "a token too rare in training"),
    ],
)
def test_a_tune_that_cannot_be_filled_in_is_refused_with_the_bar(infill, bars, body, message):
    with pytest.raises(UserError, match=message) as caught:
        infill(bars, body)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bars": None}, "needs the bars to write anew, such as sample.bars=5-8"),
        ({"bars": "8-5"}, "the last bar comes before the first"),
        ({"bars": 1, "num": 0}, "sample.num"),
        ({"bars": 1, "constraint": "midi"}, "must be auto, abc or null"),
    ],
)
def test_a_plan_out_of_range_is_refused(options, message):
    with pytest.raises(UserError, match=message):
        InfillPlan(input="a.abc", **options)


def test_a_file_that_is_no_tune_is_refused(net, tokenizer, tmp_path):
    for name, message in {"a.mid": "fills in bars of .abc files", "b.abc": "No such file"}.items():
        plan = InfillPlan(input=str(tmp_path / name), bars=1)
        with pytest.raises(UserError, match=message):
            compose(net, plan, tokenizer=tokenizer, seed=0)


def test_the_plan_is_neither_for_new_tunes_nor_for_windows():
    plan = InfillPlan(input="a.abc", bars=1)
    assert plan.plain is None
    assert isinstance(SamplePlan().for_sequences(), SamplePlan)
    with pytest.raises(UserError, match="a model of windows does not read"):
        plan.for_windows()
