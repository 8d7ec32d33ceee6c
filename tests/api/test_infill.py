"""Bars of tunes written anew through the library."""

import pytest

import symbotunes
from symbotunes.errors import UserError
from symbotunes.music.abc.text import from_abc
from tests.checkpoints.conftest import write_checkpoint

INFILL = "transforms=[abc_tokens_137,infill]"
TUNE = "X:1\nT:A tune\nM:2/4\nL:1/8\nK:D\nd4|e4|f4|g4|\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("infill") / "best.ckpt"
    return symbotunes.load(write_checkpoint(path, INFILL, "model.net.width=8"))


def bars_of(piece):
    return " ".join(from_abc(piece.abc)[2:]).split(" | ")


@pytest.mark.parametrize("bars", [(2, 3), "2-3", [2, "3"]], ids=str)
def test_bars_are_named_as_a_pair_as_text_or_as_a_list(model, tmp_path, bars):
    path = tmp_path / "tune.abc"
    path.write_text(TUNE)
    pieces = model.infill(path, bars=bars, num=3, seed=2)
    assert [piece.title for piece in pieces] == ["Fill 1", "Fill 2", "Fill 3"]
    for piece in pieces:
        first, *_, last = bars_of(piece)
        assert (first, last) == ("d 4", "g 4 |")
        assert len(bars_of(piece)) == 4
    assert len({piece.abc for piece in pieces}) == 3


def test_a_piece_that_was_filled_in_can_be_filled_in_again(model, tmp_path):
    path = tmp_path / "tune.abc"
    path.write_text(TUNE)
    (once,) = model.infill(path, bars=2)
    (twice,) = model.infill(once, bars=4)
    assert bars_of(twice)[:3] == bars_of(once)[:3]


def test_unknown_options_are_refused(model, tmp_path):
    with pytest.raises(UserError, match="prompt"):
        model.infill(tmp_path / "tune.abc", bars=2, prompt="M:6/8")
