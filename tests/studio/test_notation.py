"""What the page draws, colors and moves a cursor along."""

import json
from dataclasses import replace

import pytest
import symusic

from symbotunes.errors import UserError
from symbotunes.render.notation.notation import EngravingError
from symbotunes.studio.notation import notation_of, notation_of_text
from symbotunes.studio.opening import typed

TUNE = "X:1\nT:T\nM:3/4\nL:1/8\nQ:1/4=120\nK:C\nG2 | z2 c2 e2 | g6 :| c6 |]\n"


def test_moments_and_notes_are_in_seconds_as_they_sound():
    notation = notation_of(typed(TUNE))
    json.dumps(notation)
    moments = [(one["seconds"], one["bar"], len(one["on"])) for one in notation["timemap"]]
    first = [(0, 0, 1), (0.5, 1, 0), (1, 1, 1), (1.5, 1, 1), (2, 2, 1)]
    again = [(3.5, 0, 1), (4, 1, 0), (4.5, 1, 1), (5, 1, 1), (5.5, 2, 1)]
    assert moments == [*first, *again, (7, 3, 1), (8.5, 3, 0)]
    notes = [(one["start"], one["end"], one["pitch"]) for one in notation["notes"]]
    strain = [(0, 0.5, 67), (1, 1.5, 72), (1.5, 2, 76), (2, 3.5, 79)]
    repeated = [(start + 3.5, end + 3.5, pitch) for start, end, pitch in strain]
    assert notes == [*strain, *repeated, (7, 8.5, 72)]
    ids = [one["id"] for one in notation["notes"]]
    assert ids[:4] == ids[4:8]
    assert len(set(ids)) == 5
    assert all(f'id="{name}"' in notation["svg"][0] for name in ids)
    assert [one["number"] for one in notation["bars"]] == [0, 1, 2, 3]


def test_a_text_with_an_error_says_where():
    with pytest.raises(UserError, match="line 7, column 1: a chord without end"):
        notation_of_text(TUNE.replace("z2", "[z2"))


def score_of(*tracks, quarter=480):
    score = symusic.Score(480)
    score.tempos.append(symusic.Tempo(0, 120))
    score.tempos.append(symusic.Tempo(4 * 480, 60))
    for notes in tracks:
        track = symusic.Track(program=0, name="Piano")
        for begin, length, pitch in notes:
            track.notes.append(symusic.Note(begin, length, pitch, 90))
        score.tracks.append(track)
    return score


def of_score(score, **facts):
    return replace(typed(TUNE), abc=None, score=score, **facts)


def test_notes_of_a_performance_have_the_nearest_drawing_and_their_own_times():
    score = score_of([(10, 470, 60), (485, 400, 64)], [], [(1920, 960, 48)])
    drawn = {
        "svg": '<svg xmlns="http://www.w3.org/2000/svg"><g id="c"/><g id="e"/><g id="low"/></svg>',
        "measures": [["m1", 0], ["m2", 4]],
        "notes": [["c", 0, 1, 60], ["e", 1, 2, 64], ["low", 4, 6, 48]],
    }
    sample = of_score(score, given=((True, False), (), (True,)))
    notation = notation_of(sample, lambda *_: (json.dumps(drawn).encode(), []))
    assert notation["bars"] == [{"number": 1, "ids": ["m1"]}, {"number": 2, "ids": ["m2"]}]
    notes = notation["notes"]
    assert [(note["pitch"], note["track"], note["given"]) for note in notes] == [
        (60, 0, True), (64, 0, False), (48, 1, True),
    ]  # fmt: skip
    assert [note["start"] for note in notes] == [
        pytest.approx(10 / 960, abs=1e-3), pytest.approx(485 / 960, abs=1e-3), 2,
    ]  # fmt: skip
    assert notes[2]["end"] == 4  # two quarters at 60
    assert [note["id"] for note in notes] == ["c", "e", "low"]
    assert {one["bar"] for one in notation["timemap"] if one["seconds"] >= 2} == {2}


def test_of_a_long_score_the_beginning_is_drawn_and_all_is_timed():
    sizes = []

    def run(kind, midi, *_):
        sizes.append(symusic.Score.from_midi(midi).note_num())
        svg = '<svg xmlns="http://www.w3.org/2000/svg"/>'
        return json.dumps({"svg": svg, "measures": [["m1", 0]], "notes": []}).encode(), []

    notation = notation_of(of_score(score_of([(480 * at, 480, 60) for at in range(400)])), run)
    assert sizes == [300]
    assert notation["remarks"] == ["the first 300 of 400 notes"]
    assert len(notation["notes"]) == 400
    assert [one["bar"] for one in notation["timemap"]] == list(range(1, 101))


def test_without_a_drawing_there_are_still_notes_and_bars():
    def crash(*_):
        raise EngravingError("verovio crashed on this MIDI")

    score = score_of([(0, 480, 60), (4 * 480, 480, 62)])
    notation = notation_of(of_score(score), crash)
    assert notation["svg"] == []
    assert notation["bars"] == []
    assert [(one["seconds"], one["bar"]) for one in notation["timemap"]] == [(0, 1), (2, 2)]
    assert [note["id"] for note in notation["notes"]] == ["", ""]


def test_a_note_ages_later_asks_for_no_million_of_bars():
    score = score_of([(0, 480, 60), (2**30, 480, 62)])
    notation = notation_of(of_score(score), lambda *_: (_ for _ in ()).throw(EngravingError("no")))
    assert len(notation["timemap"]) == 4096


def test_nothing_to_draw_is_no_error():
    assert notation_of(of_score(symusic.Score(480)))["notes"] == []


def test_titles_are_not_markup():
    notation = notation_of_text(TUNE.replace("T:T", "T:<script>alert(1)</script>"))
    assert "script" not in notation["svg"][0]
