"""Which model is better, and whether another choice of pieces could say otherwise."""

import numpy as np
import pytest

from symbotunes.evaluation.comparison.verdict import PieceBits, costs_of, differences, paired
from symbotunes.evaluation.metrics.bootstrap import Bootstrap

HARDNESS = np.random.default_rng(0).uniform(20, 200, 40)  # bits, of tunes with ten notes each


def costs(bits, families=None):
    families = range(len(bits)) if families is None else families
    return {
        (f"{number}.abc", ""): PieceBits(float(value), 10, family)
        for number, (value, family) in enumerate(zip(bits, families, strict=True))
    }


def test_a_constant_advantage_leaves_out_zero_however_unlike_the_pieces_are():
    (found,) = differences({"worse": costs(HARDNESS + 1), "better": costs(HARDNESS)}, Bootstrap())
    interval = found.bits_per_note
    assert (interval.value, interval.low, interval.high) == pytest.approx((0.1, 0.1, 0.1))
    assert found.sentence == (
        "better is better than worse: 0.10 fewer bits per note on the same 40 pieces; the interval "
        "[0.10, 0.10] of the difference leaves out zero"
    )


def test_an_advantage_that_comes_and_goes_does_not():
    turns = np.where(np.arange(40) % 2, 30.0, -28.0)
    (found,) = differences({"a": costs(HARDNESS), "b": costs(HARDNESS + turns)}, Bootstrap())
    assert found.better == "a"
    assert found.bits_per_note.value == pytest.approx(turns.mean() / 10)
    assert "does not leave out zero" in found.sentence


def test_models_of_other_tokens_are_divided_by_their_own_notes():
    fine = {("a", ""): PieceBits(60.0, 10, 0), ("b", ""): PieceBits(60.0, 20, 1)}
    coarse = {("a", ""): PieceBits(40.0, 8, 0), ("b", ""): PieceBits(40.0, 12, 1)}
    # 120 bits of 30 notes, and 80 bits of 20 notes.
    assert paired(fine, coarse, Bootstrap()).value == 0.0


def test_of_few_families_there_is_no_interval():
    families = [number // 5 for number in range(40)]  # eight of them
    models = {"a": costs(HARDNESS, families), "b": costs(HARDNESS + 1, families)}
    (found,) = differences(models, Bootstrap())
    assert not found.bits_per_note.has_ends
    assert found.sentence.endswith("of fewer than 10 families, no interval is given")
    assert found.as_dict()["leaves_out_zero"] is None


def test_the_best_of_several_is_set_beside_each_of_the_others():
    models = {name: costs(HARDNESS + extra) for name, extra in (("c", 3), ("a", 0), ("b", 1))}
    found = differences(models, Bootstrap())
    assert [(item.better, item.worse) for item in found] == [("a", "b"), ("a", "c")]
    assert differences({"a": models["a"]}, Bootstrap()) == ()


def test_equal_models_are_told_so():
    (found,) = differences({"a": costs(HARDNESS), "b": costs(HARDNESS)}, Bootstrap())
    assert found.sentence.startswith("a and b are equally good on 40 pieces")


def test_examples_of_one_piece_are_added_up_and_nats_become_bits():
    keys = [("a", ""), ("b", ""), ("a", "")]
    found = costs_of(keys, [np.log(2), np.log(4), np.log(8)], [1, 2, 3], np.array([7, 8, 7]))
    assert found[("a", "")] == PieceBits(pytest.approx(4.0), 4, 7)
    assert found[("b", "")] == PieceBits(pytest.approx(2.0), 2, 8)
