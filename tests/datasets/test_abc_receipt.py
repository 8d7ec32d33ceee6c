"""From ABC files to the receipt: what a user sees of pieces that are left out."""

import pytest

from symbotunes.data.limits import Limits
from symbotunes.data.preparation.prepare import Plan, prepare
from symbotunes.data.preparation.workers import Workers
from symbotunes.data.split import Shares
from symbotunes.datasets.abc_folder import AbcFiles
from symbotunes.datasets.base import DatasetError
from symbotunes.tokenizers.abc import AbcTokens
from symbotunes.transforms.base import Chain

TUNE = "X:1\nT:One\nM:4/4\nL:1/8\nK:C\nCDEF GABc|c8|\n"


@pytest.fixture
def receipt_of(tmp_path):
    """The receipt of one ABC file with this content, all of it for training."""

    def receipt_of(content: str | bytes, limits=Limits(1, 1000), **options):  # noqa: B008
        path = tmp_path / "book.abc"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        encoded = prepare(
            AbcFiles(path),
            Chain({"abc_tokens": AbcTokens(**options)}),
            Plan(
                key="",
                limits=limits,
                shares=Shares(val=0.0, test=0.0),
                cache=tmp_path / "cache",
                workers=Workers(count=0),
            ),
        )
        return encoded.receipt

    return receipt_of


def test_a_tune_found_again_under_another_title_and_in_another_key_is_a_duplicate(receipt_of):
    again = "X:2\nT:Two\nM:4/4\nL:1/16\nK:D\nD2E2F2G2 A2B2c2d2|\\\nd16|]\n"
    receipt = receipt_of(f"{TUNE}\n{again}")
    assert (receipt.read, receipt.kept, receipt.dropped) == (2, {"train": 1}, {"duplicate": 1})


def test_tunes_too_short_or_too_long_are_counted(receipt_of):
    long = "X:3\nM:4/4\nK:C\n" + "CDEF GABc|" * 30
    short = "X:2\nM:4/4\nK:C\nC8|\n"
    receipt = receipt_of(f"{TUNE}\n{short}\n{long}", Limits(8, 100))
    assert receipt.dropped == {
        "shorter than loader.min_tokens": 1,
        "longer than loader.max_tokens": 1,
    }


def test_every_tune_is_kept_or_counted_under_its_reason(receipt_of):
    receipt = receipt_of(f"{TUNE}\nX:2\nK:Es\nC|\nX:3\nM:4/4\nK:C\n(3CD|\nX:4\nM:4/4\nK:C\nz|\n")
    assert receipt.dropped == {
        "unreadable key": 1,
        "a tuplet that is cut short": 1,
        "no notes": 1,
    }
    assert receipt.read == 4 == receipt.kept["train"] + sum(receipt.dropped.values())


def test_tunes_outside_the_published_vocabulary_are_counted(receipt_of):
    receipt = receipt_of(f"{TUNE}\nX:2\nM:5/4\nK:C\nC10|\n", vocabulary="folk_rnn")
    assert receipt.dropped == {"outside the published vocabulary": 1}
    assert receipt.vocabulary == 137


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"MThd\0\0\0\6", "1 pieces read, 0 kept, .*dropped: 1 unreadable file: binary file"),
        (b"", "1 pieces read, 0 kept, .*dropped: 1 unreadable file: empty file"),
        ("X:1\nM:C\nC|\nX:2\nM:x\nK:C\nC|", "2 pieces read, .*1 no key, 1 unreadable meter"),
    ],
)
def test_when_nothing_is_left_one_line_says_why(receipt_of, content, message):
    with pytest.raises(DatasetError, match=f"^nothing to train on: {message}$") as caught:
        receipt_of(content)
    assert "\n" not in str(caught.value)
