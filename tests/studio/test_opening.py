"""Text and files of the user, good and bad."""

import random

import pytest
import symusic

from symbotunes.checkpoints.trained_model import TrainedModel
from symbotunes.errors import UserError
from symbotunes.studio.opening import (
    Problem,
    add_opened,
    add_typed,
    problem_in,
    problem_in_prompt,
    typed,
)
from symbotunes.studio.origins import Opened
from symbotunes.studio.session import Session

HEAD = "X:1\nT:Kesh\nM:4/4\nL:1/8\nK:C\n"
MUSICXML = (
    b'<score-partwise><part-list><score-part id="P1"><part-name>Voice</part-name></score-part>'
    b'</part-list><part id="P1"><measure><attributes><divisions>1</divisions><time><beats>4</beats>'
    b"<beat-type>4</beat-type></time></attributes><note><pitch><step>D</step><octave>4</octave>"
    b"</pitch><duration>4</duration></note></measure></part></score-partwise>"
)


@pytest.fixture
def session(tmp_path):
    return Session.create(tmp_path / "session")


def pitches(sample):
    return [note.pitch for note in sample.score.tracks[0].notes]


@pytest.mark.parametrize(
    ("abc", "line", "column", "message"),
    [
        (f"{HEAD}abcd|\nabc [CEG\n", 7, 1, "a chord without end"),
        (f"{HEAD}ab A999999999 cd|\n", 6, 5, "an impossible length: 999999999"),
        ("X:1\nK:Xq\nabc|\n", 2, 3, "unreadable key: Xq"),
        ("X:1\r\nM:5/x\r\nK:C\r\nabc|\r\n", 2, 3, "unreadable meter: 5/x"),
        ("%%scale 1\n\nX:1\nM:9\nK:C\nabc|\n", 4, 3, "unreadable meter: 9"),
    ],
)
def test_an_error_says_where_it_is(abc, line, column, message):
    problem = problem_in(abc)
    assert (problem.line, problem.column, problem.message) == (line, column, message)
    before = abc[: problem.position]
    assert before.count("\n") == line - 1
    assert len(before) - (before.rfind("\n") + 1) == column - 1
    with pytest.raises(UserError, match=f"line {line}, column {column}: "):
        typed(abc)


@pytest.mark.parametrize("abc", ["", "hello", "M:4/4\nabc|"])
def test_an_error_of_the_whole_text_is_nowhere(abc):
    assert problem_in(abc) == Problem("no key")


def test_a_text_that_can_be_read_has_no_problem():
    assert problem_in(f"{HEAD}abcd|\n") is None


def test_a_long_text_is_refused_at_once():
    assert "at most 20,000" in problem_in("K:C\n" + "a" * 10_000_000).message


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("M:6/8 K:Dmaj A2 B", None),
        ("M:6/8 K:Xq A2", ("unreadable key", 8)),
        ("M:6/8 K:D A2 hello", ("hello", 13)),
    ],
)
def test_a_prompt_is_checked_by_the_model_that_continues_it(prompt, expected):
    tokenizer = TrainedModel.load("pretrained/folk_rnn").tokenizer.text
    problem = problem_in_prompt(tokenizer, prompt)
    assert (problem is None) == (expected is None)
    if problem is not None:
        assert expected[0] in problem.message
        assert problem.position == expected[1]


def test_typed_text_keeps_its_title_tempo_and_instrument():
    piece = typed(HEAD.replace("M:", "Q:1/4=90\n%%MIDI program 73\nM:") + "cdef|\n")
    assert piece.title == "Kesh"
    assert pitches(piece) == [72, 74, 76, 77]
    assert piece.score.tempos[0].qpm == pytest.approx(90, abs=0.01)
    assert piece.score.tracks[0].program == 73
    assert typed(piece.abc).abc == piece.abc


def test_only_the_first_tune_of_a_text_is_read():
    piece = typed(f"{HEAD}cd|\n\n{HEAD}ef|\n")
    assert pitches(piece) == [72, 74]
    assert piece.notes[-1] == "only the first tune of the text"


def test_a_typed_tune_knows_what_it_was_edited_from(session):
    first = add_typed(session, f"{HEAD}cd|\n")
    assert add_typed(session, f"{HEAD}ce|\n", first.id).parent == first.id


def test_files_of_every_format_are_opened(session):
    score = symusic.Score(480)
    score.tracks.append(symusic.Track(program=0))
    score.tracks[0].notes.append(symusic.Note(0, 480, 62, 90))
    midi = bytes(score.dumps_midi())
    tune = f"{HEAD}D8|\n".encode()
    files = {"a.mid": midi, "b.KAR": midi, "c.abc": tune, "d.txt": tune, "e.musicxml": MUSICXML}
    for name, content in files.items():
        piece = add_opened(session, name, content)
        assert pitches(piece.sample) == [62]
        assert piece.origin == Opened(name)
        assert piece.sample.title == ("Kesh" if name in ("c.abc", "d.txt") else name[0])


def test_a_name_is_a_text_and_no_path(session):
    piece = add_opened(session, "..\\..\\x/<script>alert(1)<b>.abc", f"{HEAD}D8|\n".encode())
    assert piece.origin == Opened("<script>alert(1)<b>.abc")
    assert sorted(path.name for path in session.folder.rglob("*.*")) == ["1.abc", "1.json", "1.mid"]


def test_the_first_tune_that_can_be_read_is_opened(session):
    book = f"{HEAD}[abc\n\n{HEAD}cd|\n\n{HEAD}ef|\n".encode()
    piece = add_opened(session, "book.abc", book).sample
    assert pitches(piece) == [72, 74]
    assert piece.notes[-1] == "one of 3 tunes in the file"


NOISE = random.Random(1).randbytes(3000)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.abc", b"a" * 10_000_000, "a.abc has 10,000,000 bytes"),
        ("a.abc", b"K:C\n" + b"a" * 400_000, "a.abc: a tune of 400,"),
        ("a.mid", b"MThd" * 2_000_000, "a.mid has 8,000,000 bytes"),
        ("a.abc", b"\0\1\2" + NOISE, "a.abc: binary file$"),
        ("a.mid", NOISE, "a.mid: not a MIDI file"),
        ("a.mxl", NOISE, "a.mxl: unreadable MusicXML"),
        ("a.xml", b"<a/>", "a.xml: not a score of parts"),
        ("a.abc", b"<!doctype html><html>", "a.abc: a web page, not ABC"),
        ("<i>.abc", f"{HEAD}[abc\n".encode(), "<i>.abc: a chord without end in tune 1, line 6$"),
        ("a.abc", b"", "a.abc: empty file"),
        ("a.mid", bytes(symusic.Score(480).dumps_midi()), "a.mid: "),
        ("a.exe", b"", r"a.exe: the name must end in one of .abc, .txt, .mid"),
        ("", b"", "file: the name must end in one of"),
    ],
)
def test_bad_files_are_refused_in_one_line(session, name, content, reason):
    with pytest.raises(UserError, match=reason) as error:
        add_opened(session, name, content)
    assert "\n" not in str(error.value)
    assert "/tmp" not in str(error.value)
    assert session.pieces == ()
