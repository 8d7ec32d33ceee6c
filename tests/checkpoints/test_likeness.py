"""The longest run of tokens that a sample shares with a training tune."""

import numpy as np
import pytest
import symusic

from symbotunes.checkpoints import likeness
from symbotunes.checkpoints.likeness import with_likeness
from symbotunes.generation.sample import Sample

TUNES = {"The Kesh": [1, 2, 3, 4, 5], "": [7, 7, 8], "The Miller's Gate": [3, 4, 5, 6, 9, 9]}


class Corpus:
    """Three training tunes behind one that is held out."""

    def examples(self, split):
        assert split == "train"
        return np.array([1, 2, 3])

    def lengths(self, examples):
        return np.array([len(list(TUNES.values())[index - 1]) for index in examples])

    def gather(self, examples):
        tunes = [list(TUNES.values())[index - 1] for index in examples]
        return np.concatenate(tunes), np.array([len(tune) for tune in tunes])

    def title(self, example):
        return list(TUNES)[example - 1]


def sample_of(*ids):
    return Sample("a", "A", symusic.Score(480), None, len(ids), 1.0, len(ids), True, 1, ids=ids)


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ((9, 4, 5, 6, 9, 1), "4 of 6 tokens, The Miller's Gate"),
        ((1, 2, 3, 4, 5, 6), "5 of 6 tokens, The Kesh"),
        ((7, 7, 1), "2 of 3 tokens"),
        ((20, 21), "0 of 2 tokens"),
    ],
)
def test_the_run_and_the_tune_are_named(ids, words):
    (sample,) = with_likeness([sample_of(*ids)], Corpus())
    assert sample.likeness == f"longest run shared with a training tune: {words}"


def test_what_has_no_ids_is_not_compared():
    (sample,) = with_likeness([sample_of()], Corpus())
    assert sample.likeness == ""


def test_a_part_of_the_training_tunes_is_called_so(monkeypatch):
    monkeypatch.setattr(likeness, "MOST_TOKENS", 9)
    (sample,) = with_likeness([sample_of(1, 2)], Corpus())
    assert "among" in sample.likeness
    assert "of 14 training tokens" in sample.likeness
