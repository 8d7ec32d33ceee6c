import pytest

from symbotunes.data.split import Shares, content_hash, split_of
from symbotunes.errors import UserError

HASHES = [content_hash(["M:4/4", str(number)]) for number in range(20_000)]


def test_shares_are_met_within_sampling_error():
    splits = [split_of(digest, Shares(val=0.05, test=0.10)) for digest in HASHES]
    # Binomial standard deviations are 31 and 42 tunes; four of them on either side.
    assert splits.count("val") == pytest.approx(1_000, abs=4 * 31)
    assert splits.count("test") == pytest.approx(2_000, abs=4 * 42)


def test_a_larger_test_share_moves_no_tune_out_of_validation():
    small, large = Shares(val=0.05, test=0.0), Shares(val=0.05, test=0.5)
    held_out = [digest for digest in HASHES if split_of(digest, small) == "val"]
    assert {split_of(digest, large) for digest in held_out} == {"val"}


def test_the_edges_of_the_hash_range_fall_into_the_first_and_last_split():
    shares = Shares(val=0.05, test=0.05)
    assert split_of("0" * 64, shares) == "val"
    assert split_of("f" * 64, shares) == "train"


@pytest.mark.parametrize("shares", [(-0.1, 0.1), (0.5, 0.5), (0.2, 0.9)])
def test_impossible_shares_are_refused(shares):
    with pytest.raises(UserError, match=r"loader\.split"):
        Shares(*shares)


def test_content_hash_tells_token_boundaries_apart():
    assert content_hash(["a", "b"]) != content_hash(["ab"])
