import re
from xml.etree import ElementTree

import numpy as np
import pytest
import symusic

from symbotunes.music.grid.decode import decode_trio
from symbotunes.render.notation import notation
from symbotunes.render.notation.notation import EngravingError, engrave, engrave_score, sanitize

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def test_every_note_of_a_tune_is_drawn(jig):
    engraving = engrave(jig)
    notes = re.findall(r'class="note[ "]', engraving.svg)
    assert len(notes) == 1 + 6 + 6 + 6 + 4
    assert engraving.warnings == ()


def test_the_drawing_scales_and_is_as_tall_as_the_tune(jig):
    def box(abc):
        return [
            float(side) for side in ElementTree.fromstring(engrave(abc).svg).get("viewBox").split()
        ]

    long = jig + "dcd AFD | GBd gfe | dcd AFD | GBd gfe |\n" * 12
    assert box(jig)[2] == box(long)[2] == 2100
    assert box(long)[3] > 4 * box(jig)[3]


def test_the_same_tune_gives_the_same_drawing(jig):
    assert engrave(jig).svg == engrave(jig).svg


def test_the_last_line_needs_no_line_end(jig):
    assert engrave(jig.rstrip("\n")).svg == engrave(jig).svg


def texts(svg):
    """The words of a drawing."""
    drawn = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return ["".join(text.itertext()).replace("\xa0", " ").strip() for text in drawn]


def test_a_tempo_is_drawn_above_the_first_bar(jig):
    drawn = engrave(jig.replace("M:6/8", "Q:3/8=90\n%%MIDI program 73\nM:6/8"))
    assert drawn.warnings == ()
    assert "\u2669. = 90" in texts(drawn.svg)
    assert texts(engrave(jig).svg) == []


def test_bars_are_numbered_at_the_beginning_of_lines():
    bars = "ABcd efga | bagf edcB |"
    lines = f"A2 | {bars} {bars}\n{bars} {bars}\n{bars} A6 |]\n"
    upbeat = f"X:1\nT:t\nM:4/4\nL:1/8\nK:Cmaj\n{lines}"
    assert texts(engrave(upbeat).svg) == ["5", "9"]


@pytest.mark.parametrize("abc", ["", "no music at all", "X:1\nT:t\nM:4/4\nL:1/8\nK:C\n"])
def test_what_cannot_be_engraved_is_refused_in_one_line(abc):
    with pytest.raises(EngravingError, match=r"^verovio .*ABC[^\n]*$"):
        engrave(abc)


def test_an_engraver_that_does_not_return_is_stopped(monkeypatch, jig):
    monkeypatch.setattr(notation, "PATIENCE_SECONDS", 0.001)
    with pytest.raises(EngravingError, match="took more than"):
        engrave(jig)


def test_warnings_reach_the_caller_and_not_the_terminal(jig, capfd):
    engraving = engrave(jig.replace("T:Sample 1\n", ""))
    assert engraving.warnings == ("ABC import: Title field missing, creating empty title",)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "<g onload='alert(1)'/>",
        "<foreignObject><b xmlns='http://www.w3.org/1999/xhtml'/></foreignObject>",
        "<image href='http://example.org/a.png'/>",
        "<a xlink:href='http://example.org'/>",
        "<use xlink:href='http://example.org/a.svg#x'/>",
        "<style>@import 'http://example.org/a.css';</style>",
        "<rect style='fill:url(http://example.org/a)'/>",
        "<set attributeName='href' to='javascript:alert(1)'/>",
    ],
)
def test_nothing_that_runs_or_loads_stays_in_a_drawing(evil):
    clean = sanitize(f"{HEAD}>{evil}<path d='M0 0'/></svg>")
    assert "path" in clean
    for trace in ("alert", "example.org", "script", "onload", "foreignObject"):
        assert trace not in clean


def test_references_inside_a_drawing_stay():
    clean = sanitize(f"{HEAD}><use xlink:href='#note'/><rect clip-path='url(#box)'/></svg>")
    assert 'xlink:href="#note"' in clean
    assert "url(#box)" in clean


@pytest.mark.parametrize(
    "text", ["<svg", "<html/>", "<!DOCTYPE svg [<!ENTITY a 'b'>]>" + HEAD + ">&a;</svg>"]
)
def test_what_is_no_plain_svg_is_refused(text):
    with pytest.raises(EngravingError):
        sanitize(text)


def score_of(*tracks):
    """Tracks are lists of (onset, duration) in twelfths of a quarter; `None` stands for drums."""
    score = symusic.Score(12)
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    for number, notes in enumerate(tracks):
        track = symusic.Track(program=32 * number, is_drum=notes[0] is None)
        for note in notes:
            if note is not None:
                track.notes.append(symusic.Note(*note, 60 - 12 * number, 80))
        score.tracks.append(track)
    return score


def drawn(score, kind):
    return len(re.findall(rf'class="{kind}[ "]', engrave_score(score).svg))


@pytest.mark.slow("music21 turns each score into MusicXML")
def test_notes_of_every_track_of_a_score_are_drawn():
    melody = [(12 * quarter, 12) for quarter in range(8)]
    bass = [(0, 60), (60, 36)]  # tied over the bar line
    drums = [None, *((24 * half, 3) for half in range(4))]
    score = score_of(melody, bass, drums)
    assert drawn(score, "note") == 8 + 3 + 4
    assert drawn(score, "staff") == 3 * 2  # three staves, two bars
    assert drawn(score, "tie") == 1
    assert engrave_score(score) == engrave_score(score)


@pytest.mark.slow("music21 turns each score into MusicXML")
def test_meters_and_keys_stand_on_every_staff():
    score = score_of(*[[(12 * quarter, 12) for quarter in range(6)]] * 3)
    score.time_signatures[0].numerator = 3
    score.key_signatures.append(symusic.KeySignature(0, 2, 0))  # two sharps
    assert drawn(score, "meterSig") == 3
    assert drawn(score, "keySig") == 3
    assert drawn(score, "measure") == 2


@pytest.mark.slow("music21 turns each score into MusicXML")
def test_a_score_is_drawn_in_sixteenths_unless_it_asks_for_triplets():
    swung = [(12 * quarter + part, 4) for quarter in range(4) for part in (0, 4, 8)]
    assert drawn(score_of(swung), "tuplet") == 4
    late = [(12 * quarter + 1, 12) for quarter in range(4)]  # a twelfth late, to be moved
    assert drawn(score_of(late), "tuplet") == 0
    assert drawn(score_of(late), "note") == 4


@pytest.mark.slow("music21 turns each score into MusicXML")
def test_a_window_of_a_trio_is_drawn():
    ids = np.zeros((32, 3), np.int64)
    ids[::4, 0] = 2 + 60 - 21  # quarters of the melody's class of middle C
    ids[::8, 1] = 2 + 36 - 21
    ids[::2, 2] = 1  # bass drums on every eighth
    assert drawn(decode_trio(ids), "note") == 8 + 4 + 16


@pytest.mark.slow("music21 turns each score into MusicXML")
@pytest.mark.parametrize(("limit", "most"), [("MAX_NOTES", 8), ("MAX_BARS", 2)])
def test_only_the_beginning_of_a_long_score_is_drawn(limit, most, monkeypatch):
    monkeypatch.setattr(notation, limit, most)
    engraving = engrave_score(score_of([(12 * quarter, 12) for quarter in range(20)]))
    assert len(re.findall(r'class="note[ "]', engraving.svg)) == 8  # two bars
    assert engraving.warnings == ("the first 8 of 20 notes",)


def test_a_silent_score_has_no_notation():
    with pytest.raises(EngravingError, match="there are no notes"):
        engrave_score(symusic.Score(480))
