"""Nats per note slot are counted as by others: two simple models of all chorales, recomputed.

The expected figures were computed by other code from the same arrays: add-one smoothed counts over
47 symbols of each voice, fitted on the training pieces. A unigram knows the voice alone; a bigram
its previous symbol, or that the piece begins.
"""

from pathlib import Path

import numpy as np
import pytest

from symbotunes.datasets.jsb16 import Jsb16
from symbotunes.evaluation.metrics.bootstrap import Bootstrap
from symbotunes.evaluation.metrics.losses import class_figures
from symbotunes.evaluation.sequences.measuring import _classes
from symbotunes.tokenizers.chorale_grid import ChoraleGrid

FILE = Path(__file__).parents[2] / "files" / "jsb16" / "jsb16_plain.npz"
FIGURES = {"val": (2.611114713888772, 0.9441385273701824, 73632),
           "test": (2.63882532778248, 0.993571405476676, 75600)}  # fmt: skip
SYMBOLS, START = 47, 47
END_NATS = 3.0  # of the token that ends a piece; must not count
TOKENIZER = ChoraleGrid()


@pytest.fixture(scope="module")
def splits():
    """Ids of all pieces, as models read them, by split."""
    read = {"train": [], "val": [], "test": []}
    for piece in Jsb16(FILE, []).pieces():
        read[piece.split] += TOKENIZER.tokenize(piece)
    return read


def columns(ids):
    """``[T, 4]`` symbols from 0."""
    return ids.reshape(-1, 4) - 2


def with_start(symbols):
    return np.concatenate([np.full((1, 4), START), symbols[:-1]])


def nats_of(split, training, *, bigram):
    """Nats of every predicted token, the end included, for each piece."""
    counts = np.ones((4, START + 1, SYMBOLS))
    for ids in training:
        symbols = columns(ids)
        before = with_start(symbols) if bigram else np.zeros_like(symbols)
        np.add.at(counts, (np.arange(4), before, symbols), 1)
    logs = -np.log(counts / counts.sum(-1, keepdims=True))
    result = []
    for ids in split:
        symbols = columns(ids)
        before = with_start(symbols) if bigram else np.zeros_like(symbols)
        result.append(np.append(logs[np.arange(4), before, symbols].ravel(), END_NATS))
    return result


@pytest.mark.parametrize("split", FIGURES)
def test_a_unigram_and_a_bigram_have_the_figures_that_others_computed(splits, split):
    unigram, bigram, slots = FIGURES[split]
    texts = [TOKENIZER.vocabulary.framed(ids) for ids in splits[split]]
    classes = _classes(TOKENIZER, texts)
    assert sum(piece.count("note slot") for piece in classes) == slots
    for is_bigram, expected in ((False, unigram), (True, bigram)):
        nats = nats_of(splits[split], splits["train"], bigram=is_bigram)
        figures = class_figures(nats, classes, Bootstrap(seed=0, resamples=1))
        assert figures["note slot"].value == pytest.approx(expected, rel=1e-12)
        assert figures["end"].value == pytest.approx(END_NATS)


def test_the_split_is_the_published_one_and_leaks_melodies(splits):
    """The same soprano for 12 quarters in some key; two silent steps have no interval."""
    assert [len(splits[name]) for name in ("train", "val", "test")] == [229, 76, 77]

    def beginning(ids):
        soprano = columns(ids)[:48, 0]
        return tuple(np.where(soprano > 0, soprano - soprano[soprano > 0][0], -99).tolist())

    known = {beginning(ids) for ids in splits["train"]}
    leaked = {name: sum(beginning(ids) in known for ids in splits[name]) for name in FIGURES}
    assert leaked == {"val": 20, "test": 21}
