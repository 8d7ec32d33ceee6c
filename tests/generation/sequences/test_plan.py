import dataclasses

import pytest
import torch

from symbotunes.errors import UserError
from symbotunes.generation.sequences.plan import SamplePlan, draw, draw_samples
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.models.gpt2 import GPT2
from symbotunes.tokenizers.abc import AbcTokens

PLAN = SamplePlan(num=6, temperature=1.0, top_k=0, top_p=1.0, max_tokens=60)
FILE = """X:1
T:A tune
M:6/8
L:1/8
K:C
G|c2c cde|g2e c2d|e2c A2G|G3 G2:|

X:2
T:Another
M:3/4
K:C
C3|
"""


@pytest.fixture(scope="module")
def tokenizer():
    return AbcTokens(vocabulary="folk_rnn")


@pytest.fixture(scope="module")
def net(tokenizer):
    torch.manual_seed(1)
    return FolkRNN(tokenizer.vocabulary, width=16, depth=1)


def plan(**changes):
    return dataclasses.replace(PLAN, **changes)


def test_under_the_constraint_every_bar_of_an_untrained_network_is_right(net, tokenizer):
    free = draw_samples(net, tokenizer, plan(), seed=0)
    kept = draw_samples(net, tokenizer, plan(constraint="abc"), seed=0)
    assert any(sample.notes for sample in free)
    for sample in kept:
        assert sample.finished
        assert sample.notes == ()
        assert sample.bars == sample.right_bars > 0


def test_auto_is_the_constraint_where_tunes_are_written_and_none_where_they_are_measured(
    net, tokenizer
):
    automatic, free = plan(), plan(constraint=None)
    constrained = plan(constraint="abc").write(net, tokenizer, seed=0)
    written = automatic.write(net, tokenizer, seed=0)
    assert [each.abc for each in written.samples] == [each.abc for each in constrained.samples]
    assert written.facts["constraint"] == "abc"
    assert draw(net, tokenizer, automatic, 0) == draw(net, tokenizer, free, 0)
    assert "constraint" not in automatic.facts
    unconstrained = free.write(net, tokenizer, seed=0)
    assert any(each.notes for each in unconstrained.samples)
    assert "constraint" not in unconstrained.facts


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"prompt": "M:2/4 K:C C4 D"}, "D is not allowed after M:2/4 K:Cmaj C 4"),
        ({"max_tokens": 5}, "max_tokens=5 is too small: the end takes 6 tokens"),
    ],
)
def test_auto_leaves_a_beginning_free_that_keeps_to_no_grammar_and_says_why(
    net, tokenizer, changes, reason
):
    composition = plan(num=1, **changes).write(net, tokenizer, seed=0)
    assert composition.inputs["no constraint, since"].startswith(reason)
    assert "constraint" not in composition.facts


def test_auto_is_no_constraint_for_tokens_without_a_grammar():
    poor = AbcTokens()
    poor.fit({"M:4/4": 1, "K:Cmaj": 1, "C": 1})
    torch.manual_seed(1)
    composition = plan(num=1).write(FolkRNN(poor.vocabulary, width=4, depth=1), poor, seed=0)
    assert composition.inputs == {}
    assert "constraint" not in composition.facts
    assert plan().for_windows() == plan(constraint=None).for_windows()


def test_a_constrained_sample_depends_on_its_seed_alone(net, tokenizer):
    six = draw_samples(net, tokenizer, plan(constraint="abc", batch_size=4), seed=0)
    (last,) = draw_samples(net, tokenizer, plan(constraint="abc", seeds=[six[5].seed]), seed=9)
    assert last.abc.split("\n")[2:] == six[5].abc.split("\n")[2:]


@pytest.mark.parametrize("changes", [{}, {"temperature": 0}, {"constraint": "abc"}], ids=str)
def test_a_network_that_gives_nan_is_refused_in_one_line(tokenizer, changes):
    net = FolkRNN(tokenizer.vocabulary, width=16, depth=1)
    next(net.parameters()).data.fill_(torch.nan)
    with pytest.raises(UserError, match="NaN instead of probabilities.*an earlier checkpoint"):
        draw_samples(net, tokenizer, plan(**changes), seed=0)


def test_samples_go_on_from_the_first_bars_of_a_file(net, tokenizer, tmp_path):
    path = tmp_path / "tune.abc"
    path.write_text(FILE)
    changes = {"prompt_file": str(path), "prompt_bars": 2, "constraint": "abc", "num": 3}
    for sample in draw_samples(net, tokenizer, plan(**changes), seed=0):
        assert "\nM:6/8\nL:1/8\nK:Cmaj\nG | c2 c cde | g2 e c2 d |" in sample.abc
        assert sample.right_bars == sample.bars


def test_a_file_in_another_key_is_gone_on_from_in_its_key(net, tokenizer, tmp_path):
    samples = []
    for text in (FILE, to_g(FILE)):
        path = tmp_path / "tune.abc"
        path.write_text(text)
        changes = {"prompt_file": str(path), "prompt_bars": 2, "num": 1}
        samples += draw_samples(net, tokenizer, plan(**changes), seed=0)
    on_c, in_g = samples
    assert "\nK:Gmaj\nD | G2 G GAB | d2 B G2 A |" in in_g.abc
    heard = [[note.pitch for note in each.score.tracks[0].notes] for each in samples]
    assert heard[1] == [pitch - 5 for pitch in heard[0]]
    assert in_g.nll_nats == on_c.nll_nats


def to_g(text):
    """The tunes a fourth lower; they have no accidentals."""
    lower = ["G,", "A,", "B,", *"CDEFGABcdef"]
    moved = str.maketrans(dict(zip("CDEFGABcdefgab", lower, strict=True)))
    lines = [line if line[1:2] == ":" else line.translate(moved) for line in text.split("\n")]
    return "\n".join(lines).replace("K:C", "K:G")


@pytest.mark.parametrize(
    ("name", "content", "bars", "reason"),
    [
        ("tune.abc", FILE, 5, "the tune has 3 full bars, fewer than 5"),
        ("tune.abc", "", 1, "empty file"),
        ("tune.mid", "MThd", 1, "the model writes ABC, and can only continue .abc files"),
        ("tune.abc", None, 1, "No such file or directory"),
    ],
)
def test_a_file_that_is_no_prompt_is_answered_in_one_line(
    net, tokenizer, tmp_path, name, content, bars, reason
):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError) as error:
        draw_samples(net, tokenizer, plan(prompt_file=str(path), prompt_bars=bars), seed=0)
    assert str(error.value).startswith(f"sample.prompt_file={path}: {reason}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"constraint": "midi"}, "sample.constraint=midi: must be auto, abc or null"),
        ({"min_p": 2.0}, "sample: min_p=2.0 must be at most 1"),
        ({"repetition_penalty": -1.0}, "sample: repetition_penalty=-1.0 must be above 0"),
        ({"prompt_bars": 0}, "sample.prompt_bars=0: must be a whole number of at least 1"),
        ({"weights": "int4"}, "sample.weights=int4: must be bfloat16, int8 or null"),
        ({"prompt": "A", "prompt_file": "a.abc"}, "sample.prompt and sample.prompt_file: give"),
    ],
)
def test_plans_out_of_range_are_answered_in_one_line(changes, line):
    with pytest.raises(UserError) as error:
        plan(**changes)
    assert str(error.value).startswith(line)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"prompt": "M:2/4 K:C C4 D"}, "sample: D is not allowed after M:2/4 K:Cmaj C 4 "),
        ({"max_tokens": 5}, "sample: max_tokens=5 is too small: the end takes 6 tokens"),
    ],
)
def test_what_the_constraint_forbids_is_answered_in_one_line(net, tokenizer, changes, line):
    with pytest.raises(UserError) as error:
        draw_samples(net, tokenizer, plan(constraint="abc", **changes), seed=0)
    assert str(error.value).startswith(line)


def test_a_vocabulary_that_cannot_write_a_tune_is_answered_in_one_line(net):
    poor = AbcTokens()
    poor.fit({"M:4/4": 1, "K:Cmaj": 1, "C": 1})
    with pytest.raises(UserError, match=r"sample.constraint=abc: a tune needs a meter, a key"):
        draw_samples(net, poor, plan(constraint="abc"), seed=0)


def test_a_gpt_writes_with_rounded_weights_where_the_plan_says_so(net, tokenizer):
    torch.manual_seed(1)
    gpt = GPT2(tokenizer.vocabulary, width=64, depth=2, heads=2)
    exact = draw_samples(gpt, tokenizer, plan(num=1), seed=0)
    rounded = draw_samples(gpt, tokenizer, plan(num=1, weights="int8"), seed=0)
    assert rounded[0].nll_nats != exact[0].nll_nats
    assert draw_samples(gpt, tokenizer, plan(num=1), seed=0)[0].nll_nats == exact[0].nll_nats
    with pytest.raises(UserError, match=r"sample.weights=int8: FolkRNN has no rounded weights"):
        draw_samples(net, tokenizer, plan(weights="int8"), seed=0)
