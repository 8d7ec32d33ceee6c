import threading

import numpy as np
import pytest

from symbotunes.data.prepare import Limits, prepare
from symbotunes.data.split import Shares
from symbotunes.datasets.base import DatasetError
from symbotunes.errors import UserError
from symbotunes.tokenizers.base import Tokenizer
from symbotunes.transforms.base import Chain


class Backwards:
    """A score step that adds each piece read backwards."""

    SCHEMA = 1
    FORMAT = "words"

    def __call__(self, piece):
        return [piece, type(piece)(f"{piece.id}r", piece.text[::-1], piece.title)]


def letters() -> Tokenizer:
    from tests.data.conftest import Letters  # noqa: PLC0415

    return Letters()


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
    assert receipt.examples["duplicate"] == ["2"]


def test_ids_read_back_are_the_pieces_in_corpus_order(corpus_of, encoded_of):
    encoded, chain = encoded_of(corpus_of(["bad", "cafe", "deed"]))
    words = ["".join(chain.tokenizer.decode(encoded.piece(piece))) for piece in range(3)]
    assert words == ["bad", "cafe", "deed"]
    assert encoded.lengths(np.arange(3)).tolist() == [3, 4, 4]


def test_a_second_run_reads_the_cache_and_not_the_corpus(corpus_of, encoded_of):
    corpus = corpus_of(["abc", "bca"])
    first, _ = encoded_of(corpus)
    second, chain = encoded_of(corpus)
    assert corpus.reads == 1
    assert second.ids.tolist() == first.ids.tolist()
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


def test_an_interrupted_preparation_leaves_nothing_behind(
    corpus_of, encoded_of, monkeypatch, tmp_path
):
    def broken(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("symbotunes.data.cache.np.save", broken)
    corpus = corpus_of(["abc"])
    with pytest.raises(KeyboardInterrupt):
        encoded_of(corpus)
    assert [path for path in (tmp_path / "cache").iterdir() if path.is_dir()] == []


def test_jobs_that_start_together_prepare_once(corpus_of, tmp_path):
    corpus = corpus_of([f"{'ab' * number}a" for number in range(1, 40)])
    results = []

    def job():
        chain = Chain({"letters": letters()})
        results.append(
            prepare(
                corpus, chain, key="", limits=Limits(1, 100), shares=Shares(0, 0), cache=tmp_path
            )
        )

    threads = [threading.Thread(target=job) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert corpus.reads == 1
    assert len(results) == 4


def test_an_empty_corpus_is_an_error_at_once(corpus_of, encoded_of):
    with pytest.raises(DatasetError, match="the corpus is empty"):
        encoded_of(corpus_of([]))


def test_a_corpus_of_which_all_is_dropped_says_why(corpus_of, encoded_of):
    with pytest.raises(DatasetError, match=r"2 pieces read, 0 kept.*1 broken line, 1 shouting"):
        encoded_of(corpus_of(["#", "a!"]))


def test_versions_of_one_piece_share_its_split(corpus_of, encoded_of):
    lines = [f"{number:b}".replace("0", "a").replace("1", "b") for number in range(64, 512)]
    chain = Chain({"backwards": Backwards(), "letters": letters()})
    encoded, _ = encoded_of(corpus_of(lines), shares=Shares(0.3, 0.3), chain=chain)
    assert len(encoded.splits) == 2 * len(lines)
    assert set(encoded.splits.tolist()) == {0, 1, 2}
    assert encoded.splits[0::2].tolist() == encoded.splits[1::2].tolist()


def test_a_chain_that_reads_another_format_is_refused(corpus_of, tmp_path):
    corpus = corpus_of(["abc"])
    corpus.FORMAT = "midi"
    with pytest.raises(UserError, match="holds midi pieces.*reads words"):
        prepare(
            corpus,
            Chain({"letters": letters()}),
            key="",
            limits=Limits(1, 9),
            shares=Shares(0, 0),
            cache=tmp_path,
        )


def test_a_vocabulary_that_is_known_before_is_kept(corpus_of, encoded_of):
    tokenizer = letters()
    tokenizer.load_state({"letters": ["c", "b", "a"]})
    encoded, chain = encoded_of(corpus_of(["abc", "abd"]), chain=Chain({"letters": tokenizer}))
    assert chain.tokenizer.letters == ["c", "b", "a"]
    assert encoded.receipt.dropped == {"unknown letter": 1}
    assert encoded.piece(0).tolist() == [2, 1, 0]
