"""A form is one entry of `FORMS`: everything that writes and shows samples follows it."""

import json
import sys
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from symbotunes.checkpoints.export import ExportPlan
from symbotunes.errors import UserError
from symbotunes.music.musicxml import read_musicxml
from symbotunes.render.forms import FORMS, Form, Written, card_of, chosen_forms
from symbotunes.render.gallery import write_gallery
from symbotunes.render.notation.pdf import _titled
from symbotunes.training.loggers.media import media_of


@pytest.fixture
def tokens(monkeypatch):
    """A new form: the tokens of a tune as text; a piece without ABC has none."""

    def write(sample):
        if sample.abc is None:
            return None
        return Written(" ".join(sample.abc.split()).encode(), notes=("its tokens are words",))

    form = Form("tokens", "txt", "text/plain", "Tokens", "tokens", write, "text", logged=True)
    monkeypatch.setitem(FORMS, "txt", form)
    return form


def test_a_new_form_is_written_linked_shown_and_logged(tokens, make_sample, tmp_path):
    samples = [make_sample(abc="X:1\nK:C\n<C&>\n"), make_sample("sample_02", abc=None)]
    page = write_gallery(tmp_path, samples, heading="Heard", facts={}).read_text()
    first, second = json.loads((tmp_path / "samples.json").read_text())["samples"]

    assert (tmp_path / "sample_01.txt").read_text() == "X:1 K:C <C&>"
    assert first["files"]["txt"] == "sample_01.txt"
    assert first["notes"] == ["its tokens are words"]
    assert page.count('<a download="sample_01.txt" href="data:text/plain;base64,') == 1
    assert ">Tokens</a>" in page
    assert "<summary>Tokens</summary>" in page
    assert "<pre>X:1 K:C &lt;C&amp;&gt;</pre>" in page

    logged = media_of(tmp_path / "sample_01", "Sample 1")
    assert set(logged) == {"audio", "roll", "tokens"}  # verovio draws nothing of this tune
    assert "<pre>X:1 K:C &lt;C&amp;&gt;</pre>" in logged["tokens"].html

    assert not (tmp_path / "sample_02.txt").exists()
    assert "txt" not in second["files"]
    assert second["failures"] == {}


def test_an_earlier_sets_file_of_a_new_form_goes(tokens, make_sample, tmp_path):
    write_gallery(tmp_path, [make_sample(), make_sample("sample_02")], heading="", facts={})
    write_gallery(tmp_path, [make_sample()], heading="", facts={})
    assert [path.name for path in tmp_path.glob("*.txt")] == ["sample_01.txt"]


def test_a_form_that_fails_says_why_and_costs_no_other(monkeypatch, make_sample):
    def fail(sample):
        raise OSError("no ink\nin the second line")

    monkeypatch.setitem(FORMS, "pdf", Form("print", "pdf", "application/pdf", "PDF", "print", fail))
    card = card_of(make_sample())
    assert card.failures == {"pdf": "no ink"}
    assert list(card.written) == ["abc", "mid", "wav", "mp3", "png", "svg"]
    assert card.remarks == ["no print: no ink"]


def test_an_export_takes_a_new_form_too(tokens):
    plan = ExportPlan(
        out=None, dtype="float32", title=None, license=None, data=None, report=None, samples=1,
        forms=["txt"], transformers=False, push=None, private=False,
    )  # fmt: skip
    with pytest.raises(
        UserError, match="choose some of abc, mid, wav, mp3, png, svg, musicxml, pdf, json, txt"
    ):
        replace(plan, forms=["doc"])


def test_chosen_forms_are_written_and_no_others(make_sample, tmp_path):
    forms = chosen_forms("sample.forms", ["mp3", "abc"])
    page = write_gallery(tmp_path, [make_sample()], heading="", facts={}, forms=forms).read_text()
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"index.html", "samples.json", "sample_01.abc", "sample_01.mp3"}
    assert "data:audio/mpeg" in page
    assert "no notation" not in page


@pytest.mark.parametrize("forms", [["abc", "docx"], "pdf", []])
def test_forms_are_a_list_of_what_there_is(forms):
    if not forms:
        assert chosen_forms("sample.forms", forms) == []
        return
    with pytest.raises(UserError, match="must be a list of some of abc, mid, wav"):
        chosen_forms("sample.forms", forms)


def test_a_pdf_has_the_title_above_the_notation(make_sample):
    """As text it is compressed, so that it is looked for in the drawing that is converted."""
    drawing = ElementTree.fromstring(_titled(b'<svg viewBox="0 0 2100 400"/>', "A & B"))
    (title,) = drawing.iter("{http://www.w3.org/2000/svg}text")
    assert (title.text, drawing.get("viewBox")) == ("A & B", "0 -160 2100 560")


def test_without_a_converter_a_pdf_says_what_to_install(make_sample, monkeypatch):
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    card = card_of(make_sample(), chosen_forms("sample.forms", ["svg", "pdf"]))
    assert card.failures == {"pdf": "it needs cairo and pip install 'symbotunes[pdf]'"}
    assert list(card.written) == ["svg"]


@pytest.mark.slow("music21 and cairo write the tune")
def test_a_tune_is_written_as_musicxml_and_pdf(make_sample, tmp_path):
    pytest.importorskip("cairosvg", exc_type=(ImportError, OSError))
    card = card_of(make_sample(), chosen_forms("sample.forms", ["musicxml", "pdf"]))
    assert card.failures == {}
    assert card.written["pdf"].content.startswith(b"%PDF-")
    path = tmp_path / "a.musicxml"
    path.write_bytes(card.written["musicxml"].content)
    (part,) = read_musicxml(path)
    assert [note.pitch for note in part.notes][:7] == [69, 74, 73, 74, 69, 66, 62]
    assert part.meters[0][1:] == (6, 8)
