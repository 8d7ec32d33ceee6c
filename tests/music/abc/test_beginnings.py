import pytest

from symbotunes.music.abc.beginnings import chosen_bars, first_bars
from symbotunes.music.excerpt import read_excerpt


@pytest.mark.parametrize(
    ("tune", "bars", "beginning"),
    [
        ("M:2/4 K:Cmaj A 4 | B 4 | c 4 |", 2, "M:2/4 K:Cmaj A 4 | B 4 |"),
        ("M:2/4 K:Cmaj A | B 4 | c 4 | d 3 |", 1, "M:2/4 K:Cmaj A | B 4 |"),
        # Two parts of one bar count as one.
        ("M:2/4 K:Cmaj A | B 4 | c 3 :| |: d | e 4 |", 2, "M:2/4 K:Cmaj A | B 4 | c 3 :| |: d |"),
        ("M:2/4 K:Cmaj |: A 4 |1 B 4 :| |2 c 4 |", 1, "M:2/4 K:Cmaj |: A 4 |1"),
        ("M:none K:Cmaj A | B 4 | c |", 2, "M:none K:Cmaj A | B 4 |"),
    ],
)
def test_a_beginning_holds_so_many_bars_and_the_upbeat(tune, bars, beginning):
    assert first_bars(tune.split(), bars) == beginning.split()


def test_a_tune_with_fewer_bars_is_no_beginning():
    with pytest.raises(ValueError, match="the tune has 2 full bars, fewer than 3"):
        first_bars(["M:2/4", "K:Cmaj", "A", "4", "|", "B", "4", "|"], 3)


UPBEAT_LESS = ["M:2/4", "K:Cmaj", "A", "4", "|", "B", "4", "|", "c", "4", "|"]
UPBEAT = "M:2/4 K:Cmaj G | A 4 | B 4 :| |: c 4 |1 d 4 :| |2 e 3 |"


@pytest.mark.parametrize(
    ("tune", "bars", "chosen"),
    [
        (UPBEAT, "0", "G |"),
        (UPBEAT, "1", "A 4 |"),
        (UPBEAT, "0-2", "G | A 4 | B 4 :|"),
        (UPBEAT, "2-3", "B 4 :| |: c 4 |1"),
        (UPBEAT, "4-4", "d 4 :|"),
        (UPBEAT, ["1", 3], "A 4 | |: c 4 |1"),
        ("M:2/4 K:Cmaj A 4 | B 4 |", "1-2", "A 4 | B 4 |"),
        ("M:2/4 K:Cmaj |: A 4 | B 4 :|", "1", "|: A 4 |"),
    ],
)
def test_bars_are_chosen_as_they_are_engraved(tune, bars, chosen):
    found = chosen_bars(tune.split(), read_excerpt("bars", bars))
    assert found == ["M:2/4", "K:Cmaj", *chosen.split()]


@pytest.mark.parametrize(("bars", "missing"), [("3-5", 5), ("0-1", 0)])
def test_bars_that_a_tune_does_not_have_are_named(bars, missing):
    with pytest.raises(ValueError, match=f"the tune has bars 1 to 3, no bar {missing}"):
        chosen_bars(UPBEAT_LESS, read_excerpt("bars", bars))
