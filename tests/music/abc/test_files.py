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
        TUNE.replace("\n", "\r\r\n"),
        b"\xef\xbb\xbf" + TUNE.encode(),
        TUNE.replace("T:", "\u200bT:") + "\x1a",
    ],
)
def test_line_ends_and_byte_order_marks_do_not_matter(file, content):
    assert read_abc(file(content)) == TUNE


ENCODINGS = ["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_titles_may_be_in_any_common_encoding(file, encoding):
    (tune,) = read_tunes(file(TUNE.replace("One", "Brüderchen").encode(encoding)), "songs")
    assert tune.title == "Brüderchen"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"MThd\0\0\0\x06\0\1", "binary file"),
        (b"\x89PNG\r\n\x1a\n\0\0", "binary file"),
        (b"\xff\xfeX\0", "no tune in the file"),  # UTF-16
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


def test_lines_of_several_encodings_are_decoded_each_for_itself(file):
    content = (
        "T:\u00e9t\u00e9\n".encode()
        + "R:\u201cjig\u201d\n".encode("cp1252")
        + b"O:\xff\x81\nK:C\nC|\n"
    )
    (tune,) = read_tunes(file(content), "songs")
    assert (tune.title, tune.rhythm, tune.origin) == (
        "\u00e9t\u00e9",
        "\u201cjig\u201d",
        "\u00ff\x81",
    )


@pytest.mark.parametrize(
    "text",
    [
        f"<!DOCTYPE html>\n<html><title>Songs in A|B</title>\n<body><pre>\n{TUNE}</pre></html>",
        TUNE.replace("\n", "<br>\n"),
        TUNE.replace("\n", "<br />"),
        "<p class='abc'>" + TUNE + "</p>\n<!-- CDEF| -->\n<script>\nA|B\n</script>",
        "```abc\n" + TUNE + "```\n",
        "<abc>\n" + TUNE.replace("X:1", "<b>X:1</b>") + "</abc>\n",
        "".join(f"> {line}\n" for line in TUNE.splitlines()),
    ],
)
def test_what_stands_around_a_tune_is_left_out(file, text):
    (tune,) = read_tunes(file(text), "songs")
    assert tune.text.split() == TUNE.split()


def test_entities_are_signs_of_their_own(file):
    (tune,) = read_tunes(file("X:1\nT:A &amp;eacute; &copy;\nK:C\nC&gt;D&nbsp;E&#60;F|\n"), "songs")
    assert tune.title == "A \u00e9 \u00a9"
    assert tune.text.endswith("C>D E<F|")


@pytest.mark.parametrize("body", ["A<b>c|", "A<a>b c<dd>e|", "C&E|", "a&b;"])
def test_broken_rhythm_and_overlays_are_no_html(file, body):
    text = TUNE.replace("CDEF|", body)
    assert read_tunes(file(text), "songs")[0].text == text.strip()


HEAD = "T:{}\nM:4/4\nK:C\n{}|\n"
ONE, TWO = HEAD.format("One", "CDEF"), HEAD.format("Two", "GABc")


@pytest.mark.parametrize(
    "text",
    [
        f"{ONE}\n{TWO}",
        f"{ONE}{TWO}",
        f"X:1\n{ONE}\n{TWO}",
        f"\ufeffX:1\n{ONE}\n\ufeffX:2\n{TWO}",
        f"  X:1\n{ONE}  X:2\n{TWO}",
        f"X:1\n{ONE}\nWords about it, and | bars\n\n{TWO}",
        "X:1 T:One M:4/4 K:C CDEF|\nX:2 T:Two M:4/4 K:C GABc|\n",
    ],
)
def test_tunes_do_not_run_together(file, text):
    one, two = read_tunes(file(text.encode()), "songs")
    assert (one.title, two.title) == ("One", "Two")
    assert "CDEF|" in one.text
    assert "GABc" not in one.text
    assert "GABc|" in two.text
    assert one.id == "songs/book.abc#1"
    assert two.id in ("songs/book.abc#1.2", "songs/book.abc#2")


@pytest.mark.parametrize(
    "middle",
    [
        "M:3/4\n",
        "K:G\n",
        "T:Second part\n",
        "\nP:B\nM:4/4\nK:C\n",
        "\nK:C\n",
        "T:Trio\nM:4/4\nK:C\n",
    ],
)
def test_fields_inside_a_numbered_tune_begin_no_other(middle):
    assert len(split_tunes(f"X:1\nM:4/4\nK:C\nCDEF|\n{middle}GABc|\n")) == 1


def test_fields_between_tunes_are_no_tune():
    assert len(split_tunes("X:1\nM:4/4\nK:C\nC|\n\nL:1/16\n\nX:2\nM:4/4\nK:C\nD|")) == 2


def test_a_tune_may_be_one_line():
    assert split_tunes("M:6/8 K:Cdor |: G 3 c 2 d |\n") == ["M:6/8 K:Cdor |: G 3 c 2 d |"]


def test_the_unit_of_a_files_head_holds_until_the_tunes_own(file):
    (tune,) = read_tunes(file("L:1/4\nM:4/4\n\nX:1\nK:C\nCDEF|\nL:1/8\nC8|\n"), "songs")
    assert tune.text == "X:1\nL:1/4\nM:4/4\nK:C\nCDEF|\nL:1/8\nC8|"


def test_every_other_line_may_be_blank(file):
    text = "X:1\nT:A\nM:4/4\nK:C\nCDEF|\nGABc|\ncdef|"
    (tune,) = read_tunes(file(text.replace("\n", "\n\n")), "songs")
    assert tune.text == text
