import pytest

from symbotunes.training.loggers.limits import config_within, name_within, tags_within


def test_tags_are_neither_empty_nor_twice_nor_longer_than_64_characters():
    assert tags_within(["folk", "", "  ", "folk", "x" * 80, 3]) == ["folk", "x" * 64, "3"]


def test_tags_that_are_alike_once_they_are_cut_are_one():
    assert tags_within(["x" * 64 + "a", "x" * 64 + "b"]) == ["x" * 64]


def test_a_long_name_loses_its_middle_and_keeps_its_number():
    assert name_within("folk_rnn-3") == "folk_rnn-3"
    short = name_within("a" * 200 + "-17")
    assert len(short) == 127
    assert short.startswith("aaa")
    assert short.endswith("a-17")


def test_long_texts_and_lists_of_a_config_are_cut_and_say_so():
    cut = config_within({"a": {"text": "x" * 10_002, "list": list(range(1_003))}, "b": 1})
    assert cut["a"]["text"] == "x" * 10_000 + "... 2 more"
    assert cut["a"]["list"] == [*range(1_000), "... 3 more"]
    assert cut["b"] == 1


def test_a_config_that_is_too_large_all_the_same_is_refused():
    with pytest.raises(ValueError, match="exceeds the limit of W&B"):
        config_within({str(number): "x" * 9_000 for number in range(1_200)})
