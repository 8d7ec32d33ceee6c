import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from symbotunes.evaluation.metrics.bootstrap import Bootstrap
from symbotunes.evaluation.metrics.overlap import (
    ORDERS,
    ROUGE,
    bleu,
    choose_references,
    overlaps,
    rouge,
    rouge_l,
)

BOOTSTRAP = Bootstrap(resamples=50)
RANDOM = np.random.default_rng(0)
TUNES = [RANDOM.integers(0, 20, 30).tolist() for _ in range(6)]
TOKENS = st.lists(st.integers(0, 4), min_size=1, max_size=90)


class Words:
    """A tokenizer for rouge-score that leaves words as they are."""

    def tokenize(self, text):
        return text.split()


def figures(pieces, references):
    found = overlaps(pieces, references)
    return {
        **{f"bleu_{order}": bleu(found, order, BOOTSTRAP).value for order in ORDERS},
        **{
            key: rouge(found, name, BOOTSTRAP).value
            for key, name in zip(("rouge_1", "rouge_2", "rouge_l"), ROUGE, strict=True)
        },
    }


def test_a_copy_of_a_reference_scores_a_hundred_everywhere():
    found = figures(TUNES[:2], [TUNES[2:4] + TUNES[:1], TUNES[1:4]])
    assert found == {
        name: pytest.approx(100.0)
        for name in ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_1", "rouge_2", "rouge_l")
    }


def test_what_shares_no_token_scores_nothing():
    found = figures([[1, 2, 3, 4, 5, 6]], [[[7, 8, 9, 10, 11, 12]]])
    assert found["bleu_1"] == found["rouge_1"] == found["rouge_l"] == 0


def test_scores_by_hand():
    # Piece 1 2 3 4, reference 1 2 4 3: all four tokens, one of three pairs, no 3-gram.
    found = figures([[1, 2, 3, 4]], [[[1, 2, 4, 3]]])
    assert found["bleu_1"] == pytest.approx(100.0)
    assert found["bleu_2"] == pytest.approx(100 * (1 * 1 / 3) ** 0.5)
    assert found["rouge_1"] == pytest.approx(100.0)
    assert found["rouge_2"] == pytest.approx(100 / 3)
    assert found["rouge_l"] == pytest.approx(75.0)  # 1 2 3, three of four


def test_a_short_piece_pays_the_brevity_penalty():
    found = figures([[1, 2]], [[[1, 2, 3, 4]]])
    assert found["bleu_1"] == pytest.approx(100 * np.exp(1 - 4 / 2))


def test_bleu_of_the_corpus_is_sacrebleus():
    from sacrebleu.metrics.bleu import BLEU

    references = [[TUNES[(index + shift) % 6] for shift in (1, 2)] for index in range(6)]
    streams = [[" ".join(map(str, each[place])) for each in references] for place in (0, 1)]
    for order in (1, 2, 4):
        oracle = BLEU(tokenize="none", max_ngram_order=order, force=True)
        expected = oracle.corpus_score([" ".join(map(str, tune)) for tune in TUNES], streams).score
        assert figures(TUNES, references)[f"bleu_{order}"] == pytest.approx(expected)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=90), st.lists(TOKENS, min_size=1, max_size=3))
def test_rouge_is_that_of_rouge_score(piece, references):
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=Words())
    best = scorer.score_multi(
        [" ".join(map(str, tokens)) for tokens in references], " ".join(map(str, piece))
    )
    expected = [best[name].fmeasure for name in ("rouge1", "rouge2", "rougeL")]
    assert overlaps([piece], [references]).rouge[0].tolist() == pytest.approx(expected)


def test_pieces_as_long_as_those_of_maestro_take_a_second():
    """rouge-score needs three minutes for these two: a table of 400 million numbers."""
    piece, reference = RANDOM.integers(0, 300, (2, 20_000))
    began = time.process_time()
    share = rouge_l(piece, reference)
    assert 0.05 < share < 0.5
    assert time.process_time() - began < 1


def test_an_empty_piece_scores_nothing():
    found = figures([[]], [[[1, 2, 3]]])
    assert set(found.values()) == {0.0}


def test_references_are_of_the_same_kind_and_never_the_piece_itself():
    pool = ["jig", "reel", "jig", "reel", "jig"]
    chosen = choose_references(pool, pool, 10, seed=0, own=range(5))
    assert [sorted(each) for each in chosen] == [[2, 4], [3], [0, 4], [1], [0, 2]]


def test_a_kind_without_references_takes_any():
    assert sorted(choose_references(["hymn"], ["jig", "reel"], 5, seed=0)[0]) == [0, 1]
    assert choose_references(["jig"], ["jig"], 5, seed=0, own=[0]) == [[]]


def test_the_choice_is_capped_and_depends_on_the_seed_alone():
    pool = ["jig"] * 50
    first, again, other = (choose_references(["jig"], pool, 4, seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert len(set(first[0])) == 4
