"""Lines as the world writes them: wrapped, of old files, or of something else than music."""

import pytest

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.reader import parse

TEXTS = [
    "Free words about a dance",
    "Chords: G / / / | D7 / G / ||",
    "| G | D7 | G | C |",  # letters of notes, but no full bars
    "Play A | and then B |",
    "r: jig",
    "M:3/4",
]


@pytest.mark.parametrize("text", TEXTS)
def test_text_after_a_blank_line_is_not_music(read, text):
    assert read(f"A8|B8|\n\n{text}\n") == "A*8 | B*8 |"
    assert read(f"A8|B8|\n\n{text}\n\nmore") == "A*8 | B*8 |"


def test_full_bars_after_a_blank_line_are_music_of_the_tune(read):
    assert read("A8|\n\nFree words about a dance\n\nc8|d8|\n\ne8|") == "A*8 | c*8 | d*8 | e*8 |"
    assert read("A4\n\nB4|") == "A*4 B*4 |"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("+CE+ +DA+2 +D2A2+d", "C+E D+A*2 D+A*2 d"),
        ("+F2 A2 + B", "F+A*2 B"),
        ("+A-c-+ +Ac+ +dd+", "A-+c- A+c d+d"),
        ("+f+A +ff+B +trill+c +D.C.+ d", "A B c d"),  # loudness is no chord
        ("A+|B c+", "A | B c"),  # the end of a line
    ],
)
def test_notes_in_plus_signs_are_a_chord_of_old_files(read, body, expected):
    assert read(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("A !cd e! f|", "A c d e f |"),  # between two old signs for the end of a line
        ("A !cdef! g|", "A c d e f g |"),
        ("A !ff!g !D.C.!a !fade out!b|", "A g a b |"),
    ],
)
def test_music_between_two_exclamation_marks_is_no_decoration(read, body, expected):
    assert read(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('A "half\ncadence"B|', "A B |"),
        ("A {b\nc}d|", "A d |"),
        ("A [C2\nE2]c|", "A C+E*2 c |"),
        ("A [C2\n% a comment\nE2]c|", "A C+E*2 c |"),
        ("A [C2\nw:la\nE2]c|", "A C+E*2 c |"),
        ("A B\n>c|", "A B> c |"),
        ("A B>\nc|", "A B> c |"),
        ("A B\n2c|", "A B*2 c |"),
        ("A B/\n4c|", "A B*1/4 c |"),
        ("A B3\n/2c|", "A B*3/2 c |"),
        ("A B\n/c|", "A B*1/2 c |"),
        ("A B\n-B|", "A B- B |"),
        ("A ^\nB|", "A ^B |"),
        ("c A:\n|B|", "c A :| B |"),
        ("A|\n:B:|", "A | |: B :|"),
        ("A|1 B:\n|2 c|", "A | |1 B :| |2 c |"),
    ],
)
def test_lines_may_be_wrapped_anywhere(read, body, expected):
    assert read(body) == expected


def test_numbers_behind_a_space_are_lengths_where_all_are(read):
    assert read("|: G 2 E [ C E ] 4 z /2 D > E 3/2 :|") == "|: G*2 E C+E*4 z*1/2 D> E*3/2 :|"


@pytest.mark.parametrize(
    "line",
    [
        "\\bigskip",
        "\\vskip 6pt A|B",
        "  \\eject",
        "Second time slower",
        "w:|a b",
        "  w: a|",
        "w:la \\\nal le",
    ],
)
def test_lines_of_something_else_are_passed_over(read, line):
    assert read(f"A|\n{line}\nB|") == "A | B |"


def test_typographic_signs_are_those_of_the_keyboard(read):
    assert read("\u201cAm\u201dA \u201eC\u201cb\u2019 c\u2013c|") == "A b' c- c |"


def test_music_may_stand_behind_fields_and_fields_between_music(tune):
    parsed = parse("X:1 T:A title M:3/4 L:1/4 K:G GAB|")
    assert (parsed.meter, str(parsed.key)) == ("3/4", "Gmaj")
    assert parsed.items == parse(tune("GAB|", meter="3/4", unit="1/4", key="G")).items
    parsed = parse("X:1\n[M:3/4][L:1/4] [K:G] GAB|")
    assert (parsed.meter, str(parsed.key), len(parsed.items)) == ("3/4", "Gmaj", 5)
    with pytest.raises(AbcError, match="^changes key inside"):
        parse(tune("A2:|:K:G dB|"))


@pytest.mark.parametrize("macro", ["m:~g2={a}g{f}g", "m: T = !trill!", "m:~n3=n{o}n{m}n"])
def test_macros_of_ornaments_leave_the_note_as_it_is(read, macro):
    assert read("~g2 Tc|", more=f"{macro}\n") == "g*2 c |"


def test_letters_with_a_meaning_of_their_own_are_no_words(read):
    assert read("rsA klB|", more="U:r=!x!\nU: s = !y!\n") == "A B |"
