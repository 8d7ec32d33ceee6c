"""What goes into the lines that users see."""

import pytest

from symbotunes.errors import (
    UserError,
    did_you_mean,
    first_line,
    nearest,
    nearest_key,
    require_whole_number,
)


def test_an_exception_is_its_first_line_or_its_kind():
    assert first_line(ValueError("\n too wide\nby far")) == "too wide"
    assert first_line(KeyError()) == "KeyError"
    assert first_line(RuntimeError(" \n ")) == "RuntimeError"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("folk_rn", "folk_rnn"),
        ("Folk_RNN", "folk_rnn"),
        ("pgt2", "GPT2"),
        ("lstm", None),
        ("", None),
    ],
)
def test_the_nearest_choice_is_found_whatever_its_case(written, meant):
    assert nearest(written, ["folk_rnn", "GPT2", "music_vae"]) == meant


def test_letters_in_the_wrong_order_come_before_other_likeness():
    """difflib alone finds ``mode`` more like it."""
    assert nearest("modle", ["mode", "model"]) == "model"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sample.tempreature", "sample.temperature"),
        ("smaple.top_p", "sample.top_p"),
        ("sample.bars", None),
        ("sample.form", None),
        ("sample.tempo", None),
        ("tempo", None),
    ],
)
def test_a_key_is_near_if_every_part_of_it_is(written, meant):
    keys = ["sample.prompt_bars", "sample.out", "sample.top_p", "sample.temperature"]
    assert nearest_key(written, keys) == meant


def test_a_line_names_what_was_meant_or_what_there_is():
    assert did_you_mean("train", ["trian", "sample"]) == "; did you mean trian?"
    assert did_you_mean("x", ["train", "sample"]) == "; choose one of train, sample"
    assert did_you_mean("x", ["train"], prefix="mode/") == "; choose one of mode/train"
    assert did_you_mean("trian", ["train"], prefix="mode/") == "; did you mean mode/train?"


def test_a_line_lists_neither_nothing_nor_hundreds():
    assert did_you_mean("x", []) == ""
    assert did_you_mean("x", [f"option {number}" for number in range(41)]) == ""


@pytest.mark.parametrize("value", [1, 2, 10**12])
def test_whole_numbers_pass(value):
    require_whole_number("sample.num", value)
    require_whole_number("sample.num", None, optional=True)
    require_whole_number("sample.num", 0, least=0)


@pytest.mark.parametrize("value", [0, -1, 1.0, "2", True, None, float("nan")])
def test_what_is_no_whole_number_is_refused_by_name(value):
    with pytest.raises(UserError) as caught:
        require_whole_number("sample.num", value)
    assert str(caught.value) == f"sample.num={value}: must be a whole number of at least 1"


def test_a_line_says_that_null_is_allowed():
    with pytest.raises(UserError, match="^loader.repeat=0: .* of at least 1, or null$"):
        require_whole_number("loader.repeat", 0, optional=True)
