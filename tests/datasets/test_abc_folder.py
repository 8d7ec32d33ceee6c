"""A user's own ABC, one file or a folder."""

import pytest

from symbotunes.datasets.abc_folder import AbcFiles
from symbotunes.datasets.base import DatasetError, Dropped

TUNE = "X:{0}\nT:Tune {0}\nM:4/4\nK:C\nCDEF|\n"


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "tunes"
    (root / "reels").mkdir(parents=True)
    (root / "b.abc").write_text(TUNE.format(1) + "\n" + TUNE.format(2))
    (root / "A.ABC").write_text(TUNE.format(3))
    (root / "reels" / "b.abc").write_text(TUNE.format(4))
    (root / "notes.txt").write_text("no music")
    return root


def test_one_file_is_a_corpus(folder):
    corpus = AbcFiles(folder / "b.abc")
    assert corpus.files() == [folder / "b.abc"]
    assert [piece.id for piece in corpus.pieces()] == ["tunes/b.abc#1", "tunes/b.abc#2"]


def test_a_folder_is_read_with_all_below_it_in_a_fixed_order(folder):
    corpus = AbcFiles(str(folder))
    assert [piece.id for piece in corpus.pieces()] == [
        "tunes/A.ABC#3",
        "tunes/b.abc#1",
        "tunes/b.abc#2",
        "tunes/reels/b.abc#4",
    ]
    assert corpus.FORMAT == "abc"


def test_a_path_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(DatasetError) as caught:
        AbcFiles(tmp_path / "nowhere").files()
    assert str(caught.value) == (
        f"{tmp_path}/nowhere does not exist; set dataset.path to ABC files"
    )


def test_a_folder_without_abc_is_named(tmp_path):
    with pytest.raises(DatasetError, match=f"^no .abc file below {tmp_path}; set dataset.path"):
        AbcFiles(tmp_path).files()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "unreadable file: empty file"),
        (b"MThd\0\0\0\6", "unreadable file: binary file"),
        (b"Dear diary\n", "unreadable file: no tune in the file"),
        (b"<html>404</html>", "unreadable file: a web page, not ABC"),
    ],
)
def test_a_file_that_is_no_abc_is_dropped_with_its_reason_and_the_others_are_read(
    folder, content, reason
):
    (folder / "a.abc").write_bytes(content)
    pieces = list(AbcFiles(folder).pieces())
    assert [piece for piece in pieces if isinstance(piece, Dropped)] == [
        Dropped("tunes/a.abc", reason)
    ]
    assert len(pieces) == 5


def test_a_file_that_may_not_be_read_is_dropped(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("symbotunes.music.abc.files.read_abc", refuse)
    monkeypatch.setattr("symbotunes.datasets.base.sha256_of", refuse)
    corpus = AbcFiles(folder / "A.ABC")
    assert list(corpus.pieces()) == [Dropped("tunes/A.ABC", "unreadable file: Permission denied")]
    assert corpus.checksum() == corpus.checksum()


def test_the_checksum_changes_with_any_byte_and_any_name(folder):
    before = AbcFiles(folder).checksum()
    assert AbcFiles(folder).checksum() == before
    (folder / "b.abc").write_text(TUNE.format(9))
    changed = AbcFiles(folder).checksum()
    (folder / "b.abc").rename(folder / "c.abc")
    assert len({before, changed, AbcFiles(folder).checksum()}) == 3
