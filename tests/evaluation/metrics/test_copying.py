import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from symbotunes.evaluation.metrics.copying import copies

TOKENS = st.lists(st.integers(0, 3), max_size=24)  # few letters: many and long repetitions


def test_the_longest_run_by_hand():
    training = [[1, 2, 3, 4, 5], [7, 8, 9]]
    (found,) = copies(training, [[0, 2, 3, 4, 8, 9, 1]])
    assert found.lengths.tolist() == [0, 3, 2, 1, 2, 1, 1]
    assert (found.longest, found.source) == (3, 0)
    assert found.pieces[4] == 1
    assert found.seen(2) == (3, 6)  # 2 3, 3 4 and 8 9 of six pairs
    assert found.seen(3) == (1, 5)


def test_a_run_does_not_cross_from_one_training_piece_into_the_next():
    (found,) = copies([[1, 2], [3, 4]], [[1, 2, 3, 4]])
    assert found.longest == 2


def test_pieces_are_not_compared_with_each_other():
    first, second = copies([[9]], [[1, 2, 3], [1, 2, 3]])
    assert first.longest == second.longest == 0
    assert first.source is None


def test_a_whole_copy_is_as_long_as_the_piece():
    piece = list(range(100))
    (found,) = copies([[5, 5], piece], [piece])
    assert (found.longest, found.source) == (100, 1)
    assert found.seen(8) == (93, 93)


def test_empty_pieces_and_no_training_share_nothing():
    assert [found.longest for found in copies([[1]], [[], [2]])] == [0, 0]
    assert [found.longest for found in copies([], [[1, 1]])] == [0]
    assert copies([[1]], []) == []
    assert copies([[1, 2]], [[1]])[0].seen(8) == (0, 0)


def brute_force(training, piece):
    """For every place the longest run that any training piece holds."""
    held = {
        tuple(text[start:end])
        for text in training
        for start in range(len(text))
        for end in range(start + 1, len(text) + 1)
    }
    return [
        max((n for n in range(len(piece) - at + 1) if tuple(piece[at : at + n]) in held), default=0)
        for at in range(len(piece))
    ]


@settings(max_examples=150, deadline=None)
@given(st.lists(TOKENS, max_size=5), st.lists(TOKENS, max_size=4), st.sampled_from([1, 30, 999]))
def test_lengths_agree_with_looking_everywhere_in_parts_of_any_size(training, pieces, at_once):
    for piece, found in zip(pieces, copies(training, pieces, at_once), strict=True):
        assert found.lengths.tolist() == brute_force(training, piece)
        for at, (length, source) in enumerate(zip(found.lengths, found.pieces, strict=True)):
            run = piece[at : at + length]
            text = training[source] if length else []
            assert any(text[start : start + length] == run for start in range(len(text) + 1))


def test_a_corpus_of_three_hundred_thousand_tokens_takes_seconds():
    random = np.random.default_rng(0)
    training = [random.integers(0, 30, 150) for _ in range(2000)]
    began = time.process_time()
    (found,) = copies(training, [np.concatenate([training[77][20:120], [3, 1, 2]])])
    assert 100 <= found.longest <= 103
    assert found.source == 77
    assert time.process_time() - began < 5
