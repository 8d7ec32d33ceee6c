"""The MIDI corpora on small archives with the layout of the real ones."""

import hashlib
import os
import pickle
import shutil
import time

import numpy as np
import pytest

from symbotunes.data.preparation.encode import Encoder
from symbotunes.data.split import SPLITS
from symbotunes.datasets.base import DatasetError, Dropped
from symbotunes.datasets.concat import Concat
from symbotunes.datasets.lakh import Lakh
from symbotunes.datasets.maestro import Maestro
from symbotunes.datasets.midi_folder import MidiFolder
from symbotunes.datasets.nottingham import Nottingham
from symbotunes.tokenizers.performance import Performance


@pytest.fixture
def lakh_tar(tar_of, midi_bytes):
    return tar_of(
        {
            "lmd_full/0/00a1.mid": midi_bytes(60),
            "lmd_full/f/ffb2.mid": midi_bytes(62),
            "lmd_full/f/fbad.mid": b"\0\0 corrupt",
            "lmd_full/f/f000.mid": b"",
        }
    )


@pytest.fixture
def lakh(server, lakh_tar, tmp_path):
    def make(**how):
        server.sites.setdefault("lmd_full.tar.gz", None) or server.site("lmd_full.tar.gz", lakh_tar)
        digest = hashlib.sha256(lakh_tar).hexdigest()
        published = {"urls": [server.url("lmd_full.tar.gz")], "size": len(lakh_tar)}
        variants = {"full": {**published, "sha256": how.pop("sha256", digest)}}
        return Lakh("full", variants, tmp_path / "lakh", **how)

    return make


def test_lakh_is_fetched_unpacked_and_read(lakh, midi_bytes):
    found = list(lakh().pieces())
    assert [piece.id for piece in found] == [
        "lmd_full/0/00a1.mid",
        "lmd_full/f/f000.mid",
        "lmd_full/f/fbad.mid",
        "lmd_full/f/ffb2.mid",
    ]
    assert found[0].data == midi_bytes(60)
    assert (found[0].title, found[0].collection) == ("00a1", "lmd_full/0")
    assert [piece.reason for piece in found if isinstance(piece, Dropped)] == [
        "empty file",
        "not a MIDI file",
    ]


def test_lakh_checksum_is_that_of_the_archive(lakh, lakh_tar):
    assert lakh().checksum() == hashlib.sha256(lakh_tar).hexdigest()


def test_files_of_lakh_go_to_the_splits_of_their_md5_if_asked_to(tar_of, midi_bytes, tmp_path):
    names = [f"{digit}{31 * '0'}" for digit in "0def"] + ["eve"]  # the last is no MD5
    archive = tmp_path / "lmd_full.tar.gz"
    archive.write_bytes(tar_of({f"lmd_full/{name}.mid": midi_bytes(60) for name in names}))
    published = {name: {"urls": ["https://x/lmd.tar.gz"]} for name in ("full", "clean")}
    splits = [
        [
            piece.split
            for piece in Lakh("full", published, tmp_path / "lakh", archive, **how).pieces()
        ]
        for how in ({"official_splits": True}, {})
    ]
    assert splits == [["train", "train", "val", None, "test"], 5 * [None]]
    with pytest.raises(DatasetError, match="choose full, matched or aligned"):
        Lakh("clean", published, tmp_path, official_splits=True)


def test_once_unpacked_the_archive_may_be_deleted(lakh, server, tmp_path):
    first = lakh().checksum()
    (tmp_path / "lakh" / "lmd_full.tar.gz").unlink()
    server.sites.clear()
    assert Lakh.checksum(lakh(download=False)) == first


def test_a_corpus_travels_to_a_worker_and_reads_there(lakh):
    corpus = lakh()
    path = corpus.files()[0]
    (piece,) = pickle.loads(pickle.dumps(corpus)).read(path)
    assert piece.id == "lmd_full/0/00a1.mid"


def test_an_unknown_variant_is_named_with_the_known_ones(tmp_path):
    with pytest.raises(DatasetError, match="dataset.variant=ful: choose one of full"):
        Lakh("ful", {"full": {"urls": "http://x/a.tar.gz"}}, tmp_path)


def test_the_users_archive_is_read_where_it_lies(lakh, lakh_tar, server, tmp_path):
    mine = tmp_path / "mine.tgz"
    mine.write_bytes(lakh_tar)
    corpus = lakh(archive=mine, download=False)
    assert len(corpus.files()) == 4
    assert mine.read_bytes() == lakh_tar
    assert all(path.is_relative_to(tmp_path / "lakh") for path in corpus.files())


def test_another_archive_of_the_user_is_never_read_from_the_old_folder(lakh, tar_of, tmp_path):
    mine = tmp_path / "mine.tgz"
    mine.write_bytes(tar_of({"a/1.mid": b"MThd"}))
    assert [path.name for path in lakh(archive=mine, sha256=None).files()] == ["1.mid"]
    mine.write_bytes(tar_of({"a/other.mid": b"MThd"}))
    os.utime(mine, ns=(0, time.time_ns() + 10**9))
    assert [path.name for path in lakh(archive=mine, sha256=None).files()] == ["other.mid"]


def test_the_users_archive_must_be_the_published_one_unless_told_otherwise(lakh, tar_of, tmp_path):
    mine = tmp_path / "mine.tgz"
    mine.write_bytes(tar_of({"a/1.mid": b"MThd"}))
    with pytest.raises(DatasetError, match="set sha256=null in the dataset's config"):
        lakh(archive=mine).files()


def test_without_download_the_message_names_address_place_and_option(lakh, server, tmp_path):
    place = tmp_path / "lakh" / "lmd_full.tar.gz"
    with pytest.raises(DatasetError) as caught:
        lakh(download=False).files()
    assert str(caught.value) == (
        "lmd_full.tar.gz does not exist and may not be downloaded; fetch "
        f"{server.url('lmd_full.tar.gz')} by other means and put it at {place}, or set "
        "dataset.archive=PATH"
    )


MAESTRO_TABLE = """canonical_composer,canonical_title,split,year,midi_filename,duration
Alban Berg,"Sonata, Op. 1",train,2018,2018/a.midi,698.66
J. S. Bach,Fugue,validation,2004,2004/b.midi,10.0
F. Chopin,Etude,test,2004,2004/c.midi,20.0
"""


@pytest.fixture
def maestro(zip_of, midi_bytes, tmp_path):
    mine = tmp_path / "mine.zip"
    mine.write_bytes(
        zip_of(
            {
                "maestro-v3.0.0/2018/a.midi": midi_bytes(60),
                "maestro-v3.0.0/2004/b.midi": midi_bytes(62),
                "maestro-v3.0.0/2004/c.midi": midi_bytes(64),
                "maestro-v3.0.0/2004/d.midi": midi_bytes(65),
                "maestro-v3.0.0/maestro-v3.0.0.csv": MAESTRO_TABLE.encode(),
                "maestro-v3.0.0/LICENSE": b"CC BY-NC-SA",
            }
        )
    )

    def make(**how):
        return Maestro("http://x/maestro.zip", None, None, tmp_path / "m", archive=mine, **how)

    return make


def test_maestro_keeps_titles_and_official_splits(maestro):
    *kept, dropped = sorted(maestro().pieces(), key=lambda piece: piece.id[-6:])
    assert [(piece.title, piece.split) for piece in kept] == [
        ("Alban Berg: Sonata, Op. 1", "train"),
        ("J. S. Bach: Fugue", "val"),
        ("F. Chopin: Etude", "test"),
    ]
    assert dropped.reason == "not in the table of official splits"


def test_maestro_can_be_split_by_content(maestro):
    found = list(maestro(official_splits=False).pieces())
    assert [piece.split for piece in found] == [None] * 4


def test_maestro_without_its_table_must_be_split_by_content(zip_of, midi_bytes, tmp_path):
    archive = tmp_path / "midi_only.zip"
    archive.write_bytes(zip_of({"maestro-v3.0.0/2018/a.midi": midi_bytes(60)}))
    of = ("http://x/maestro.zip", None, None, tmp_path / "m")
    with pytest.raises(DatasetError, match="set dataset.official_splits=false"):
        list(Maestro(*of, archive=archive).pieces())
    (piece,) = Maestro(*of, archive=archive, official_splits=False).pieces()
    assert (piece.title, piece.split) == ("a", None)


def test_performances_of_several_corpora_become_events_in_their_splits(
    maestro, midi_bytes, tmp_path
):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "e.mid").write_bytes(midi_bytes(67, 69))
    (tmp_path / "mine" / "silent.mid").write_bytes(midi_bytes())
    corpus = Concat({"concert": maestro(), "mine": MidiFolder(tmp_path / "mine")})
    part = Encoder(corpus, (), Performance(min_events=4)).encode(corpus.files())
    names = [name.rpartition("/")[2] for name, _ in part.names]
    ids = np.split(part.ids, np.cumsum(part.lengths)[:-1])
    examples = {
        names[owner]: example.tolist() for owner, example in zip(part.owners, ids, strict=True)
    }
    # Velocity 90 is bin 23, a quarter at 120 takes 50 steps.
    assert examples == {
        "a.midi": [378, 60, 305, 188],
        "b.midi": [378, 62, 305, 190],
        "c.midi": [378, 64, 305, 192],
        "e.mid": [378, 67, 305, 195, 69, 305, 197],
    }
    splits = {name: int(split) for name, split in zip(names, part.forced, strict=True)}
    assert [SPLITS[splits[name]] for name in ("a.midi", "b.midi", "c.midi")] == list(SPLITS)
    assert {names[index]: reason for index, reason in part.reasons.items()} == {
        "d.midi": "not in the table of official splits",
        "silent.mid": "no notes",
    }


@pytest.mark.parametrize(
    ("part", "files"),
    [("full", ["jigs1.mid", "jigs2.mid"]), ("melody", ["jigs1.mid"]), ("chords", ["jigs2.mid"])],
)
def test_nottingham_reads_one_part(server, zip_of, midi_bytes, tmp_path, part, files):
    top = "nottingham-dataset-master"
    server.site(
        "master.zip",
        zip_of(
            {
                f"{top}/MIDI/jigs1.mid": midi_bytes(60),
                f"{top}/MIDI/jigs2.mid": midi_bytes(62),
                f"{top}/MIDI/melody/jigs1.mid": midi_bytes(60),
                f"{top}/MIDI/chords/jigs2.mid": midi_bytes(48),
                f"{top}/ABC_cleaned/jigs.abc": b"X:1",
            }
        ),
        chunked=True,  # as GitHub sends archives
    )
    corpus = Nottingham(server.url("master.zip"), None, None, tmp_path / "n", part=part)
    assert [path.name for path in corpus.files()] == files


@pytest.fixture
def folder(tmp_path, midi_bytes):
    root = tmp_path / "midi"
    for name in ("b/2.MIDI", "a/10.mid", "a/9.mid", "a-b/1.mid", ".hidden/0.mid", "a/notes.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(midi_bytes(60))
    return root


def test_a_folder_is_read_in_the_order_of_its_names(folder):
    corpus = MidiFolder(folder)
    assert [path.relative_to(folder).as_posix() for path in corpus.files()] == [
        "a-b/1.mid",
        "a/10.mid",
        "a/9.mid",
        "b/2.MIDI",
    ]
    piece = next(iter(corpus.pieces()))
    assert (piece.id, piece.title, piece.collection) == ("midi/a-b/1.mid", "1", "midi/a-b")


def test_links_that_leave_the_folder_are_not_followed(folder, tmp_path):
    outside = tmp_path / "outside"
    shutil.copytree(folder / "a", outside)
    (folder / "out").symlink_to(outside)
    (folder / "round").symlink_to(folder)
    (folder / "stray.mid").symlink_to(outside / "9.mid")
    (folder / "twin.mid").symlink_to(folder / "a/9.mid")
    (folder / "dead.mid").symlink_to(folder / "nothing.mid")
    names = [path.name for path in MidiFolder(folder).files()]
    assert names == ["1.mid", "10.mid", "9.mid", "2.MIDI", "dead.mid", "twin.mid"]


def test_one_file_is_a_corpus(folder):
    (piece,) = MidiFolder(folder / "a" / "9.mid").pieces()
    assert piece.id == "a/9.mid"


def test_the_checksum_of_a_folder_changes_with_names_sizes_and_dates(folder):
    before = MidiFolder(folder).checksum()
    assert MidiFolder(folder).checksum() == before
    os.utime(folder / "a/9.mid", ns=(0, 1))
    touched = MidiFolder(folder).checksum()
    (folder / "a/9.mid").rename(folder / "a/8.mid")
    assert len({before, touched, MidiFolder(folder).checksum()}) == 3


def test_a_name_that_is_no_utf8_is_still_printable(folder, midi_bytes):
    (folder / os.fsdecode(b"caf\xe9.mid")).write_bytes(midi_bytes(60))
    *_, piece = MidiFolder(folder).pieces()
    assert piece.id == r"midi/caf\xe9.mid"


@pytest.mark.parametrize("path", ["missing", "."])
def test_a_folder_without_music_says_what_to_do(tmp_path, path):
    with pytest.raises(DatasetError, match="set dataset.path to MIDI files"):
        MidiFolder(tmp_path / path).files()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"<!DOCTYPE html>", "a web page, not MIDI"),
        (b"RIFF....RMIDdata", "not a MIDI file"),
    ],
)
def test_what_is_no_midi_is_dropped_with_its_reason(tmp_path, data, reason):
    (tmp_path / "x.mid").write_bytes(data)
    (dropped,) = MidiFolder(tmp_path).pieces()
    assert isinstance(dropped, Dropped)
    assert dropped.reason == reason


@pytest.mark.parametrize(
    ("variant", "path", "work"),
    [
        ("clean", "clean_midi/The Band/A Song.mid", "the band/a song"),
        ("clean", "clean_midi/The Band/A Song.12.mid", "the band/a song"),
        ("clean", "clean_midi/The Band/A  song.1.mid", "the band/a song"),
        ("clean", "clean_midi/Other/A Song.mid", "other/a song"),
        ("clean", "clean_midi/Other/Op.27.2000.mid", "other/op.27.2000"),
        ("matched", "lmd_matched/A/B/C/TRABC/0a.mid", "TRABC"),
        ("aligned", "lmd_aligned/A/B/C/TRABC/0b.mid", "TRABC"),
        ("full", "lmd_full/0/0a.mid", ""),
    ],
)
def test_names_in_lakh_tell_which_files_are_versions_of_one_work(variant, path, work, tmp_path):
    corpus = Lakh(variant, {variant: {"urls": "http://x/a.tar.gz"}}, tmp_path)
    assert corpus.work(tmp_path / path) == work


def test_a_folder_of_versions_and_the_song_beside_it_are_one_work(tmp_path, midi_bytes):
    for name in ("001/001.mid", "001/versions/001-v1.mid", "001/versions/a/b.mid", "002/002.mid"):
        (tmp_path / "POP909" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "POP909" / name).write_bytes(midi_bytes(60, 62))
    works = {piece.id: piece.work for piece in MidiFolder(tmp_path / "POP909").pieces()}
    assert works == {
        "POP909/001/001.mid": "POP909/001",
        "POP909/001/versions/001-v1.mid": "POP909/001",
        "POP909/001/versions/a/b.mid": "",
        "POP909/002/002.mid": "",
    }
    # Below a corpus of versions alone, the song is not part of it.
    alone = MidiFolder(tmp_path / "POP909" / "001" / "versions")
    assert {piece.work for piece in alone.pieces()} == {""}
