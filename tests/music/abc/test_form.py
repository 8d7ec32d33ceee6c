"""What letters and numbers ask of the bars of a tune."""

import pytest

from symbotunes.music.abc.form import Strain, read_form


@pytest.mark.parametrize(
    ("text", "num_bars", "strains"),
    [
        ("AABB", None, [Strain(8, repeated=True), Strain(8, repeated=True)]),
        ("AABB", 16, [Strain(8, repeated=True), Strain(8, repeated=True)]),
        ("ABC", 12, [Strain(4), Strain(4), Strain(4)]),
        ("AA4B", 20, [Strain(4, repeated=True), Strain(16)]),
        ("A8B8C16", None, [Strain(8), Strain(8), Strain(16)]),
        ("AaBB16", None, [Strain(8, repeated=True, endings=True), Strain(16, repeated=True)]),
        ("A96", 96, [Strain(96)]),
    ],
)
def test_letters_are_strains(text, num_bars, strains):
    assert read_form(text, num_bars) == tuple(strains)


@pytest.mark.parametrize(
    ("text", "num_bars", "message"),
    [
        ("", None, "must be letters such as AABB"),
        ("aabb", None, "must be letters such as AABB"),
        ("A-B", None, "must be letters such as AABB"),
        ("8A", None, "must be letters such as AABB"),
        ("ABa", None, "a is the second ending of a strain: write Aa"),
        ("AbB", None, "b is the second ending of a strain: write Bb"),
        ("AAA", None, "A is played more than twice"),
        ("AABBAA", None, "a strain cannot return after another one"),
        ("A400", None, "it has 400 bars, at most 96 can be asked for"),
        ("AB", 15, "its strains cannot have num_bars=15 bars together"),
        ("A8B8", 20, "its strains cannot have num_bars=20 bars together"),
        ("A8BC", 8, "its strains cannot have num_bars=8 bars together"),
        ("A0", None, "its strains need at least 1 bar each"),
        ("Aa1", None, "a strain with two endings needs at least 2 bars"),
    ],
)
def test_what_is_no_form_is_refused(text, num_bars, message):
    with pytest.raises(ValueError, match=message):
        read_form(text, num_bars)
