"""The order in which parts, repeats and endings are played."""

import pytest


def order(read, parts, body):
    return read(body, more=f"P:{parts}\n")


MARKED = "P:A\nA|\nP:B\nB|\n[P:C]c|"


@pytest.mark.parametrize(
    ("parts", "letters"),
    [
        ("ABA", "A B A"),
        ("A2B", "A A B"),
        ("(AB)2C", "A B A B c"),
        ("A.(B C2)2.A", "A B c c B c c A"),
        ("((AB)2C)2", "A B A B c A B A B c"),
        ("A, B, A", "A B A"),
        ("A x 2 - B", "A A B"),
        ("aba", "A B A"),
        ("ABC", "A B c"),
        ("CA", "c A"),
        ("A", "A"),
        ("X", "A B c"),  # names no part of the tune
        ("XY", "A B c"),
    ],
)
def test_an_order_of_parts_is_written_out(read, parts, letters):
    written = order(read, parts, MARKED).replace("=", "")
    assert written == " ".join(f"{letter} |" for letter in letters.split())


def test_parts_without_an_order_or_without_marks_are_played_as_written(read):
    assert read("P:A\nA|\nP:B\nB|") == "A | B |"
    assert order(read, "AABB", "A|B|") == "A | B |"
    assert order(read, "Modern version", "A|B|") == "A | B |"
    assert order(read, "ABA", "P:A\nA|\nP:B\nB|\nP:A\nc|") == "A | B | c |"


def test_accidentals_of_a_part_stay_in_it_and_its_repeat_goes_back_to_its_beginning(read):
    body = "G|\nP:A\n^F2\nP:B\nF2:|"
    assert order(read, "AB", body) == "G | ^F*2 F*2 :|"  # already in order
    assert order(read, "BA", body) == "=G | |: ^F*2 :| ^F*2"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("|::A::|B|", "| A | A | A | B |"),
        ("c|:::A B:::|", "c | A B | A B | A B | A B |"),
        ("|:A::|B|", "|: A :| B |"),  # signs that disagree are plain repeats
        ("|::A:|B|", "|: A :| B |"),
        ("A||::B::|", "A | B | B | B |"),
        ("A::B:|", "A :| |: B :|"),
    ],
)
def test_repeats_of_several_times_are_written_out(read, body, expected):
    assert read(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        "A|\n1B:|\n2c|",
        "A| 1 B:| 2 c|",
        "A|1B|2c|",
        "A|[1B|[2c|",
        "A|\n1 B:|\n  2 c|",
        'A|["1" B:|["2." c|',
    ],
)
def test_endings_are_found_in_all_spellings(read, body):
    written = read(body).replace("| :|", ":|")
    assert written == "A | |1 B :| |2 c |"
