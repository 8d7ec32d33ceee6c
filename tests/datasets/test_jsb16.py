"""The chorales of published results, from a stand-in for the JSON file and from plain arrays."""

import hashlib
import json
import pickle

import numpy as np
import pytest

from symbotunes.datasets.base import DatasetError, Dropped
from symbotunes.datasets.jsb16 import Jsb16
from symbotunes.music.chorale.grid import read_voices

PIECES = {
    "train": [[[67, 62, 59, 43], [67, 62, 57, 43]], [[-1, 60, 55, 48]]],
    "valid": [[[65, 60, 57, 53]] * 3],
    "test": [[[64, 60, 55, 36], [-1, -1, -1, -1], [62, 59, 55, 43]]],
}
TWIN = json.dumps(PIECES).encode()


def plain(path, pieces=PIECES, **changed):
    arrays = {}
    for split, grids in pieces.items():
        rows = np.array([step for grid in grids for step in grid])
        arrays[split] = np.where(rows == -1, 0, rows).astype(np.uint8)
        arrays[f"{split}_lengths"] = np.array([len(grid) for grid in grids], np.int16)
    np.savez(path, **(arrays | changed))
    return path


def grids(corpus):
    """Pitches of every piece by split."""
    read = {}
    for piece in corpus.pieces():
        read.setdefault(piece.split, []).append(read_voices(piece.score).pitches.tolist())
    return read


EXPECTED = {"train": PIECES["train"], "val": PIECES["valid"], "test": PIECES["test"]}


def test_the_json_file_is_downloaded_and_keeps_its_split(tmp_path, server):
    site = server.site("twin", TWIN)
    path = tmp_path / "downloads" / "Jsb16thSeparated.json"
    digest = hashlib.sha256(TWIN).hexdigest()
    corpus = Jsb16(path, server.url("twin"), len(TWIN), digest)
    assert not corpus.is_at_hand()
    assert grids(corpus) == EXPECTED
    assert corpus.is_at_hand()
    assert corpus.owns(path)
    assert [piece.id for piece in corpus.pieces()][:2] == [
        "Jsb16thSeparated.json#train_001",
        "Jsb16thSeparated.json#train_002",
    ]
    assert len(site.asked) == 1


def test_another_file_than_the_published_one_is_refused(tmp_path):
    path = tmp_path / "Jsb16thSeparated.json"
    path.write_bytes(TWIN)
    with pytest.raises(DatasetError, match="expected 0000"):
        Jsb16(path, [], sha256="0" * 64).files()


def test_plain_arrays_hold_the_same_chorales(tmp_path):
    assert grids(Jsb16(plain(tmp_path / "jsb.npz"), [], sha256="0" * 64)) == EXPECTED


def test_the_lengths_of_many_steps_are_added_without_overflow(tmp_path):
    """The sum of all lengths does not fit in their 16 bits."""
    long = {split: [[[60, 55, 52, 48]] * 640] * 60 for split in PIECES}
    assert len(list(Jsb16(plain(tmp_path / "jsb.npz", long), []).pieces())) == 180


def test_pickled_arrays_are_refused_in_one_line(tmp_path):
    path = tmp_path / "Jsb16thSeparated.npz"
    objects = np.empty(1, object)
    objects[0] = np.zeros((2, 4))
    np.savez(path, **dict.fromkeys(("train", "valid", "test"), objects))
    with pytest.raises(DatasetError, match="holds pickled objects") as raised:
        list(Jsb16(path, []).pieces())
    assert "\n" not in str(raised.value)


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


def test_nothing_is_unpickled(tmp_path):
    path = tmp_path / "jsb.npz"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(DatasetError, match=r"jsb\.npz"):
        list(Jsb16(path, []).pieces())


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"test_lengths": np.array([2])}, "do not add up"),
        ({"test": np.zeros((3, 5), np.uint8)}, "four whole numbers"),
        ({"test": np.full((3, 4), np.nan)}, "four whole numbers"),
        ({"test": np.full((3, 4), 200)}, "from 0 to 127"),
    ],
)
def test_other_arrays_are_refused(tmp_path, changed, reason):
    with pytest.raises(DatasetError, match=reason):
        list(Jsb16(plain(tmp_path / "jsb.npz", **changed), []).pieces())


@pytest.mark.parametrize(
    "text", ["{}", "[1]", '{"train": [[["a"]]], "valid": [], "test": []}', "{"]
)
def test_other_json_is_refused(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(DatasetError, match=r"is not Jsb16thSeparated\.json"):
        list(Jsb16(path, []).pieces())


def test_a_missing_file_of_arrays_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"none\.npz does not exist"):
        Jsb16(tmp_path / "none.npz", []).files()


def test_a_silent_piece_is_left_out(tmp_path):
    silent = PIECES | {"test": [[[-1] * 4] * 2]}
    dropped = [
        p for p in Jsb16(plain(tmp_path / "x.npz", silent), []).pieces() if p.id[-3:] == "001"
    ]
    assert dropped[-1] == Dropped("x.npz#test_001", "no notes")
