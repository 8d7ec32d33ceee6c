"""Which files below a folder belong to a corpus, and what becomes of those that cannot be read."""

import os
import shutil
from pathlib import Path

import pytest

from symbotunes.data.preparation.encode import Encoder
from symbotunes.data.receipt import Receipt
from symbotunes.datasets.abc_folder import AbcFiles
from symbotunes.datasets.base import DatasetError, Dropped, printable
from symbotunes.datasets.midi_folder import MidiFolder
from symbotunes.render.console import receipt_table
from symbotunes.tokenizers.midi import MidiTokens
from tests.music.events import midi, notes

CORPORA = [(AbcFiles, "tune.abc"), (MidiFolder, "song.mid")]
TUNE = b"X:1\nT:A tune\nM:4/4\nL:1/8\nK:C\nCDEF GABc|\n"
SONG = midi(notes((0, 4, 60), (4, 8, 62)))


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "music"
    (root / "locked").mkdir(parents=True)
    (root / "tune.abc").write_bytes(TUNE)
    (root / "song.mid").write_bytes(SONG)
    for name in (".hidden.abc", ".hidden.mid"):
        (root / name).touch()
    return root


def outcome(corpus):
    """Ids of what is read, and (id, reason) of what is dropped."""
    pieces = list(corpus.pieces())
    dropped = [(piece.id, piece.reason) for piece in pieces if isinstance(piece, Dropped)]
    return [piece.id for piece in pieces if not isinstance(piece, Dropped)], dropped


@pytest.mark.parametrize(("corpus", "name"), CORPORA)
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (OSError(116, "Stale file handle"), "Stale file handle"),
        (OSError(5, "Input/output error"), "Input/output error"),
    ],
    ids=["permission", "stale", "disk"],
)
def test_a_folder_that_cannot_be_listed_is_dropped_by_name(
    corpus, name, error, reason, folder, monkeypatch
):
    scandir = os.scandir

    def guarded(path):
        if Path(path).name == "locked":
            raise error
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    read, dropped = outcome(corpus(folder))
    assert [piece.split("/")[1].partition("#")[0] for piece in read] == [name]
    assert dropped == [("music/locked", f"unreadable folder: {reason}")]


@pytest.mark.parametrize(("corpus", "name"), CORPORA)
def test_a_link_to_itself_is_dropped_by_name(corpus, name, folder):
    suffix = Path(name).suffix
    (folder / f"self{suffix}").symlink_to(f"self{suffix}")
    (folder / f"one{suffix}").symlink_to(f"two{suffix}")
    (folder / f"two{suffix}").symlink_to(f"one{suffix}")
    (folder / "around").symlink_to("around")  # without the suffix it is none of the corpus
    read, dropped = outcome(corpus(folder))
    assert len(read) == 1
    assert dropped == [
        (f"music/{stem}{suffix}", "unreadable file: Too many levels of symbolic links")
        for stem in ("one", "self", "two")
    ]
    assert corpus(folder).checksum()


@pytest.mark.parametrize("corpus", [AbcFiles, MidiFolder])
def test_a_corpus_that_is_a_link_to_itself_or_nothing_is_refused_in_one_line(corpus, tmp_path):
    (tmp_path / "link").symlink_to("link")
    with pytest.raises(DatasetError, match=r"cannot be read \(Too many levels of symbolic links\)"):
        corpus(tmp_path / "link").files()
    with pytest.raises(DatasetError, match=r"cannot be read \(File name too long\)"):
        corpus(tmp_path / ("x" * 300)).files()
    with pytest.raises(DatasetError, match="does not exist; set dataset.path to"):
        corpus("~nobody_of_this_name/music").files()
    (tmp_path / "other").symlink_to(tmp_path)
    assert corpus(tmp_path / "other").path == tmp_path


@pytest.mark.parametrize("corpus", [AbcFiles, MidiFolder])
def test_a_corpus_below_a_closed_folder_is_refused_in_one_line(corpus, tmp_path, monkeypatch):
    def closed(path, **_):
        raise PermissionError(13, "Permission denied", path)

    made = corpus(tmp_path / "closed" / "music")
    monkeypatch.setattr(os, "stat", closed)
    with pytest.raises(DatasetError, match=r"cannot be read \(Permission denied\)"):
        made.files()


@pytest.mark.parametrize(("corpus", "name"), CORPORA)
def test_what_lies_beyond_the_longest_path_is_dropped_by_name(corpus, name, folder):
    inner = os.open(folder, os.O_RDONLY)
    part = 200 * "L"
    for _ in range(25):
        os.mkdir(part, dir_fd=inner)
        outer, inner = inner, os.open(part, os.O_RDONLY, dir_fd=inner)
        os.close(outer)
    os.close(inner)
    try:
        read, dropped = outcome(corpus(folder))
    finally:
        shutil.rmtree(folder / part)
    assert len(read) == 1
    ((where, reason),) = dropped
    assert where.startswith(f"music/{part}/")
    assert reason == "unreadable folder: File name too long"


NAMES = {
    "\x1b]0;title\x07\x1b[31mred": r"\x1b]0;title\x07\x1b[31mred",
    "gnp\u202egpj": r"gnp\u202egpj",
    "a\u2066b\u2069": r"a\u2066b\u2069",
    "a\x9b31m": r"a\x9b31m",
    "two\nlines\tand a tab": r"two\nlines\tand a tab",
    "a\u2028b": r"a\u2028b",
    os.fsdecode(b"caf\xe9"): r"caf\xe9",
    "Dvořák, “Rusalka” 月": "Dvořák, “Rusalka” 月",
}


@pytest.mark.parametrize(("name", "shown"), NAMES.items(), ids=map(repr, NAMES.values()))
def test_names_are_shown_without_what_controls_a_terminal(name, shown):
    assert printable(name) == shown
    assert printable(shown) == shown


def test_no_name_of_a_file_reaches_table_or_names_as_it_is(folder):
    (folder / "\x1b[31mred.mid").write_bytes(b"junk")
    (folder / "\x1b[32mgreen\u202e.mid").write_bytes(SONG)
    corpus = MidiFolder(folder)
    part = Encoder(corpus, [], MidiTokens("TSD")).encode(corpus.files())
    assert (r"music/\x1b[32mgreen\u202e.mid", r"\x1b[32mgreen\u202e") in part.names
    receipt = Receipt(read=3)
    receipt.drop(part.reasons[0], part.names[0][0])
    examples = receipt_table(receipt, "music", examples=True).columns[-1]
    assert r"music/\x1b[31mred.mid" in list(examples.cells)
