"""From files to tunes."""

import pytest

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.files import read_abc, read_tunes, split_tunes

TUNE = "X:1\nT:One\nM:4/4\nK:C\nCDEF|\n"


@pytest.fixture
def file(tmp_path):
    def file(content: bytes | str, name: str = "book.abc"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return file


@pytest.mark.parametrize(
    "content",
    [
        TUNE,
        TUNE.replace("\n", "\r\n"),
        TUNE.replace("\n", "\r"),
        b"\xef\xbb\xbf" + TUNE.encode(),
    ],
)
def test_line_ends_and_byte_order_marks_do_not_matter(file, content):
    assert read_abc(file(content)) == TUNE


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_titles_may_be_utf8_or_latin1(file, encoding):
    (tune,) = read_tunes(file(TUNE.replace("One", "Brüderchen").encode(encoding)), "songs")
    assert tune.title == "Brüderchen"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"MThd\0\0\0\x06\0\1", "binary file"),
        (b"\x89PNG\r\n\x1a\n\0\0", "binary file"),
        (b"\xff\xfeX\0:\0", "binary file"),  # UTF-16
        (b"<!DOCTYPE html><p>X:1", "a web page, not ABC"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a git-lfs pointer, not the file"),
        (b"Shopping list\n", "no tune in the file"),
    ],
)
def test_what_is_no_abc_is_refused_with_its_reason(file, content, reason):
    with pytest.raises(AbcError) as caught:
        read_tunes(file(content), "songs")
    assert caught.value.reason == reason
    assert str(caught.value) == f"{reason}: book.abc"


def test_a_file_too_large_for_any_tune_book_is_not_read(tmp_path):
    path = tmp_path / "huge.abc"
    with path.open("wb") as stream:
        stream.truncate(2**26 + 1)  # a hole: takes no room on disk
    with pytest.raises(AbcError, match="larger than 64 MiB"):
        read_abc(path)


def test_a_file_holds_several_tunes_each_with_its_provenance(file):
    text = f"{TUNE}\nX:2\nT:Two\nT:or another\nR:jig\nO:Ireland\nM:6/8\nK:G\nGAB|\n"
    one, two = read_tunes(file(text), "books")
    assert (one.id, one.title, one.collection) == ("books/book.abc#1", "One", "books")
    assert (two.id, two.title, two.rhythm, two.origin) == (
        "books/book.abc#2",
        "Two",
        "jig",
        "Ireland",
    )
    assert two.text.endswith("K:G\nGAB|")
    assert "X:1" not in two.text


def test_tunes_of_the_same_number_get_ids_of_their_own(file):
    ids = [tune.id for tune in read_tunes(file(TUNE * 3), "books")]
    assert ids == ["books/book.abc#1", "books/book.abc#1.2", "books/book.abc#1.3"]


def test_fields_above_the_first_tune_hold_for_all_that_have_none():
    one, two = split_tunes("% a book\nM:3/4\nR:waltz\n\nX:1\nK:C\nC|\n\nX:2\nM:2/4\nK:C\nD|")
    assert one == "X:1\nM:3/4\nR:waltz\nK:C\nC|"
    assert two == "X:2\nR:waltz\nM:2/4\nK:C\nD|"


def test_a_tune_without_number_is_a_tune_if_it_names_a_key():
    assert split_tunes("M:4/4\nK:C\nCDEF|\n") == ["M:4/4\nK:C\nCDEF|"]
    assert split_tunes("no music") == []
