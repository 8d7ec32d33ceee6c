"""The command of a piece writes its notes again."""

import io
import json
import re
import shlex
import zipfile

import pytest
import symusic

from symbotunes.checkpoints.trained_model import TrainedModel
from symbotunes.generation.sequences.plan import SamplePlan
from symbotunes.modes.render import render
from symbotunes.modes.sample import sample
from symbotunes.studio.archive import zip_bytes
from symbotunes.studio.changes import Change, changed
from symbotunes.studio.commands import comment
from symbotunes.studio.opening import add_typed
from symbotunes.studio.origins import Changed, Written
from symbotunes.studio.session import Session
from tests.composing import composed

FOLK = "pretrained/folk_rnn"
TUNE = "X:1\nT:Mine\nM:6/8\nL:1/8\nK:Gmaj\nG3 GAB | A3 ABd | edd gdd | edB dBA |\n"


@pytest.fixture(scope="module")
def model():
    return TrainedModel.load(FOLK)


@pytest.fixture
def session(tmp_path):
    return Session.create(tmp_path / "it's an evening")


def write(session, model, settings, *, seed, plan="default", parent=None, file=None):
    """A piece that a model writes, as the studio has it written."""
    inputs = {"input": file.name} if file else {}
    given = {"input": str(file)} if file else {}
    (written,) = model.compose(SamplePlan(num=1, **settings, **given), seed).samples
    return session.add(written, Written(FOLK, "folk_rnn", plan, seed, settings, 0, inputs), parent)


def change(session, piece, **settings):
    wanted = Change(**settings)
    return session.add(changed(piece.sample, wanted), Changed(wanted), piece.id)


def repeated(command, tmp_path):
    """The only piece that a command writes: its ABC without a title, and its notes."""
    words = shlex.split(command, comments=True)
    assert words[:2] == ["python", "main.py"] or words[:1] == ["symbotunes"]
    settings = [word for word in words if "=" in word]
    mode = {"mode=sample": sample, "mode=render": render}[settings[0]]
    name = settings[0].removeprefix("mode=")
    out = tmp_path / "again"
    mode(composed(*settings, f"{name}.out={out}", f"{name}.forms=[abc,mid]"))
    (row,) = json.loads((out / "samples.json").read_text())["samples"]
    return music(row["abc"]), notes(symusic.Score(out / f"{row['name']}.mid"))


def music(abc):
    """ABC without number and title; tempo and instrument may stand in any order."""
    lines = re.sub(r"^(?:X|T):.*\n", "", abc, flags=re.MULTILINE).splitlines()
    head = [line for line in lines if line[:2] in ("Q:", "%%")]
    return sorted(head), [line for line in lines if line not in head]


def notes(score):
    score = score.to("tick")
    heard = [(note.time, note.duration, note.pitch) for note in score.tracks[0].notes]
    return heard, score.tracks[0].program, round(score.tempos[0].qpm)


def test_a_piece_is_repeated_from_its_file_with_all_changes_since(session, model, tmp_path):
    typed = add_typed(session, TUNE)
    settings = {"bars": "1-2", "temperature": 0.9, "min_p": 0.02, "max_tokens": 60}
    file = session.input_file(typed.id, "abc")
    piece = write(session, model, settings, seed=3, plan="continue", parent=typed.id, file=file)
    later = change(session, change(session, piece, transpose=-2, tempo=90), transpose=5)
    last = change(session, later, instrument=73)
    assert session.command(typed.id) is None
    assert last.sample.abc != piece.sample.abc
    expected = music(last.sample.abc), notes(last.sample.score)
    assert repeated(session.command(last.id), tmp_path) == expected


@pytest.mark.slow("samples in mode=sample once more, which the test above does too")
def test_typed_first_notes_are_repeated(session, model, tmp_path):
    prompt = 'M:6/8 K:Dmaj "A" A2 | d>e'
    piece = write(session, model, {"prompt": prompt, "max_tokens": 60}, seed=11)
    expected = music(piece.sample.abc), notes(piece.sample.score)
    assert repeated(session.command(piece.id), tmp_path) == expected


def test_a_change_of_a_typed_tune_is_repeated_by_rendering_its_file(session, tmp_path):
    piece = change(session, add_typed(session, TUNE), transpose=2, tempo=80, instrument="flute")
    expected = music(piece.sample.abc), notes(piece.sample.score)
    assert repeated(session.command(piece.id), tmp_path) == expected
    assert "mode=render" in session.command(piece.id)


@pytest.mark.slow("samples in mode=sample once more; the command differs in its paths only")
def test_the_archive_repeats_where_it_is_unpacked(session, model, tmp_path, monkeypatch):
    typed = add_typed(session, TUNE)
    file = session.input_file(typed.id, "abc")
    settings = {"bars": "1-2", "max_tokens": 40}
    piece = write(session, model, settings, seed=4, plan="continue", parent=typed.id, file=file)
    archive = zipfile.ZipFile(io.BytesIO(zip_bytes(session)))
    elsewhere = tmp_path / "elsewhere"
    archive.extractall(elsewhere)
    file.unlink()
    monkeypatch.chdir(elsewhere)
    folder = elsewhere / session.name
    rows = json.loads((folder / "session.json").read_text())["pieces"]
    assert [row["parent"] for row in rows] == [None, "1"]
    assert rows[0]["command"] is None
    assert rows[1]["command"] in (folder / "commands.sh").read_text().splitlines()
    expected = music(piece.sample.abc), notes(piece.sample.score)
    assert repeated(rows[1]["command"], tmp_path) == expected
    assert music((folder / "pieces" / "2.abc").read_text()) == expected[0]
    assert notes(symusic.Score(folder / "pieces" / "2.mid")) == expected[1]


def test_the_archive_holds_every_piece_and_what_it_was_made_from(session):
    typed = add_typed(session, TUNE.replace("Mine", "$(rm -rf ~)"))
    moved = change(session, typed, transpose=2)
    archive = zipfile.ZipFile(io.BytesIO(zip_bytes(session)))
    read = {
        name.removeprefix(f"{session.name}/"): archive.read(name) for name in archive.namelist()
    }
    assert set(read) == {
        "README.txt", "session.json", "commands.sh",
        "pieces/1.abc", "pieces/1.mid", "pieces/2.abc", "pieces/2.mid",
    }  # fmt: skip
    assert read["pieces/2.abc"].decode() == moved.sample.abc
    rows = json.loads(read["session.json"])["pieces"]
    assert [row["origin"] for row in rows] == [
        {"kind": "typed"}, {"kind": "changed", "change": {"transpose": 2}},
    ]  # fmt: skip
    assert settings_of(rows[1]["command"])["render.input"] == f'"{session.name}/pieces/1.abc"'
    script = [line for line in read["commands.sh"].decode().splitlines() if line]
    assert [line for line in script if not line.startswith("# ")] == [rows[1]["command"]]


def settings_of(command):
    return dict(word.split("=", 1) for word in shlex.split(command, comments=True) if "=" in word)


def test_candidates_have_seeds_and_points_of_a_path_their_numbers(session):
    sample_ = add_typed(session, TUNE).sample
    origin = Written("a run/last.ckpt", "gpt2", "infill", 9, {"bars": "3"}, 1, {"input": "1.abc"})
    lone = session.add(sample_, origin, "1")
    assert settings_of(session.command(lone.id)) == {
        "mode": "sample", "ckpt": '"a run/last.ckpt"', "seed": "9", "sample": "infill",
        "sample.input": f'"{session.folder}/pieces/1.abc"', "sample.bars": '"3"',
        "sample.seeds": "[0]",
    }  # fmt: skip
    files = {"a": "1.mid", "b": "2.mid"}
    path = Written("pretrained/music_vae", "music_vae", "interpolate", 9, {"steps": 5}, 3, files)
    point = session.add(sample_, path, "1")
    command = session.command(point.id)
    assert "sample.seeds" not in settings_of(command)
    assert command.endswith("# number 4 of what it writes")


def test_a_transposition_after_a_key_is_repeated_from_the_file(session):
    sample_ = add_typed(session, TUNE).sample
    root = session.add(sample_, Written(FOLK, "folk_rnn", "default", 1, {"key": "A"}))
    moved = change(session, root, transpose=1)
    assert settings_of(session.command(moved.id)) == {
        "mode": "render", "render.input": f'"{session.folder}/pieces/2.abc"',
        "render.transpose": "1",
    }  # fmt: skip


@pytest.mark.parametrize("break_", ["\n", "\r", "\x0b", "\x85", "\u2028"])
def test_a_title_is_one_comment(break_):
    line = comment(f"a{break_}rm -rf ~")
    assert line == "# a rm -rf ~"
    assert len(line.splitlines()) == 1
