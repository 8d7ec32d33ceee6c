"""Music of a user as pieces of a page: what is read, what is broken, how it is arranged."""

import subprocess
import sys

import pytest
import symusic

from symbotunes.errors import UserError
from symbotunes.render.files import RenderPlan, facts_of, read_files
from symbotunes.render.gallery import write_gallery

KESH = "X:1\nT:Kesh\nM:6/8\nL:1/8\nQ:3/8=110\nK:G\n|: G3 GAB | A3 ABd :|\n"
MUSICXML = (
    '<score-partwise><part-list><score-part id="P1"><part-name>Voice</part-name></score-part>'
    '</part-list><part id="P1"><measure><attributes><divisions>1</divisions><time><beats>4</beats>'
    "<beat-type>4</beat-type></time></attributes><note><pitch><step>D</step><octave>4</octave>"
    "</pitch><duration>4</duration></note></measure></part></score-partwise>"
)


@pytest.fixture
def folder(tmp_path, make_score):
    """Three pieces that can be read, and three that cannot."""
    (tmp_path / "b.abc").write_text(KESH + "\nX:2\nT:Broken\nM:4/4\nK:C\n%no notes\n")
    (tmp_path / "inner").mkdir()
    make_score([60, 64]).dump_midi(tmp_path / "inner" / "c d.mid")
    (tmp_path / "a.musicxml").write_text(MUSICXML)
    (tmp_path / "junk.mid").write_bytes(b"junk")
    (tmp_path / "x.xml").write_text("<a/>")
    (tmp_path / "readme.md").write_text("passed over")
    return tmp_path


def test_every_format_is_read_and_broken_files_are_named(folder):
    plan = RenderPlan(input=str(folder))
    result = read_files(plan)
    pieces = [(piece.name, piece.title, piece.from_user) for piece in result.pieces]
    assert pieces == [("01_a", "a", True), ("02_b", "Kesh", True), ("03_c_d", "c d", True)]
    pitches = [[note.pitch for note in piece.score.tracks[0].notes] for piece in result.pieces]
    assert pitches == [[62], [67, 67, 69, 71, 69, 69, 71, 74] * 2, [60, 64]]
    names = [name.rpartition("/")[2] for name in result.broken]
    assert names == ["b.abc#2", "junk.mid", "x.xml"]
    facts = facts_of(result, plan)
    assert facts["could not be read"].startswith("3: ")
    assert "junk.mid: not a MIDI file" in facts["could not be read"]


@pytest.mark.parametrize(
    ("line", "program"),
    [("%%MIDI program 73", 73), ("%%MIDI program 1 73", 73), ("%%MIDI program 999", 40), ("", 40)],
)
def test_a_tune_sounds_on_the_instrument_that_it_asks_for(tmp_path, line, program):
    (tmp_path / "a.abc").write_text(KESH.replace("Q:", f"{line}\nQ:") if line else KESH)
    (piece,) = read_files(RenderPlan(input=str(tmp_path / "a.abc"))).pieces
    assert piece.score.tracks[0].program == program
    assert ("%%MIDI program 73" in piece.abc) == (program == 73)


def test_a_tune_keeps_its_own_tempo_unless_another_is_asked_for(folder):
    path = str(folder / "b.abc")
    (piece,) = read_files(RenderPlan(input=path)).pieces
    assert piece.score.tempos[0].qpm == pytest.approx(165, abs=0.01)
    (piece,) = read_files(RenderPlan(input=path, tempo=90, instrument="flute", key="A")).pieces
    assert piece.score.tempos[0].qpm == pytest.approx(135, abs=0.01)
    assert piece.score.tracks[0].program == 73
    assert [line for line in piece.abc.splitlines() if line[:2] in ("Q:", "K:")] == [
        "Q:3/8=90", "K:Amaj",
    ]  # fmt: skip


def test_midi_counts_the_beats_of_its_meter_and_not_of_its_upbeat(tmp_path, make_score):
    score = make_score([60] * 8, meter=(1, 8))
    score.time_signatures.append(symusic.TimeSignature(240, 6, 8))
    score.dump_midi(tmp_path / "a.mid")
    (piece,) = read_files(RenderPlan(input=str(tmp_path / "a.mid"), tempo=90)).pieces
    assert piece.score.tempos[0].qpm == pytest.approx(135, abs=0.01)


def test_pieces_beyond_the_limit_are_counted(folder):
    plan = RenderPlan(input=str(folder), most=2)
    result = read_files(plan)
    assert [piece.title for piece in result.pieces] == ["a", "Kesh"]
    assert facts_of(result, plan)["left out"] == "1 pieces beyond render.most=2"


def test_the_page_says_nothing_of_tokens_and_seeds(folder, tmp_path):
    pieces = read_files(RenderPlan(input=str(folder / "b.abc"))).pieces
    page = write_gallery(tmp_path / "out", pieces, heading="Mine", facts={}).read_text()
    for word in ("seed 0", "tokens", "finished by the model", "Nats per token"):
        assert word not in page
    assert "1 piece<" in page
    assert "16 notes" in page
    assert "seed" not in (tmp_path / "out" / "samples.json").read_text()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"input": None}, "mode=render needs render.input=FILE_OR_FOLDER"),
        ({"input": "a.abc", "tempo": 0}, "render.tempo=0: must be from 10 to 500"),
        ({"input": "a.abc", "most": 0}, "render.most=0: must be a whole number of at least 1"),
        ({"input": "a.abc", "transpose": 1, "key": "G"}, "render.transpose and render.key: give"),
    ],
)
def test_settings_are_checked_under_their_own_names(settings, message):
    with pytest.raises(UserError, match=message):
        RenderPlan(**settings)


def test_what_cannot_be_rendered_at_all_is_one_line(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "junk.mid").write_bytes(b"junk")
    for path, reason in (
        ("missing.abc", "there is no such file or folder"),
        ("a.pdf", "the name must end in one of .abc, .mid"),
        ("b", "no piece can be read; junk.mid: not a MIDI file"),
    ):
        with pytest.raises(UserError, match=reason):
            read_files(RenderPlan(input=str(tmp_path / path)))


def test_torch_is_not_imported():
    command = "import sys, symbotunes.modes.render; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert done.stdout == "False\n"
