import numpy as np
import pytest

from symbotunes.data.split import SPLITS, Shares, content_hash, positions_of, splits_at
from symbotunes.errors import UserError

HASHES = np.stack(
    [np.frombuffer(content_hash(b"M:4/4 %d" % number), np.uint8) for number in range(20_000)]
)
POSITIONS = positions_of(HASHES)


def test_shares_are_met_within_sampling_error():
    counts = np.bincount(splits_at(POSITIONS, Shares(val=0.05, test=0.10)))
    # Binomial standard deviations are 31 and 42 tunes; four of them on either side.
    assert counts[SPLITS.index("val")] == pytest.approx(1_000, abs=4 * 31)
    assert counts[SPLITS.index("test")] == pytest.approx(2_000, abs=4 * 42)


def test_a_larger_test_share_moves_no_tune_out_of_validation():
    small, large = Shares(val=0.05, test=0.0), Shares(val=0.05, test=0.5)
    held_out = splits_at(POSITIONS, small) == SPLITS.index("val")
    assert set(splits_at(POSITIONS[held_out], large).tolist()) == {SPLITS.index("val")}


def test_the_edges_of_the_hash_range_fall_into_the_first_and_last_split():
    edges = np.array([[0] * 32, [255] * 32], np.uint8)
    assert splits_at(positions_of(edges), Shares(val=0.05, test=0.05)).tolist() == [1, 0]


@pytest.mark.parametrize("shares", [(-0.1, 0.1), (0.5, 0.5), (0.2, 0.9)])
def test_impossible_shares_are_refused(shares):
    with pytest.raises(UserError, match=r"loader\.split"):
        Shares(*shares)
