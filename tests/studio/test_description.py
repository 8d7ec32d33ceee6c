"""What the page says about a piece."""

import json
from dataclasses import replace

import pytest
import symusic

from symbotunes.studio.changes import Change
from symbotunes.studio.description import described
from symbotunes.studio.opening import typed
from symbotunes.studio.origins import Changed, Opened, Typed, Written
from symbotunes.studio.piece import StudioPiece

TUNE = "X:1\nT:T\nM:3/4\nL:1/8\nQ:1/4=120\n%%MIDI program 73\nK:C\nG2 | z2 c2 e2 | g6 :| c6 |]\n"
WRITTEN = Written("pretrained/folk_rnn", "folk_rnn", "infill", 5, {"temperature": 0.8})
FIELDS = {  # of Piece in page/types.js
    "id", "title", "model", "plan", "seed", "options", "abc", "remarks", "bars", "seconds",
    "quarters_per_minute", "instrument", "tracks", "parent", "given", "new_bars",
}  # fmt: skip


def test_a_typed_tune():
    sample = typed(TUNE)
    facts = described(StudioPiece("1", sample, Typed()), unsaved="No space left on device")
    json.dumps(facts)
    assert set(facts) == FIELDS
    assert facts["bars"] == 3
    assert facts["seconds"] == 8.5
    assert facts["quarters_per_minute"] == 120
    assert facts["instrument"] == 73
    assert facts["tracks"] == [{"index": 1, "name": "Melody", "program": 73, "notes": 9}]
    assert facts["remarks"][-1] == "not saved: No space left on device"
    nothing = ("model", "seed", "parent", "given", "new_bars")
    assert {facts[name] for name in nothing} == {None}


def test_bars_that_a_model_wrote_into_a_tune_are_numbered_as_engraved():
    # Stretches between signs: the upbeat, bar 1, bar 2, bar 3; bar 1 is new, both times it sounds.
    marks = {"marked_bars": (1,), "marked_ticks": ((480, 1920), (3840, 5280))}
    sample = replace(typed(TUNE), seed=9, from_user=False, likeness="10 tokens of Kesh", **marks)
    facts = described(StudioPiece("2", sample, WRITTEN, "1"))
    assert facts["new_bars"] == [1]
    assert facts["given"] == [[0, 0.5], [2, 4], [5.5, 8.5]]
    assert (facts["model"], facts["plan"], facts["seed"]) == ("folk_rnn", "infill", 9)
    assert facts["options"] == {"temperature": 0.8}
    assert facts["parent"] == "1"
    assert facts["remarks"] == ["10 tokens of Kesh"]


@pytest.mark.parametrize(
    ("origin", "plan"),
    [
        (replace(WRITTEN, plan="default"), "sample"),
        (Typed(), "edit"),
        (Opened("a.mid"), "file"),
        (Changed(Change(transpose=1)), "change"),
    ],
)
def test_what_was_done_for_a_piece(origin, plan):
    assert described(StudioPiece("1", typed(TUNE), origin))["plan"] == plan


def test_several_instruments_and_an_end_beyond_the_sound():
    score = symusic.Score(480)
    score.time_signatures.append(symusic.TimeSignature(0, 3, 4))
    for program, is_drum, name in (
        (0, False, "Piano"),
        (0, True, ""),
        (5, False, ""),
        (9, False, ""),
    ):
        score.tracks.append(symusic.Track(program=program, is_drum=is_drum, name=name))
    for index in (0, 1, 2):
        score.tracks[index].notes.append(symusic.Note(0, 480 * 400, 60, 90))
    facts = described(StudioPiece("1", replace(typed(TUNE), abc=None, score=score), Typed()))
    assert facts["instrument"] is None
    assert [(track["index"], track["name"]) for track in facts["tracks"]] == [
        (1, "Piano"), (2, "Drums"), (3, ""),
    ]  # fmt: skip
    assert facts["seconds"] == 180
    assert facts["remarks"] == ["the sound stops after 180 of 200 s"]
    assert facts["quarters_per_minute"] == 120
    assert facts["bars"] == 134


def test_a_piece_without_notes():
    sample = replace(typed(TUNE), abc=None, score=symusic.Score(480))
    facts = described(StudioPiece("1", sample, Typed()))
    assert (facts["bars"], facts["seconds"], facts["tracks"]) == (0, 0, [])
