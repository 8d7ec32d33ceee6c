"""Notes that stand together in ABC have one beam."""

import pytest

from symbotunes.music.abc.playback import score_of
from symbotunes.music.abc.text import to_abc


def written(text):
    return " ".join(to_abc(text.split()).split("K:Cmaj\n")[1].split("\n")).strip()


@pytest.mark.parametrize(
    ("tokens", "abc"),
    [
        ("M:4/4 K:Cmaj C D E F G A B c | C 2 D E F 2 G A |", "CDEF GABc | C2 DE F2 GA |]"),
        ("M:6/8 K:Cmaj C D E F 2 G | C 3 D E F |", "CDE F2 G | C3 DEF |]"),
        ("M:3/4 K:Cmaj C D E F G A |", "CD EF GA |]"),
        ("M:2/4 K:Cmaj C /2 D /2 E F G |", "C/2D/2E FG |]"),
        # An upbeat ends where the bar ends; a rest and a tuplet stand apart.
        ("M:4/4 K:Cmaj C D E | F z G A B c d e |", "CDE | F z GA Bcde |]"),
        ("M:4/4 K:Cmaj C D (3 E F G A B c 2 |", "CD (3EFG AB c2 |]"),
        # The two parts of a bar that a repeat splits are one bar.
        ("M:4/4 K:Cmaj C 4 D E F :| G | C 8 |", "C4 DEF :| G | C8 |]"),
        ("M:4/4 K:Cmaj C > D E < F G 4 |", "C>DE<F G4 |]"),
    ],
)
def test_notes_with_flags_are_joined_within_a_beat(tokens, abc):
    assert written(tokens) == abc


def signatures(tokens, **options):
    score = score_of(tokens.split(), **options)
    return [(one.time, one.numerator, one.denominator) for one in score.time_signatures]


def test_an_upbeat_has_a_time_signature_of_its_own_where_it_is_asked_for():
    tune = "M:2/4 K:Cmaj C | D D E F | G 4 |"
    assert signatures(tune) == [(0, 2, 4)]
    assert signatures(tune, upbeat=True) == [(0, 1, 8), (240, 2, 4)]
    assert signatures("M:6/8 K:Cmaj C /2 D | E 6 |", upbeat=True) == [(0, 3, 16), (360, 6, 8)]


@pytest.mark.parametrize(
    "tune", ["M:2/4 K:Cmaj D D E F | G 4 |", "M:2/4 K:Cmaj C", "M:4/4 K:Cmaj (3 C D E | F 8 |"]
)
def test_without_an_upbeat_that_midi_can_write_there_is_one_signature(tune):
    expected = int("(3" in tune)  # two eighths, which MIDI can
    assert len(signatures(tune, upbeat=True)) == 1 + expected
