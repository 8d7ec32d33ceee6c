"""Versions of one piece share a split, whatever the corpus, its order and its workers."""

import random
from collections import defaultdict
from dataclasses import replace

import pytest

from symbotunes.data.preparation.families import EXCLUDED
from symbotunes.data.split import SPLITS, Shares
from symbotunes.datasets.concat import Concat
from symbotunes.errors import UserError
from tests.data.letters import Words, binary_words

HALVES = Shares(0.3, 0.3, "family")


class AndBackwards:
    """A score step that adds each piece read backwards."""

    SCHEMA = 1
    FORMAT = "words"

    def __call__(self, piece):
        return [piece, replace(piece, id=f"{piece.id}r", text=piece.text[::-1])]


class Named(Words):
    """Words whose text before a dash names the work."""

    def read(self, path):
        for word in super().read(path):
            work, _, text = word.text.partition("-")
            yield replace(word, text=text, work=work)


def sides(encoded) -> dict[str, set[str]]:
    """By title (the line of the file), the splits of its examples."""
    found = defaultdict(set)
    for example, split in enumerate(encoded.splits.tolist()):
        found[encoded.title(example)].add(SPLITS[split])
    return found


def words_of(encoded, chain, split) -> set[str]:
    return {
        "".join(chain.tokenizer.decode(encoded.example(int(example))))
        for example in encoded.examples(split)
    }


@pytest.fixture
def validated(tmp_path):
    """The same 80 words to train and to validate on; those to train on backwards, too."""
    words = [f"{word}c" for word in binary_words(64, 144)]  # none is another one backwards
    for name in ("train", "val"):
        (tmp_path / f"{name}.txt").write_text("\n".join(words))
    (tmp_path / "train.txt").open("a").write("\nddd\ndabc")
    return words, Concat(
        {"first": Words(tmp_path / "train.txt")},
        val=Words(tmp_path / "val.txt"),
        steps={"first": {"backwards": AndBackwards()}},
    )


def test_no_version_of_a_held_out_piece_is_trained_on(validated, encoded_of):
    words, corpus = validated
    encoded, chain = encoded_of(corpus, shares=replace(HALVES, val=0.0, test=0.0))
    assert words_of(encoded, chain, "val") == set(words)
    assert words_of(encoded, chain, "train") == {"ddd", "dabc", "cbad"}
    assert encoded.receipt.dropped == {"duplicate": 80 + 1, EXCLUDED: 80}  # "ddd" is a palindrome


def test_by_content_the_splits_are_those_of_old_recipes(validated, encoded_of):
    """Which trained on the versions of all 80: a resumed run must find the data that it knows."""
    words, corpus = validated
    encoded, chain = encoded_of(corpus, shares=Shares(0.0, 0.0))
    assert words_of(encoded, chain, "val") == set(words)
    assert words_of(encoded, chain, "train") == {word[::-1] for word in words} | {
        "ddd", "dabc", "cbad",
    }  # fmt: skip


def test_the_source_says_which_pieces_are_versions_of_one_work(corpus_of, encoded_of, tmp_path):
    corpus_of([f"{number % 50}-{word}" for number, word in enumerate(binary_words(64, 264))])
    encoded, _ = encoded_of(Named(tmp_path / "corpus" / "words0.txt"), shares=HALVES)
    by_work = defaultdict(set)
    for title, splits in sides(encoded).items():
        by_work[title.partition("-")[0]] |= splits
    assert len(by_work) == 50
    assert all(len(splits) == 1 for splits in by_work.values())
    assert set.union(*by_work.values()) == set(SPLITS)
    assert len(set(encoded.families(encoded.examples("train")).tolist())) == sum(
        splits == {"train"} for splits in by_work.values()
    )


def test_families_and_splits_do_not_depend_on_the_order_of_files(corpus_of, encoded_of, tmp_path):
    lines = [f"{number % 40}-{word}" for number, word in enumerate(binary_words(64, 264))]
    found = []
    for seed in range(2):
        random.Random(seed).shuffle(lines)
        corpus_of(lines[:70], lines[70:])
        paths = [tmp_path / "corpus" / f"words{number}.txt" for number in (0, 1)]
        encoded, _ = encoded_of(Named(*paths), shares=HALVES, cache=f"cache{seed}")
        found.append(sides(encoded))
    assert found[0] == found[1]


def test_a_new_version_of_a_named_work_moves_none_of_the_others(corpus_of, encoded_of, tmp_path):
    lines = [f"{number % 40}-{word}" for number, word in enumerate(binary_words(64, 164))]
    found = []
    for count in (50, 100):
        corpus_of(lines[:count])
        encoded, _ = encoded_of(
            Named(tmp_path / "corpus" / "words0.txt"), shares=HALVES, cache=f"cache{count}"
        )
        found.append(sides(encoded))
    assert len(found[0]) == 50
    assert found[0].items() <= found[1].items()


def test_large_families_are_held_out_as_often_as_small_ones(corpus_of, encoded_of, tmp_path):
    """The lowest hash of many is lower than that of few; it is not what the split is drawn by."""
    lines = [f"{number % 200}-{word}" for number, word in enumerate(binary_words(1024, 5024))]
    corpus_of(lines)
    corpus = Named(tmp_path / "corpus" / "words0.txt")
    encoded, _ = encoded_of(corpus, shares=Shares(0.5, 0.0, "family"))
    families = {
        split: len(set(encoded.families(encoded.examples(split)).tolist()))
        for split in ("train", "val")
    }
    assert sum(families.values()) == 200
    assert families["val"] == pytest.approx(100, abs=4 * 7.1)  # binomial: sqrt(200) / 2


def test_an_unknown_rule_is_refused():
    with pytest.raises(UserError, match="loader.split.by=title: choose one of family, content"):
        Shares(0.1, 0.1, "title")
