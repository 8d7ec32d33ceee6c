"""Books: which tune is meant, and where in the file a tune stands."""

import pytest

from symbotunes.errors import UserError
from symbotunes.generation.pieces import read_piece
from symbotunes.generation.sequences.prompts import read_prompt_file
from symbotunes.music.abc.books import tunes_named
from symbotunes.music.abc.files import read_tunes
from symbotunes.tokenizers.abc import AbcTokens

BOOK = """L:1/8
M:4/4

X:1
T:The Broken Reel
M:banana
K:G
GABc dedB|

X:5
T:The Banshee
R:reel
K:G
G2GD EDB,D|GFGB d2Bd|

X:7
T:Banshee's Wail, The
K:D
A2A2 A2A2|B8|

X:9
T:Changing
K:D
A8|
K:Z
B8|
"""


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.abc"
    path.write_text(BOOK)
    return path


@pytest.mark.parametrize(
    ("wanted", "number"),
    [(2, 2), ("3", 3), ("the banshee", 2), ("Wail", 3), ("The Broken Reel", 1), ("Changing", 4)],
)
def test_a_tune_is_chosen_by_its_place_or_title(book, wanted, number):
    (tune,) = tunes_named(read_tunes(book, "x"), wanted)
    assert tune.place.number == number


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (0, "there is no tune 0; the file has tunes 1 to 4"),
        (5, "there is no tune 5; the file has tunes 1 to 4"),
        ("Banshee", '"Banshee" is the title of tunes 2, 3; give a number'),
        ("The Banchee", 'there is no tune titled "The Banchee"; the nearest is "The Banshee"'),
        ("Zzz", 'there is no tune titled "Zzz"'),
    ],
)
def test_a_tune_that_is_not_there_is_answered_with_those_that_are(book, wanted, message):
    with pytest.raises(UserError) as caught:
        read_prompt_file(AbcTokens("folk_rnn"), book, 1, wanted)
    assert str(caught.value) == f"sample.prompt_file={book}: {message}"


def test_lines_of_a_tune_are_found_in_its_file(book):
    lines = BOOK.split("\n")
    for tune in read_tunes(book, "x"):
        for number, line in enumerate(tune.text.split("\n"), 1):
            assert lines[tune.place.line_in_file(number) - 1] == line


def test_a_first_tune_that_cannot_be_read_is_passed_over_and_named(book):
    tokenizer = AbcTokens("folk_rnn")
    beginning = read_prompt_file(tokenizer, book, 1)
    assert tokenizer.decode(beginning.ids)[:8] == ["M:4/4", "K:Cmaj", "c", "2", "c", "G", "A", "G"]
    assert beginning.remarks == (
        'passed over: unreadable meter "banana" in tune 1, line 6 of book.abc',
    )
    assert read_piece(book, "abc").title == "The Banshee"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (1, 'unreadable meter "banana" in tune 1, line 6 of book.abc'),
        ("Changing", 'unreadable key "Z" in tune 4, line 25 of book.abc'),
        (3, "the tune has 2 full bars, fewer than 3 (tune 3 of book.abc)"),
    ],
)
def test_what_is_wrong_with_a_chosen_tune_names_the_value_and_the_line(book, wanted, message):
    with pytest.raises(UserError) as caught:
        read_prompt_file(AbcTokens("folk_rnn"), book, 3, wanted)
    assert str(caught.value) == f"sample.prompt_file={book}: {message}"


def test_a_book_of_which_nothing_can_be_used_names_the_first_tune(book):
    with pytest.raises(UserError) as caught:
        read_prompt_file(AbcTokens("folk_rnn"), book, 9)
    assert str(caught.value) == (
        f'sample.prompt_file={book}: unreadable meter "banana" in tune 1, line 6 of book.abc; '
        "3 other tunes cannot be used either"
    )
