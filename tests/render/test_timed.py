import json
import re
from fractions import Fraction
from xml.etree import ElementTree

import symusic

from symbotunes.render.notation.timed import timed_abc, timed_score

TUNE = """X:1
T:Repeats
M:6/8
L:1/8
K:Dmaj
A2 | [DF]2 (3ABc d2- | d2 z A3 :| B3 B3 |1 c6 :| |2 d6 |]
"""
A, B, C, D = 69, 71, 73, 74


def names_of(svg, kind):
    """Ids of what is drawn as notes or measures, in the order of the document."""
    groups = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}g")
    return [group.get("id") for group in groups if kind in group.get("class", "").split()]


def test_a_tune_sounds_with_its_repeats_and_every_note_has_its_drawing():
    timed = timed_abc(TUNE)
    drawn = names_of(timed.svg, "note")
    a0, d4, f4, a1, b1, c1, d1, d2, a2, b3, b4, c5, d6 = drawn
    assert len(drawn) == len(set(drawn))
    third = Fraction(1, 3)
    strain = [
        (a0, 0, 1, A), (d4, 1, 2, 62), (f4, 1, 2, 66), (a1, 2, 2 + third, A),
        (b1, 2 + third, 3 - third, B), (c1, 3 - third, 3, C), (d1, 3, 5, D), (a2, 5.5, 7, A),
    ]  # fmt: skip
    again = [(name, begin + 7, end + 7, pitch) for name, begin, end, pitch in strain]
    endings = [
        (b3, 14, 15.5, B), (b4, 15.5, 17, B), (c5, 17, 20, C),
        (b3, 20, 21.5, B), (b4, 21.5, 23, B), (d6, 23, 26, D),
    ]  # fmt: skip
    heard = [(note.id, note.begin, note.end, note.pitch) for note in timed.notes]
    assert heard == [*strain, *again, *endings]
    assert d2 not in {name for name, *_ in heard}  # tied to d1


def test_bars_begin_as_often_as_they_are_played_and_are_numbered_as_engraved():
    timed = timed_abc(TUNE)
    played = [(0, 0), (1, 1), (4, 2), (7, 0), (8, 1), (11, 2), (14, 3), (17, 4), (20, 3), (23, 5)]
    assert list(timed.bars) == played
    numbers = [number for number, ids in timed.measures for _ in ids]
    assert numbers == [0, 1, 2, 3, 4, 5]
    assert [name for _, ids in timed.measures for name in ids] == names_of(timed.svg, "measure")


def test_a_bar_that_a_repeat_sign_splits_has_two_measures():
    timed = timed_abc("X:1\nT:t\nM:4/4\nL:1/8\nK:C\nG2 | c8 | e6 :| G2 | c8 | e6 |]\n")
    assert [(number, len(ids)) for number, ids in timed.measures] == [
        (0, 1), (1, 1), (2, 2), (3, 1), (4, 1),
    ]  # fmt: skip


def test_a_score_has_the_times_of_its_grid_and_numbers_of_bars():
    score = symusic.Score(480)
    score.time_signatures.append(symusic.TimeSignature(0, 1, 4))
    score.time_signatures.append(symusic.TimeSignature(480, 3, 4))
    track = symusic.Track(program=0, name="Piano")
    for begin, length, pitch in ((0, 480, 67), (480, 720, 72), (1210, 715, 76), (1920, 1440, 60)):
        track.notes.append(symusic.Note(begin, length, pitch, 90))
    score.tracks.append(track)
    timed = timed_score(score)
    assert list(timed.bars) == [(0, 0), (1, 1), (4, 2)]
    assert [(float(note.begin), float(note.end), note.pitch) for note in timed.notes] == [
        (0, 1, 67), (1, 2.5, 72), (2.5, 4, 76), (4, 7, 60),
    ]  # fmt: skip
    assert [note.id for note in timed.notes] == names_of(timed.svg, "note")


def test_a_measure_that_is_drawn_too_long_delays_no_other():
    score = symusic.Score(480)
    score.tracks.append(symusic.Track(program=0))
    for begin, pitch in ((0, 60), (1920, 62), (2400, 64), (3840, 65)):
        score.tracks[0].notes.append(symusic.Note(begin, 480, pitch, 90))
    engraved = {
        "svg": '<svg xmlns="http://www.w3.org/2000/svg"/>',
        "measures": [["m1", 0], ["m2", 5], ["m3", 9.5]],
        "notes": [["a", 0, 1, 60], ["b", 5, 6, 62], ["c", 6, 7, 64], ["d", 9.5, 10.5, 65]],
    }
    timed = timed_score(score, lambda *_: (json.dumps(engraved).encode(), []))
    assert [(note.id, note.begin, note.end) for note in timed.notes] == [
        ("a", 0, 1), ("b", 4, 5), ("c", 5, 6), ("d", 8, 9),
    ]  # fmt: skip
    assert timed.measures == ((1, ("m1",)), (2, ("m2",)), (3, ("m3",)))


def test_drawings_with_names_are_as_safe_as_others():
    timed = timed_abc(TUNE.replace("Repeats", "<script>alert(1)</script>"))
    assert "script" not in timed.svg
    assert not re.search(r"\son\w+=", timed.svg)
