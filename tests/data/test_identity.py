"""Prepared data are the same data wherever their files lie, and others if anything else changes."""

import hashlib
import shutil

import numpy as np
import pytest

from symbotunes.data.identity import Identity, content_hash
from symbotunes.data.split import Shares
from symbotunes.datasets.abc_folder import AbcFiles
from symbotunes.datasets.concat import Concat
from symbotunes.datasets.jsb_chorales import JsbChorales
from symbotunes.datasets.midi_folder import MidiFolder
from tests.data.letters import Words

LINES = ["abc", "bca", "cab", "aab", "bba"]


def test_the_hash_is_that_of_ids_lengths_and_splits_whatever_their_layout():
    ids, lengths, splits = [3, 1, 2, 2, 9], [2, 3], [0, 2]
    expected = hashlib.sha256(
        np.array(ids, "<u4").tobytes()
        + hashlib.sha256(np.array(lengths, "<i8").tobytes()).digest()
        + hashlib.sha256(bytes(splits)).digest()
    ).hexdigest()
    columns = np.array(lengths), np.array(splits, np.uint8)
    assert content_hash([np.array(ids, np.uint8)], *columns) == expected
    shards = [np.array(ids[:2], np.int64), np.array(ids[2:], np.uint16)]
    assert content_hash(shards, *columns) == expected


def test_moved_files_are_the_same_data_and_changed_ones_are_not(corpus_of, encoded_of, tmp_path):
    corpus = corpus_of(LINES)
    before = encoded_of(corpus)[0].identity
    moved = Words(shutil.copy(corpus.paths[0], tmp_path / "other.txt"))
    assert encoded_of(moved, cache="elsewhere")[0].identity == before
    assert before.differs_from(before) is None
    fewer = encoded_of(corpus_of(LINES[:-1]), cache="fewer")[0].identity
    assert fewer.differs_from(before) == "5 pieces were kept of Words, 4 are now"
    others = encoded_of(corpus_of([*LINES[:-1], "bbb"]), cache="others")[0].identity
    assert str(others.differs_from(before)).startswith("as many pieces (5), but of other content")


def test_another_order_or_other_splits_are_other_data(corpus_of, encoded_of):
    before = encoded_of(corpus_of(LINES))[0].identity
    assert encoded_of(corpus_of(LINES[::-1]), cache="order")[0].identity != before
    split = encoded_of(corpus_of(LINES), cache="split", shares=Shares(0.4, 0.2))[0].identity
    assert split.content != before.content


@pytest.mark.parametrize("values", [None, "x", {}, {"name": "a", "content": "b", "pieces": "c"}])
def test_a_record_that_is_none_of_ours_is_no_identity(values):
    assert Identity.from_dict(values) is None


def test_a_recorded_identity_is_restored():
    identity = Identity("tunes", "ab12", 5)
    assert Identity.from_dict(identity.as_dict()) == identity


def test_collections_of_ones_own_are_called_by_their_folder_or_file(tmp_path):
    folder = tmp_path / "my tunes"
    folder.mkdir()
    assert AbcFiles(folder).name == "my tunes"
    assert AbcFiles(folder / "book.abc").name == "book.abc"
    assert MidiFolder(folder).name == "my tunes"
    assert JsbChorales().name == "JsbChorales"
    assert JsbChorales(folder).name == "my tunes"
    both = Concat({"a": AbcFiles(folder), "b": JsbChorales(), "c": MidiFolder(folder)})
    assert both.name == "my tunes + JsbChorales"


@pytest.mark.parametrize("corpus", [AbcFiles, MidiFolder])
def test_a_checksum_does_not_depend_on_where_the_folder_lies(corpus, tmp_path):
    folder = tmp_path / "here" / "tunes"
    (folder / "part").mkdir(parents=True)
    for name in ("a.abc", "b.mid", "part/a.abc", "part/b.mid"):
        (folder / name).write_text(name)
    before = corpus(folder).checksum()
    alone = corpus(folder / "a.abc").checksum()
    (tmp_path / "there").mkdir()
    moved = folder.rename(tmp_path / "there" / "tunes")
    assert corpus(moved).checksum() == before
    assert corpus(moved / "a.abc").checksum() == alone
    # Pieces are named from the folder on, so another name is another cache.
    renamed = moved.rename(tmp_path / "there" / "airs")
    assert corpus(renamed).checksum() != before
    (renamed / "part").rename(renamed / "piece")
    assert len({before, corpus(renamed).checksum(), corpus(renamed / "a.abc").checksum()}) == 3
