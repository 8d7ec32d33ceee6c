"""The built-in corpus."""

import pytest

from symbotunes.datasets import folk
from symbotunes.datasets.base import DatasetError, Dropped
from symbotunes.datasets.folk import COLLECTIONS, Folk


@pytest.mark.slow("reads all of the built-in corpus")
def test_it_holds_the_collections_that_its_description_counts():
    counts = dict.fromkeys(COLLECTIONS, 0)
    for piece in Folk(COLLECTIONS).pieces():
        assert not isinstance(piece, Dropped)
        counts[piece.collection] += 1
    assert counts == {
        "ryansMammoth": 1059,
        "oneills1850": 2009,
        "airdsAirs": 1180,
        "essenFolksong": 8514,
        "miscFolk": 185,
        "nottingham-dataset": 2,
    }


@pytest.mark.slow("reads all of the built-in corpus")
def test_ids_are_unique():
    ids = [piece.id for piece in Folk(COLLECTIONS).pieces()]
    assert len(set(ids)) == len(ids)


def test_a_tune_has_title_collection_rhythm_and_origin():
    pieces = {piece.id: piece for piece in Folk(["ryansMammoth", "oneills1850"]).pieces()}
    tune = pieces["ryansMammoth/CrabsInTheSkilletJig.abc#1"]
    assert (tune.title, tune.collection, tune.rhythm) == (
        "Crabs in the Skillet -- Jig",
        "ryansMammoth",
        "jig",
    )
    assert any(piece.origin for piece in Folk(["airdsAirs", "essenFolksong"]).pieces())


@pytest.mark.parametrize("chosen", ["miscFolk", ["miscFolk"]])
def test_one_collection_may_be_chosen(chosen):
    assert {piece.collection for piece in Folk(chosen).pieces()} == {"miscFolk"}


def test_the_order_of_the_collections_does_not_matter():
    names = ["nottingham-dataset", "miscFolk"]
    assert Folk(names).checksum() == Folk(names[::-1]).checksum()


@pytest.mark.parametrize("chosen", [["miscFolks"], "oneill", []])
def test_a_collection_that_does_not_exist_is_answered_with_the_choices(chosen):
    with pytest.raises(DatasetError) as caught:
        Folk(chosen)
    assert str(caught.value).startswith("dataset.collections=[")
    assert str(caught.value).endswith(f"choose some of {', '.join(COLLECTIONS)}")


def test_another_folder_may_hold_the_collections(tmp_path):
    (tmp_path / "miscFolk").mkdir()
    (tmp_path / "miscFolk" / "a.abc").write_text("X:1\nT:Mine\nK:C\nC|\n")
    (piece,) = Folk(COLLECTIONS, tmp_path).pieces()
    assert (piece.id, piece.title) == ("miscFolk/a.abc#1", "Mine")


def test_a_folder_without_collections_is_named(tmp_path):
    with pytest.raises(DatasetError, match=f"^no ABC in {tmp_path}; reinstall music21"):
        Folk(COLLECTIONS, tmp_path).files()


def test_without_music21_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(folk, "find_spec", lambda name: None)
    with pytest.raises(DatasetError, match="^dataset=folk reads music21's corpus: pip install"):
        Folk(COLLECTIONS)
