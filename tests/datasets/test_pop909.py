"""POP909 on small archives with the layouts of the real one."""

import hashlib
import re

import pytest

from symbotunes.datasets import pop909
from symbotunes.datasets.base import DatasetError
from symbotunes.datasets.pop909 import POP909
from symbotunes.errors import UserError
from symbotunes.music.arrival.reading import read_notes
from tests.music.events import midi, notes

PROGRAMS = {"MELODY": 73, "BRIDGE": 11, "PIANO": 0}


def named(name, *events):
    text = name.encode()
    return [(0, b"\xff\x03" + bytes([len(text)]) + text), *events]


def song(pitch):
    """Three tracks of program 0."""
    tracks = [
        named(name, *notes((0, 480, pitch + number), channel=number))
        for number, name in enumerate(PROGRAMS)
    ]
    return midi([], *tracks, ticks_per_quarter=480)


SONGS = {"001.mid": song(60), "002.mid": song(70)}


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    def make(content, **options):
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in SONGS.items()}
        monkeypatch.setattr(pop909, "checksums", lambda: digests)
        archive = tmp_path / "archive"
        archive.write_bytes(content)
        return POP909("https://x/master.zip", tmp_path / "data", PROGRAMS | options, archive)

    return make


def repository():
    """As GitHub's archive lays it out, with another version of the first song."""
    folder = "POP909-Dataset-master/POP909"
    songs = {f"{folder}/{name[:3]}/{name}": data for name, data in SONGS.items()}
    return songs | {f"{folder}/001/versions/001-v1.mid": song(61), f"{folder}/index.xlsx": b"x"}


def test_the_songs_of_the_repository_are_read_and_their_versions_are_not(corpus, zip_of):
    pieces = list(corpus(zip_of(repository())).pieces())
    assert [piece.title for piece in pieces] == ["001", "002"]
    assert [piece.work for piece in pieces] == ["001", "002"]


def test_a_tar_of_the_songs_alone_will_do_and_has_the_same_checksum(corpus, tar_of, zip_of):
    plain = corpus(tar_of({f"pop909/{name}": data for name, data in SONGS.items()}))
    assert [path.name for path in plain.files()] == ["001.mid", "002.mid"]
    assert plain.checksum() == corpus(zip_of(repository())).checksum()


def test_each_track_gets_its_program_and_keeps_its_notes(corpus, zip_of):
    piece = next(corpus(zip_of(repository())).pieces())
    read = read_notes(piece.walked)
    assert read.instrument.tolist() == [73, 11, 0]
    assert read.pitch.tolist() == [60, 61, 62]
    assert read.duration.tolist() == [50, 50, 50]


def test_without_programs_the_bytes_are_those_of_the_file(corpus, zip_of):
    plain = corpus(zip_of(repository()))
    plain.programs = {}
    assert next(plain.pieces()).data == SONGS["001.mid"]


@pytest.mark.parametrize(
    "change",
    [
        {"POP909-Dataset-master/POP909/002/002.mid": song(71)},
        {"POP909-Dataset-master/002.mid": song(70)},
        {"POP909-Dataset-master/POP909/003/003.mid": song(72)},
    ],
    ids=["changed", "twice", "unknown"],
)
def test_songs_that_are_not_the_published_ones_are_refused(corpus, zip_of, change):
    with pytest.raises(DatasetError, match=r"1 of the 2 songs .* such as 00[23]\.mid"):
        corpus(zip_of(repository() | change)).files()


def test_a_missing_song_is_named(corpus, zip_of):
    with pytest.raises(DatasetError, match=r"such as 002\.mid"):
        corpus(zip_of({"001.mid": SONGS["001.mid"]})).files()


def test_the_checksums_of_909_songs_are_at_hand():
    songs = pop909.checksums()
    assert list(songs) == [f"{number:03d}.mid" for number in range(1, 910)]
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in songs.values())


def test_a_program_that_does_not_exist_is_refused(corpus, zip_of):
    with pytest.raises(UserError, match=r"dataset\.programs\.PIANO=128: must be from 0 to 127"):
        corpus(zip_of(repository()), PIANO=128)
