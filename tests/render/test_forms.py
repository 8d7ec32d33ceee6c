"""A form is one entry of `FORMS`: everything that writes and shows samples follows it."""

import json
from dataclasses import replace

import pytest

from symbotunes.checkpoints.export import ExportPlan
from symbotunes.errors import UserError
from symbotunes.render.forms import FORMS, Form, Written, card_of
from symbotunes.render.gallery import write_gallery
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
    with pytest.raises(UserError, match="choose some of abc, mid, wav, mp3, png, svg, json, txt"):
        replace(plan, forms=["doc"])
