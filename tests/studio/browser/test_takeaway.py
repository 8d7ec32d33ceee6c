"""What is taken away is what was heard, and commands repeat it."""

import re
import shlex
import zipfile

import pytest
import symusic

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.slow("drives the studio's page in a browser and samples by a command"),
]
FORMS = {"ABC": b"X:", "MIDI": b"MThd", "WAV": b"RIFF", "SVG": b"<", "PNG": b"\x89PNG"}


def notes(path):
    score = symusic.Score(path).to("quarter")
    return [
        (note.start, note.duration, note.pitch) for track in score.tracks for note in track.notes
    ]


def download(person, click, path):
    with person.page.expect_download() as waiting:
        click()
    waiting.value.save_as(path)
    return path


def test_a_zip_of_the_session_is_repeated_by_its_commands(person, run_main, tmp_path):
    person.generate(seed=71)
    abc = person.abc
    link = person.page.get_by_role("link", name="MIDI", exact=True)
    heard = download(person, link.click, tmp_path / "heard.mid")
    box = person.page.locator("#command pre")
    box.wait_for()
    command = shlex.split(box.text_content())
    assert command[:3] == ["python", "main.py", "mode=sample"]
    run_main(tmp_path / "outputs", *command[2:], f"sample.out={tmp_path / 'again'}")
    (again,) = (tmp_path / "again").rglob("*.mid")
    assert notes(again) == notes(heard) != []

    link = person.page.get_by_role("link", name="Session as zip")
    archive = zipfile.ZipFile(download(person, link.click, tmp_path / "session.zip"))
    assert archive.testzip() is None
    texts = {name: archive.read(name) for name in archive.namelist()}
    assert abc.encode() in texts.values()
    assert any(shlex.join(command).encode() in text for text in texts.values())


def test_every_form_is_the_file_that_it_says(person, tmp_path):
    person.generate(seed=72)
    for form, beginning in FORMS.items():
        link = person.page.get_by_role("link", name=form, exact=True)
        path = download(person, link.click, tmp_path / form)
        assert path.read_bytes().startswith(beginning)
    assert re.fullmatch(r"[\w-]+\.png", link.get_attribute("download"))
