"""Structured writes one gap between two notes: rounding any of them would move all that follows."""

import pickle
from pathlib import Path

import pytest

from symbotunes.music.midi.piece import MidiPiece
from symbotunes.tokenizers.base import Unencodable
from symbotunes.tokenizers.midi import MidiTokens

DRIFTS = Path(__file__).parents[1] / "files" / "midi_cases" / "f27_structured_drifts.mid"
MIXED = {"beat_res": {"0-4": 8, "4-12": 4}}  # steps per beat; MidiTok's default


def onsets(score):
    """Onsets in quarters."""
    return sorted(n.time / score.ticks_per_quarter for track in score.tracks for n in track.notes)


@pytest.mark.parametrize("scheme", ["REMI", "TSD", "MIDILike", "Structured"])
@pytest.mark.parametrize("use_programs", [True, False])
def test_no_onset_drifts(scheme, use_programs):
    piece = MidiPiece("x", DRIFTS.read_bytes())
    tokenizer = MidiTokens(scheme, {"use_programs": use_programs})
    (ids,) = tokenizer.tokenize(piece)
    written = onsets(tokenizer.render(tokenizer.decode(ids.tolist()), "").score)
    assert len(written) == 64
    assert written == pytest.approx(onsets(piece.score), abs=1 / 16)


def test_a_piece_with_a_gap_that_the_config_would_round_is_dropped():
    with pytest.raises(Unencodable, match="a gap that beat_res rounds") as caught:
        MidiTokens("Structured", MIXED).tokenize(MidiPiece("x", DRIFTS.read_bytes()))
    assert caught.value.detail == "5.375 quarters"  # 5 3/8: the first gap of an odd eighth


def test_tokens_of_before_are_read_by_the_gaps_that_they_had():
    before = MidiTokens("Structured", MIXED)
    today = MidiTokens("Structured")
    assert len(today.tokens) > len(before.tokens)
    today.load_state(before.state())
    assert today.tokens == before.tokens
    assert pickle.loads(pickle.dumps(today)).tokens == before.tokens
