"""Models are compared on the pieces that all of them hold out and can read."""

import numpy as np
import pytest

from symbotunes.data.cache.encoded import Encoded
from symbotunes.data.split import SPLITS
from symbotunes.errors import UserError
from symbotunes.evaluation.comparison.pieces import example_keys, restricted, shared_pieces


@pytest.fixture
def corpus(tmp_path):
    """Makes prepared data without any ids, whose examples have given pieces and splits."""

    def make(folder, splits, *, own="tunes", title="tune", examples=1):
        """One piece for each split, in order; ``None`` for one that was dropped."""
        place = tmp_path / folder
        place.mkdir()
        kept = [(number, split) for number, split in enumerate(splits) if split]
        lines = [f"{own}/{number}.abc#1\t{title}\n" for number, _ in kept]
        (place / "names.txt").write_text("".join(lines))
        column = [SPLITS.index(split) for _, split in kept]
        return Encoded(
            folder=place,
            about={},
            shards=(),
            starts=np.zeros(0, np.int64),
            splits=np.repeat(np.array(column, np.uint8), examples),
            owners=np.repeat(np.arange(len(kept), dtype=np.int32), examples),
            relatives=np.arange(len(kept), dtype=np.int32),
        )

    return make


def numbers(shared):
    return [int(name.removesuffix(".abc#1")) for name, _ in shared.keys]


def test_pieces_that_one_model_drops_or_trains_on_are_left_out(corpus):
    first = corpus("a", ["test"] * 14 + ["train"] * 3)
    second = corpus("b", ["test"] * 11 + ["train", None, "test", "test", "test", "val"])
    assert numbers(shared_pieces({"a": first, "b": second}, "test")) == [*range(11), 13]


def test_the_folder_of_the_tunes_may_have_moved(corpus):
    first, second = corpus("a", ["test"] * 12), corpus("b", ["test"] * 12, own="moved")
    assert numbers(shared_pieces({"a": first, "b": second}, "test")) == list(range(12))


def test_files_of_one_name_are_other_pieces_if_their_titles_differ_or_are_missing(corpus):
    first = corpus("a", ["test"] * 12)
    for title, folder in (("another", "b"), ("", "c")):
        second = corpus(folder, ["test"] * 12, own="other", title=title)
        with pytest.raises(UserError, match="^0 pieces are held out by every model"):
            shared_pieces({"a": first, "b": second}, "test")


def test_splits_that_do_not_overlap_share_their_held_out_pieces(corpus):
    first = corpus("a", ["val"] * 12 + ["test"] * 12 + ["train"] * 6)
    second = corpus("b", ["val"] * 6 + ["test"] * 6 + ["train"] * 12 + ["val"] * 6)
    shared = shared_pieces({"a": first, "b": second}, "test")
    assert shared.split == "held-out"
    assert numbers(shared) == list(range(12))


def test_fewer_than_ten_pieces_are_refused_in_one_line(corpus):
    first = corpus("a", ["test"] * 9 + ["train"] * 3)
    second = corpus("b", ["test"] * 12)
    with pytest.raises(UserError) as error:
        shared_pieces({"small": first, "large": second}, "test")
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("9 pieces are held out by every model")
    assert "held out: small 9, large 12" in str(error.value)
    ten = corpus("c", ["test"] * 10)
    assert len(shared_pieces({"small": ten, "large": second}, "test").keys) == 10


@pytest.mark.parametrize("split", ["test", "val"])
def test_a_split_of_the_shared_pieces_holds_all_their_windows_and_nothing_else(corpus, split):
    first = corpus("a", ["val", "test"] * 6 + ["train"] * 2, examples=3)
    second = corpus("b", ["test"] * 10 + ["train"] * 4)
    shared = shared_pieces({"a": first, "b": second}, split)
    data = restricted(first, split, shared)
    pieces = [int(name.removesuffix(".abc#1"))
              for name, _ in example_keys(data, data.examples(split))]  # fmt: skip
    assert pieces == [number for number in range(10) for _ in range(3)]
    assert data.examples("train").tolist() == first.examples("train").tolist()
