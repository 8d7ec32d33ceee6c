"""Chorales as one token per voice and sixteenth."""

import numpy as np
import pytest

from symbotunes.errors import UserError
from symbotunes.music.chorale.grid import SILENT, VoiceGrid
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.tokenizers.base import Unencodable
from symbotunes.tokenizers.chorale_grid import ChoraleGrid

PITCHES = np.array([[67, 62, 59, 43], [67, 62, 57, 43], [SILENT, 62, 57, 45]])
TOKENS = [
    "Pitch_67", "Pitch_62", "Pitch_59", "Pitch_43", "Pitch_67", "Pitch_62", "Pitch_57", "Pitch_43",
    "Rest", "Pitch_62", "Pitch_57", "Pitch_45",
]  # fmt: skip


def piece(pitches=PITCHES):
    return MidiPiece("a", VoiceGrid.joined(np.array(pitches)).score())


@pytest.mark.parametrize("tokenizer", [ChoraleGrid()], ids=["ChoraleGrid"])
def test_tokens_are_the_voices_of_each_step_in_turn(tokenizer):
    (ids,) = tokenizer.tokenize(piece())
    assert tokenizer.decode(ids.tolist()) == TOKENS
    assert tokenizer.encode(TOKENS) == ids.tolist()
    assert tokenizer.vocabulary.size == 46 + 3  # pitches; silence, and what begins and ends
    assert ChoraleGrid(holds=True).vocabulary.size == 46 + 4


def test_decoding_gives_four_tracks_with_the_same_notes():
    rendition = ChoraleGrid().render(TOKENS, "")
    assert [track.name for track in rendition.score.tracks] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert [len(track.notes) for track in rendition.score.tracks] == [1, 1, 2, 2]
    assert rendition.problems == ()
    assert (rendition.grammar.errors, rendition.grammar.tokens) == (0, 12)


def test_a_cut_step_is_remarked_on():
    rendition = ChoraleGrid().render(TOKENS[:-1], "")
    assert rendition.problems == ("the last step lacks 1 of 4 voices",)
    assert rendition.grammar.errors == 1


def test_a_hold_of_nothing_is_an_error():
    rendition = ChoraleGrid(holds=True).render(["Hold", *TOKENS[1:4]], "")
    assert rendition.problems == ("1 of 4 tokens hold no note",)


def test_all_tokens_but_the_end_are_note_slots():
    assert {ChoraleGrid(holds=True).token_class(token) for token in (*TOKENS, "Hold")} == {
        "note slot"
    }


def test_pitches_without_a_token_leave_the_piece_out():
    with pytest.raises(Unencodable, match="pitches outside 36 to 81: pitch 35"):
        ChoraleGrid().tokenize(piece([[67, 62, 59, 35]]))
    ChoraleGrid(lowest=35).tokenize(piece([[67, 62, 59, 35]]))


def test_other_music_is_left_out_with_its_reason():
    score = piece().score
    score.tracks = [track for track in score.tracks if track.name != "Bass"]
    with pytest.raises(Unencodable, match="not in four voices: 3 tracks"):
        ChoraleGrid().tokenize(MidiPiece("a", score))


@pytest.mark.parametrize(("lowest", "highest"), [(60, 59), (-1, 81), (36, 128)])
def test_impossible_ranges_are_refused(lowest, highest):
    with pytest.raises(UserError, match="lowest first"):
        ChoraleGrid(lowest=lowest, highest=highest)


def test_a_prompt_is_the_first_bars_of_a_file(tmp_path):
    """Bars of 4/4, where a file states no meter: sixteen steps of four voices."""
    path = tmp_path / "a.mid"
    long = VoiceGrid.joined(np.repeat(PITCHES[:1], 40, 0))
    path.write_bytes(long.score().dumps_midi())
    tokenizer = ChoraleGrid()
    assert tokenizer.decode(tokenizer.prompt_from(path, 2)) == TOKENS[:4] * 32
    with pytest.raises(ValueError, match="all four voices"):
        tokenizer.prompt_from(path, 2, track=1)
    with pytest.raises(ValueError, match="MIDI file"):
        tokenizer.prompt("C E G")
