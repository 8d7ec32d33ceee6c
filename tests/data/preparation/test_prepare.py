import csv
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from symbotunes.data.cache.arrays import ShardWriter
from symbotunes.data.limits import Limits
from symbotunes.data.preparation.prepare import prepare
from symbotunes.data.split import Shares
from symbotunes.datasets.base import DatasetError
from symbotunes.errors import UserError
from symbotunes.render.console import dropped_line
from symbotunes.tokenizers.base import Vocabulary
from symbotunes.transforms.base import Chain
from tests.data.conftest import plan_of
from tests.data.letters import Letters, Pairs, Word, Words, binary_words


class Backwards:
    """A score step that adds each piece read backwards."""

    SCHEMA = 1
    FORMAT = "words"

    def __call__(self, piece):
        return [piece, type(piece)(f"{piece.id}r", piece.text[::-1], piece.title)]


def test_every_piece_is_accounted_for_with_its_reason(corpus_of, encoded_of):
    lines = ["abc", "#x", "abc", "a", "abcdefgh", "no!", "cab"]
    encoded, _ = encoded_of(corpus_of(lines), limits=Limits(2, 5))
    receipt = encoded.receipt
    assert receipt.read == 7
    assert receipt.kept == {"train": 2}
    assert receipt.dropped == {
        "broken line": 1,
        "duplicate": 1,
        "shorter than loader.min_tokens": 1,
        "longer than loader.max_tokens": 1,
        "shouting": 1,
    }
    assert receipt.read == sum(receipt.kept.values()) + sum(receipt.dropped.values())
    assert receipt.specimens["duplicate"] == ["2"]


def test_every_dropped_piece_is_listed_with_its_reason_and_value(corpus_of, encoded_of):
    lines = ["abc", "#x", "abc", "a", "abcdefgh", "no!", "cab"]
    encoded, _ = encoded_of(corpus_of(lines), limits=Limits(2, 5))
    with (encoded.folder / "dropped.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["piece", "reason", "value"]
    assert sorted(rows[1:]) == [
        ["1", "broken line", "x"],
        ["2", "duplicate", "0"],
        ["3", "shorter than loader.min_tokens", "1"],
        ["4", "longer than loader.max_tokens", "8"],
        ["5", "shouting", "!"],
    ]
    assert "dropped.csv" in encoded.about["files"]
    assert f"{encoded.folder}/dropped.csv" in dropped_line(encoded)


def test_ids_read_back_are_the_pieces_in_corpus_order(corpus_of, encoded_of):
    encoded, chain = encoded_of(corpus_of(["bad", "cafe", "deed"]))
    words = ["".join(chain.tokenizer.decode(encoded.example(number))) for number in range(3)]
    assert words == ["bad", "cafe", "deed"]
    assert encoded.lengths(np.arange(3)).tolist() == [3, 4, 4]
    assert encoded.names == [("0", "bad"), ("1", "cafe"), ("2", "deed")]
    assert encoded.owners.tolist() == [0, 1, 2]
    assert encoded.title(1) == "cafe"


def test_a_second_run_reads_the_cache_and_not_the_corpus(corpus_of, encoded_of):
    corpus = corpus_of(["abc", "bca"])
    first, _ = encoded_of(corpus)
    second, chain = encoded_of(corpus)
    assert corpus.reads == 1
    assert second.shards[0].tolist() == first.shards[0].tolist()
    assert chain.tokenizer.letters == ["a", "b", "c"]
    assert second.receipt == first.receipt


@pytest.mark.parametrize(
    "change",
    [
        {"key": "other"},
        {"limits": Limits(2, 100)},
        {"shares": Shares(0.1, 0.0)},
    ],
    ids=str,
)
def test_a_changed_config_never_reads_an_old_cache(corpus_of, encoded_of, change):
    corpus = corpus_of(["abc", "bca", "cab"])
    encoded_of(corpus)
    encoded_of(corpus, **change)
    assert corpus.reads == 2


def test_a_changed_file_never_reads_an_old_cache(corpus_of, encoded_of):
    first, _ = encoded_of(corpus_of(["abc"]))
    second, _ = encoded_of(corpus_of(["abd"]))
    assert first.fingerprint != second.fingerprint


def test_jobs_that_start_together_prepare_once(corpus_of, tmp_path):
    corpus = corpus_of([f"{'ab' * number}a" for number in range(1, 40)])
    start = threading.Barrier(4)

    def job(_):
        start.wait()
        return prepare(corpus, Chain({"letters": Letters()}), plan_of(tmp_path))

    with ThreadPoolExecutor(4) as jobs:
        results = list(jobs.map(job, range(4)))  # raises what a job does
    assert corpus.reads == 1
    assert len({result.fingerprint for result in results}) == 1


def test_an_empty_corpus_is_an_error_at_once(corpus_of, encoded_of):
    with pytest.raises(DatasetError, match="the corpus is empty"):
        encoded_of(corpus_of([]))


def test_a_corpus_of_which_all_is_dropped_says_why(corpus_of, encoded_of):
    with pytest.raises(DatasetError, match=r"2 pieces read, 0 kept.*1 broken line, 1 shouting"):
        encoded_of(corpus_of(["#", "a!"]))


def test_versions_of_one_piece_share_its_split(corpus_of, encoded_of):
    lines = [f"{number:b}".replace("0", "a").replace("1", "b") for number in range(64, 512)]
    chain = Chain({"backwards": Backwards(), "letters": Letters()})
    encoded, _ = encoded_of(corpus_of(lines), shares=Shares(0.3, 0.3), chain=chain)
    assert encoded.receipt.kept.total() == len(lines)
    assert len(encoded.splits) == 2 * len(lines)
    assert set(encoded.splits.tolist()) == {0, 1, 2}
    assert encoded.splits[0::2].tolist() == encoded.splits[1::2].tolist()


class AndLouder:
    """An augmentation: capitals are for training alone."""

    SCHEMA = 1
    FORMAT = "words"

    def __init__(self, keeps: bool):
        self.keeps = keeps

    def __call__(self, piece):
        louder = replace(piece, text=piece.text.upper(), only="train")
        return [louder, replace(piece, only="" if self.keeps else "held-out")]


@pytest.mark.parametrize("keeps", [True, False])
def test_held_out_pieces_are_not_augmented(corpus_of, encoded_of, keeps):
    lines = binary_words(64, 264)
    chain = Chain({"louder": AndLouder(keeps), "letters": Letters()})
    shares = Shares(0.3, 0.3, "family")
    # The alphabet is given, since that of training may lack small letters.
    chain.tokenizer.load_state({"letters": list("ABab")})
    encoded, chain = encoded_of(corpus_of(lines), shares=shares, chain=chain)
    kept = encoded.receipt.kept
    assert kept.total() == len(lines)
    for split in ("train", "val", "test"):
        texts = [
            "".join(chain.tokenizer.decode(encoded.example(int(example))))
            for example in encoded.examples(split)
        ]
        capitals = sum(text.isupper() for text in texts)
        assert capitals == (kept["train"] if split == "train" else 0)
        assert len(texts) - capitals == (0 if split == "train" and not keeps else kept[split])


def test_a_chain_that_reads_another_format_is_refused(corpus_of, tmp_path):
    corpus = corpus_of(["abc"])
    corpus.FORMAT = "midi"
    with pytest.raises(UserError, match="holds midi pieces.*reads words"):
        prepare(corpus, Chain({"letters": Letters()}), plan_of(tmp_path))


def test_a_vocabulary_that_is_known_before_is_kept(corpus_of, encoded_of):
    tokenizer = Letters()
    tokenizer.load_state({"letters": ["c", "b", "a"]})
    encoded, chain = encoded_of(corpus_of(["abc", "abd"]), chain=Chain({"letters": tokenizer}))
    assert chain.tokenizer.letters == ["c", "b", "a"]
    assert encoded.receipt.dropped == {"unknown letter": 1}
    assert encoded.example(0).tolist() == [2, 1, 0]


def test_windows_of_several_numbers_per_step_keep_their_shape(corpus_of, encoded_of):
    encoded, _ = encoded_of(corpus_of(["abcdefghij", "ka"]), chain=Chain({"pairs": Pairs()}))
    assert encoded.length == 4
    assert encoded.owners.tolist() == [0, 0]
    assert encoded.example(1).tolist() == [[4, 5], [5, 4], [6, 3], [7, 2]]
    assert encoded.receipt.dropped == {"holds no example": 1}
    assert encoded.receipt.examples == {"train": 2}


def test_a_piece_keeps_the_examples_that_fit(corpus_of, encoded_of):
    class Halves(Letters):
        def tokenize(self, piece):
            return [list(half) for half in piece.text.split("/")]

    encoded, _ = encoded_of(
        corpus_of(["ab/abcdef", "abcdef"]), limits=Limits(1, 3), chain=Chain({"halves": Halves()})
    )
    assert encoded.receipt.kept == {"train": 1}
    assert encoded.receipt.left_out == {"longer than loader.max_tokens": 1}
    assert encoded.receipt.dropped == {"longer than loader.max_tokens": 1}


def test_rare_tokens_cost_their_pieces(corpus_of, encoded_of):
    class Common(Letters):
        def fit(self, counts):
            self.letters = sorted(letter for letter, count in counts.items() if count > 1)

    encoded, chain = encoded_of(
        corpus_of(["abab", "abc", "ba"]), chain=Chain({"letters": Common()})
    )
    assert chain.tokenizer.letters == ["a", "b"]
    assert encoded.receipt.dropped == {"unknown letter": 1}
    assert [name for name, _ in encoded.names] == ["0", "2"]


def test_ids_that_are_learned_from_are_changed_before_they_are_written(corpus_of, encoded_of):
    class Doubled(Pairs):
        """Learns the largest number that it sees; writes every number with that added."""

        FIELDS = 1
        RECODES = True

        def __init__(self):
            super().__init__()
            self.largest = None

        def tokenize(self, piece):
            return [super().tokenize(piece)[0][:, 0]]

        def fit_ids(self, examples):
            self.largest = max(int(example.max()) for example in examples)

        def recode(self, ids):
            return ids[1:] + self.largest

        @property
        def vocabulary(self):
            if self.largest is None:
                raise RuntimeError
            return Vocabulary(300, -1, -1)

    encoded, _ = encoded_of(corpus_of(["abcd", "abca"]), chain=Chain({"doubled": Doubled()}))
    assert encoded.example(0).tolist() == [4, 5, 6]
    assert encoded.example(1).tolist() == [4, 5, 3]


def test_a_forced_split_beats_the_content_and_versions_stay_with_their_family(
    corpus_of, encoded_of
):
    class Marked(Words):
        """``>`` sends a piece to the test split; what follows ``=`` is its family."""

        def read(self, path):
            for word in super().read(path):
                text, _, family = word.text.partition("=")
                yield Word(
                    word.id,
                    text.strip(">"),
                    split="test" if ">" in text else None,
                    family=family.encode(),
                )

    family = [f"{word}=one family" for word in binary_words(50, 80)]
    lines = ["ab>", *family, *binary_words(100, 120)]
    encoded, _ = encoded_of(Marked(*corpus_of(lines).paths), shares=Shares(0.4, 0.2))
    assert encoded.splits[0] == 2
    assert len(set(encoded.splits[1:31].tolist())) == 1


def test_small_shards_read_back_like_one(corpus_of, encoded_of, monkeypatch):
    corpus = corpus_of(binary_words(100, 300))
    whole, _ = encoded_of(corpus, cache="whole")
    monkeypatch.setattr(ShardWriter.__init__, "__defaults__", (64,))
    sharded, _ = encoded_of(corpus, cache="sharded")
    assert len(sharded.shards) > 20
    assert all(len(shard) <= 64 for shard in sharded.shards)
    random = np.random.default_rng(0).permutation(200)
    for one, other in zip(whole.gather(random), sharded.gather(random), strict=True):
        assert one.tolist() == other.tolist()
