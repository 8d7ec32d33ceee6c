"""Fields, several of them in one line or with music after them."""

import pytest

from symbotunes.music.abc.fields import split_fields
from symbotunes.music.abc.prose import reads_as_music, reads_as_words


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("T: A title", [("T", "A title")]),
        ("  L:1/16", [("L", "1/16")]),
        ("X : 1", [("X", "1")]),
        ("w:|la la", [("w", "|la la")]),
        ("N: in K:G M:6/8", [("N", "in K:G M:6/8")]),
        ("T:Reel in K: what", [("T", "Reel in K: what")]),
        ("M: 4/4 L: 1/8", [("M", "4/4"), ("L", "1/8")]),
        ("K:C clef=bass", [("K", "C clef=bass")]),
        ("K:C foo", [("K", "C foo")]),
        ("K:G & D", [("K", "G & D")]),
        ('Q:"Allegro" 1/4=120', [("Q", '"Allegro" 1/4=120')]),
        ("A2 Q:120 B2|", [("", "A2"), ("Q", "120"), ("", "B2|")]),
        (
            "X:1 T:Two words R:reel M:6/8 K:G G2A B2d|",
            [
                ("X", "1"),
                ("T", "Two words"),
                ("R", "reel"),
                ("M", "6/8"),
                ("K", "G"),
                ("", "G2A B2d|"),
            ],
        ),
        ("M:4/4 K:Cmaj G 2 E 2|", [("M", "4/4"), ("K", "Cmaj"), ("", "G 2 E 2|")]),
        ("K:Edor|:EBBA", [("K", "Edor"), ("", "|:EBBA")]),
        ("L:1/16 c3c|L:1/8 a2|", [("L", "1/16"), ("", "c3c|"), ("L", "1/8"), ("", "a2|")]),
    ],
)
def test_fields_end_at_the_next_field_or_at_music(line, fields):
    assert split_fields(line) == fields


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("A:|", [("", "A:|")]),
        ("z::z", [("", "z::z")]),
        ('"in K:G"A2|', [("", '"in K:G"A2|')]),
        ("a|[K:D]b", [("", "a|[K:D]b")]),
        ("A4:|:K:G dB|", [("", "A4:|:"), ("K", "G"), ("", "dB|")]),
    ],
)
def test_fields_in_the_middle_of_music_need_no_brackets(line, fields):
    assert split_fields(line) == fields


@pytest.mark.parametrize(
    "line",
    ['"Am"A2 [CE]>!trill!^c|1 (3def:|2 ~g3 {a}z [K:D] Tc-|]', "| G | D7 | G |", "bad cabbage|"],
)
def test_music_is_told_from_words(line):
    assert reads_as_music(line)
    assert not reads_as_words(line)


@pytest.mark.parametrize(
    "line",
    ["Chords: G / / / | D7 /", "Play it slowly|", "Transcribed by Jim", "Gsus4 | (or Am)", "la la"],
)
def test_words_are_told_from_music(line):
    assert reads_as_words(line)
    assert not reads_as_music(line)


def test_letters_to_which_the_tune_gives_a_meaning_are_no_words():
    assert reads_as_words("rsA2 B2|")
    assert not reads_as_words("rsA2 B2|", {"r", "s"})
