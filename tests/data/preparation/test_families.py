"""Versions of one piece share a split, whatever the corpus, its order and its workers."""

import itertools
import random
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from symbotunes.data.preparation.families import EXCLUDED, Pieces, families_of
from symbotunes.data.split import SPLITS, UNFORCED, Shares
from symbotunes.datasets.concat import Concat
from symbotunes.errors import UserError
from symbotunes.music.outline import ONSET
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


@pytest.mark.parametrize(
    ("count", "held_out"), [(1, set()), (2, {"val"}), (3, {"val", "test"}), (12, {"val", "test"})]
)
def test_few_pieces_are_held_out_too(corpus_of, encoded_of, count, held_out):
    for attempt in range(8):  # by hashes alone, 29 % of corpora of 12 have both splits empty
        draw = random.Random(f"{count} {attempt}")
        words = ["".join(draw.sample("abcdefgh" * 3, k=24)) for _ in range(count)]
        encoded, _ = encoded_of(
            corpus_of(words), shares=Shares(0.05, 0.05, "family"), cache=f"{count}-{attempt}"
        )
        sizes = {split: len(encoded.examples(split)) for split in SPLITS}
        assert sizes["train"] >= 1
        assert {split for split in ("val", "test") if sizes[split]} == held_out


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_dropped_piece_fills_no_split(corpus_of, encoded_of, split):
    shares = {"val": 0.0, "test": 0.0, split: 0.2}
    for attempt in range(4):
        draw = random.Random(f"dropped {attempt}")
        words = ["".join(draw.sample("abcdefgh" * 3, k=24)) for _ in range(3)]
        encoded, _ = encoded_of(
            corpus_of([*words, "!broken", "!broken, too"]),
            shares=Shares(**shares, by="family"),
            cache=f"dropped-{attempt}",
        )
        assert len(encoded.examples(split)) >= 1
        assert len(encoded.examples("train")) >= 1


def test_a_share_of_nothing_holds_nothing_out(corpus_of, encoded_of):
    encoded, _ = encoded_of(corpus_of(binary_words(8, 16)), shares=Shares(0.0, 0.0, "family"))
    assert {split: len(encoded.examples(split)) for split in SPLITS} == {
        "train": 8, "val": 0, "test": 0,
    }  # fmt: skip


def test_an_unknown_rule_is_refused():
    with pytest.raises(UserError, match="loader.split.by=title: choose one of family, content"):
        Shares(0.1, 0.1, "title")


def tune_of(rng, notes=48):
    """Outline of a random melody in eighths."""
    scale, at, found = (0, 2, 4, 5, 7, 9, 11), 0, []
    for _ in range(notes):
        at += rng.choice((-3, -2, -1, 1, 2, 3))
        found.append(scale[at % 7] + ONSET)
    return np.array(found, np.uint8)


def pieces_of(outlines, works=None) -> Pieces:
    """Pieces without a family of their own but for their melodies and works."""
    count = len(outlines)
    digests = np.zeros((count, 32), np.uint8)
    digests[:, :4] = np.arange(1, count + 1, dtype=">u4").view(np.uint8).reshape(-1, 4)
    named = np.zeros((count, 32), np.uint8)
    if works is not None:
        named[:, 0] = works
    return Pieces(
        digests=digests,
        origins=digests,
        works=named,
        forced=np.full(count, UNFORCED, np.uint8),
        outlines=np.concatenate(outlines),
        melodies=np.array([[number, len(each)] for number, each in enumerate(outlines)]),
    )


def largest(families) -> int:
    return int(np.bincount(families).max())


def test_families_do_not_grow_together_by_chance():
    """A chain of tunes, each with half of the next: as many as they are, no family is large."""
    rng = random.Random(0)
    parts = [tune_of(rng) for _ in range(101)]
    chain = [np.concatenate(pair) for pair in itertools.pairwise(parts)]
    assert largest(families_of(pieces_of(chain[:10]))) == 10
    assert largest(families_of(pieces_of(chain))) == 10  # ten pieces, or 1 % if that is more
    strangers = [tune_of(rng) for _ in range(1_100)]
    assert largest(families_of(pieces_of(chain + strangers))) == 12


def test_a_source_may_name_a_larger_family():
    rng = random.Random(0)
    works = [1] * 30 + [0] * 10
    found = families_of(pieces_of([tune_of(rng) for _ in works], works))
    assert largest(found) == 30
    assert len(set(found.tolist())) == 11


def test_melodies_alike_and_names_of_the_source_join_together():
    rng = random.Random(0)
    first, second = tune_of(rng), tune_of(rng)
    moved = ((first % ONSET + 5) % 12 + ONSET).astype(np.uint8)
    found = families_of(pieces_of([first, second, moved, tune_of(rng)], [1, 1, 0, 0]))
    assert len(set(found[:3].tolist())) == 1
    assert found[3] not in found[:3]
