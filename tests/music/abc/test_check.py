import pytest

from symbotunes.music.abc.check import BarCheck, check_bars, share_in_key
from symbotunes.music.abc.phrases import parse_tokens

EIGHT = "C 2 D 2 E 2 F 2"


@pytest.mark.parametrize(
    ("body", "bars", "right"),
    [
        (f"{EIGHT} | {EIGHT} |", 2, 2),
        (f"{EIGHT} | C 2 | {EIGHT} |", 3, 2),  # a bar too short
        (f"{EIGHT} | {EIGHT} C | {EIGHT} |", 3, 2),  # a bar too long
        (f"G | {EIGHT} | {EIGHT} |", 3, 3),  # an upbeat is right by itself
        (f"G | {EIGHT} | C 7 |", 3, 3),  # and completes the last bar
        (f"{EIGHT} | C 7 |", 2, 1),  # which is too short without it
        (f"{EIGHT} | C 4 |", 2, 1),  # half a bar does not complete itself
        (f"G 4 | {EIGHT} | C 4 |", 3, 3),
        (f"|: G | {EIGHT} | C 7 :| |: G | {EIGHT} | C 7 :|", 5, 5),  # upbeat to a repeat
        (f"|: {EIGHT} | C 4 :| G 4 | {EIGHT} |", 3, 3),  # a bar split by a repeat is one
        (f"|: G | {EIGHT} |1 C 7 :| |2 C 6 z |", 4, 4),
    ],
)
def test_bars_are_right_when_their_sounds_fill_the_meter(body, bars, right):
    assert check_bars(f"M:4/4 K:Cmaj {body}".split()) == BarCheck(bars, right)


@pytest.mark.parametrize(
    "bar",
    ["(3 C D E (3 C D E (3 C D E (3 C D E", "C > D E < F G 3 z", "[ C E ] 4 z 4", "C 15/2 D /2"],
)
def test_tuplets_broken_rhythm_chords_and_rests_count_with_their_sounding_length(bar):
    assert check_bars(f"M:4/4 K:Cmaj {EIGHT} | {bar} | {EIGHT} |".split()) == BarCheck(3, 3)


@pytest.mark.parametrize(("meter", "length"), [("6/8", 6), ("2/2", 8), ("3/4", 6), ("12/8", 12)])
def test_the_meter_says_how_long_a_bar_is(meter, length):
    tokens = f"M:{meter} K:Cmaj C {length} | D {length} | E {length - 1} | C {length} |".split()
    assert check_bars(tokens) == BarCheck(4, 3)


def test_without_meter_no_bar_is_judged():
    assert check_bars(["M:none", "K:Cmaj", "C", "D", "|", "E", "|"]) == BarCheck(0, 0)


@pytest.mark.parametrize("tokens", ["", "M:4/4", "K:Cmaj |", "| | :|", "x y"])
def test_tokens_without_music_have_no_bars(tokens):
    assert check_bars(tokens.split()) == BarCheck(0, 0)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ("M:4/4 K:Cmaj C |", []),
        ("K:Cmaj C |", ["no meter"]),
        ("M:4/4 C |", ["no key"]),
        ("M:4/4 K:Cmaj |", ["no note"]),
        ("M:4/4 K:Cmaj C", ["no bar sign at the end"]),
        ("M:4/4 K:Cmaj C blah |", ["unknown token blah"]),
        ("M:4/4 K:Cmaj C M:3/4 |", ["a meter inside the tune"]),
        ("M:4/4 K:Cmaj C K:Cmin |", ["a key inside the tune"]),
        ("M:4/4 K:Cmaj 2 C |", ["a duration that follows no note"]),
        ("M:4/4 K:Cmaj C 2 3 |", ["a duration that follows no note"]),
        ("M:4/4 K:Cmaj - C |", ["a tie that follows no note"]),
        ("M:4/4 K:Cmaj [ C E |", ["[ without ]"]),
        ("M:4/4 K:Cmaj C ] |", ["] without ["]),
        ("M:4/4 K:Cmaj C [ ] |", ["an empty chord"]),
        ("M:4/4 K:Cmaj [ C [ E ] |", ["a chord inside a chord"]),
        ("M:4/4 K:Cmaj [ C z ] |", ["a rest inside a chord"]),
        ("M:4/4 K:Cmaj (3 C D | E |", ["a tuplet that is cut short"]),
        ("M:4/4 K:Cmaj C > | D |", ["broken rhythm without a second note"]),
        ("M:4/4 K:Cmaj C > D 2 |", ["broken rhythm between unequal notes"]),
        ("M:4/4 K:Cmaj |: C |", ["a repeat that is not closed"]),
        ("M:4/4 K:Cmaj |: C |: D :|", ["a repeat inside a repeat"]),
        ("M:4/4 K:Cmaj C |2 D |", ["an ending outside a repeat"]),
        ("M:4/4 K:Cmaj [ C 2 E 2 ] |", []),  # as the published tunes write chords
    ],
)
def test_what_is_not_well_formed_is_named(tokens, expected):
    assert list(parse_tokens(tokens.split()).problems) == expected


def test_notes_of_the_key_are_counted_as_they_sound():
    # F is sharp in D major; a written natural lasts to the end of its bar.
    for tune, share in {
        "M:4/4 K:Dmaj F ^F =F F c z 3 | [ F A ] _B 7 |": 5 / 8,
        "M:4/4 K:Dmaj z 8 |": None,
    }.items():
        assert share_in_key(parse_tokens(tune.split())) == share
