"""Files of a piece."""

import io
import re
import threading
import wave
from dataclasses import replace

import pytest
import symusic
from matplotlib import image

from symbotunes.errors import UserError
from symbotunes.studio import forms
from symbotunes.studio.forms import TO_TAKE, Renderings, file_of, safe_name
from symbotunes.studio.opening import typed
from symbotunes.studio.origins import Typed
from symbotunes.studio.piece import StudioPiece

TUNE = "X:1\nT:Kesh\nM:4/4\nL:1/8\nQ:1/4=120\nK:C\nc4 e4 | g8 |]\n"
FIRST_BYTES = {
    "abc": b"X:1\n", "mid": b"MThd", "wav": b"RIFF", "mp3": b"\xff", "svg": b"<svg",
    "png": b"\x89PNG", "pdf": b"%PDF", "musicxml": b"<?xml", "roll": b"\x89PNG",
}  # fmt: skip


@pytest.mark.parametrize("form", ["abc", "mid", "wav", "mp3", "svg", "png", "pdf", "roll"])
def test_a_tune_has_every_form(form):
    file = file_of(typed(TUNE), form)
    assert file.content.startswith(FIRST_BYTES[form])
    assert file.name == {"roll": "Kesh_roll.png"}.get(form, f"Kesh.{form}")
    assert file.media_type.split("/")[0] in ("text", "audio", "image", "application")


def test_sound_and_picture_are_of_the_tune():
    sample = typed(TUNE)
    with wave.open(io.BytesIO(file_of(sample, "wav").content)) as sound:
        assert 4 <= sound.getnframes() / sound.getframerate() < 6  # 8 quarters, and the echo
    picture = image.imread(io.BytesIO(file_of(sample, "png").content))
    assert picture.shape[1] == 1654
    assert 0.001 < (picture[..., 0] < 0.5).mean() < 0.2  # ink on paper
    assert picture[..., :3].max() == 1
    midi = symusic.Score.from_midi(file_of(sample, "mid").content)
    assert [note.pitch for note in midi.tracks[0].notes] == [72, 76, 79]


def test_there_are_no_other_forms():
    with pytest.raises(UserError, match="there is no form 'exe'"):
        file_of(typed(TUNE), "exe")
    assert set(FIRST_BYTES) == set(TO_TAKE)


def test_a_form_that_fails_says_why(monkeypatch):
    with pytest.raises(UserError, match="Kesh has no ABC: its model does not write it"):
        file_of(replace(typed(TUNE), abc=None), "abc")
    monkeypatch.setattr(forms, "png_bytes", lambda _: 1 / 0)
    with pytest.raises(UserError, match="Kesh has no notation: division by zero"):
        file_of(typed(TUNE), "png")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("The Kesh", "The_Kesh"),
        ("../../etc/passwd", "etc_passwd"),
        ("<script>alert(1)</script>", "script_alert_1_script"),
        ("Évènement", "Evenement"),
        ("音楽", "piece"),
        ("", "piece"),
        ("con", "piece_con"),
        ("nul.x", "piece_nul.x"),
        ('a"\r\nSet-Cookie: b', "a_Set-Cookie_b"),
        ("-rf", "rf"),
        ("x" * 500, "x" * 60),
    ],
)
def test_a_title_becomes_a_safe_name(title, name):
    assert safe_name(title) == name
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name)


def test_a_file_is_made_once_and_forgotten_in_time(monkeypatch):
    made = []
    monkeypatch.setattr(forms, "file_of", lambda sample, form: made.append(form) or form)
    piece = StudioPiece("1", typed(TUNE), Typed())
    renderings = Renderings(kept=2)
    threads = [threading.Thread(target=renderings.file, args=(piece, "wav")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["wav"]
    for form in ("mid", "wav", "abc", "wav", "mid"):
        assert renderings.file(piece, form) == form
    assert made == ["wav", "mid", "abc", "mid"]


def test_what_fails_is_tried_again(monkeypatch):
    answers = iter([UserError("no"), "yes"])

    def make(sample, run):
        answer = next(answers)
        if isinstance(answer, UserError):
            raise answer
        return answer

    monkeypatch.setattr(forms, "notation_of", make)
    piece = StudioPiece("1", typed(TUNE), Typed())
    renderings = Renderings()
    with pytest.raises(UserError):
        renderings.notation(piece)
    assert renderings.notation(piece) == "yes"
