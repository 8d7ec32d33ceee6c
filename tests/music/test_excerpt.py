"""Bars as a user names them."""

import pytest

from symbotunes.errors import UserError
from symbotunes.music.excerpt import in_words, read_excerpt


@pytest.mark.parametrize(
    ("value", "bars"),
    [
        ("5-8", [range(5, 9)]),
        (7, [range(7, 8)]),
        ("0-2", [range(3)]),
        (["1-2", 7], [range(1, 3), range(7, 8)]),
        ("1-2, 7", [range(1, 3), range(7, 8)]),
        (" 3 - 4 ", [range(3, 5)]),
    ],
)
def test_bars_are_numbers_and_ranges(value, bars):
    assert read_excerpt("sample.bars", value) == tuple(bars)


def test_nothing_is_asked_for():
    assert read_excerpt("sample.bars", None) is None


@pytest.mark.parametrize(
    "value", ["8-5", "all", -1, "1-", True, 2.5, [], [[1, 2]], "9999999", {"a": 1}]
)
def test_what_is_no_bar_is_refused_by_name(value):
    with pytest.raises(UserError, match=r"sample\.a_bars"):
        read_excerpt("sample.a_bars", value)


def test_bars_in_words():
    assert (in_words(range(7, 8)), in_words(range(5, 9))) == ("bar 7", "bars 5-8")
