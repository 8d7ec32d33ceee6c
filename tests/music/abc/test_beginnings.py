import pytest

from symbotunes.music.abc.beginnings import first_bars


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
