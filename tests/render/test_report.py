"""The report of an evaluation: what it shows, and that it neither loads nor runs anything."""

import base64
import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.evaluation.metrics.infilling import INFILLING
from symbotunes.evaluation.metrics.losses import LOSSES
from symbotunes.evaluation.metrics.tunes import TUNES
from symbotunes.evaluation.sequences.findings import (
    ClassLoss,
    FilledTune,
    Findings,
    HeldOut,
    Infilling,
    TuneSet,
)
from symbotunes.render.pages.sequences import report_page, write_report

pytestmark = pytest.mark.xdist_group("report")  # one process makes the page once
NASTY = "<script>alert('$x_1$')</script> & \"quotes\""
INTERVAL = Interval(1.5, 1.25, 1.75)
UNDEFINED = Interval(float("nan"), float("nan"), float("nan"))


def held_out(*models):
    return HeldOut(
        split="test",
        pieces=2,
        families=2,
        tokens=1234,
        notes=400,
        models={name: dict.fromkeys(LOSSES, INTERVAL) for name in models},
        gains=dict.fromkeys(models[1:], Interval(0.25, 0.2, 0.3)),
        classes=(
            ClassLoss("pitch", 1000, 0.81, dict.fromkeys(models, INTERVAL)),
            ClassLoss("bar", 234, 0.19, dict.fromkeys(models, UNDEFINED)),
        ),
        by_piece=dict.fromkeys(models, (1.0, 2.0)),
    )


def tune_set(name, figures=TUNES, source="A Tune"):
    return TuneSet(name, 2, dict.fromkeys(figures, INTERVAL), (3, 12), source)


@pytest.fixture(scope="module")
def findings():
    return Findings(
        heading="Evaluation",
        facts={"model": "ours"},
        held_out=held_out("ours", "unigram"),
        sets=(tune_set("generated"), tune_set("held out (test)")),
        remarks=("a remark",),
    )


@pytest.fixture(scope="module")
def page(findings):
    return report_page(findings)


def test_figures_stand_in_the_page_with_their_intervals(page):
    assert '<b>1.500</b><span class="of">nats per token</span>' in page
    assert "[1.250, 1.750]" in page
    assert '0.250<span class="range">[0.200, 0.300]</span>' in page
    assert '150.0 %<span class="range">[125.0, 175.0]</span>' in page  # shares are in percent
    assert "The longest of generated tunes: 12 tokens, from “A Tune”." in page
    assert "a remark" in page


def test_every_figure_is_explained(page):
    for figure in (*LOSSES.values(), *TUNES.values()):
        assert f"<dt>{figure.label}</dt>" in page


def test_what_was_filled_in_is_shown_where_a_model_can(findings, page):
    assert "Infilling" not in page
    filled = FilledTune(0, 2, 1.0, 2.0, restored=False, well_formed=True)
    infilling = Infilling(4, 3, dict.fromkeys(INFILLING, INTERVAL), (filled,) * 7)
    page = report_page(replace(findings, infilling=infilling))
    assert "4 neighboring bars in a random place of each of 7 held-out tunes" in page
    assert "3 tunes that the constraint does not accept are left out" in page
    for figure in INFILLING.values():
        assert f"<dt>{figure.label}</dt>" in page


def test_a_figure_that_tunes_do_not_have_is_neither_shown_nor_explained(findings):
    without_bars = [name for name in TUNES if "bars" not in name]
    sets = (tune_set("generated", without_bars), tune_set("held out", without_bars))
    page = report_page(replace(findings, sets=sets))
    assert "right bars" not in page


def test_charts_are_pictures_that_parse(page):
    charts = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert len(charts) == 5
    for chart in charts:
        assert ElementTree.fromstring(base64.b64decode(chart)).tag.endswith("svg")


def test_the_page_loads_nothing_and_runs_nothing(page):
    assert "http:" not in page
    assert "https:" not in page
    assert "<script" not in page
    assert "<link" not in page
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in page
    assert all(address.startswith("data:") for address in re.findall(r'src="([^"]*)', page))


def test_names_cannot_become_markup(findings):
    nasty = Findings(
        heading=NASTY,
        facts={NASTY: NASTY},
        held_out=replace(
            held_out(NASTY, f"{NASTY}2"),
            split=NASTY,
            classes=(ClassLoss(NASTY, 3, 1.0, {NASTY: INTERVAL, f"{NASTY}2": INTERVAL}),),
        ),
        sets=(tune_set(NASTY, source=NASTY), tune_set(f"{NASTY}2")),
        remarks=(NASTY,),
    )
    page = report_page(nasty)
    assert "<script" not in page
    assert '"quotes"' not in page
    assert page.count("&lt;script&gt;") > 10


def test_the_same_findings_give_the_same_page(findings, page):
    assert report_page(findings) == page


def test_json_holds_all_figures_and_leaves_undefined_ones_out(findings, page, tmp_path):
    written = write_report(tmp_path, findings)
    table = json.loads((tmp_path / "report.json").read_text())
    assert written == tmp_path / "index.html"
    assert written.read_text() == page
    assert table["held_out"]["models"]["ours"]["perplexity"] == {
        "value": 1.5, "low": 1.25, "high": 1.75,
    }  # fmt: skip
    assert table["held_out"]["classes"][1]["nats"] == {}
    assert table["sets"][0]["runs"] == [3, 12]


def test_an_evaluation_without_baselines_has_a_page_too(findings):
    page = report_page(replace(findings, held_out=held_out("ours")))
    assert "ours" in page
    assert "unigram" not in page


def test_two_tunes_that_are_all_alike_can_be_drawn(findings):
    alike = replace(findings.held_out, by_piece={"ours": (1.0, 1.0), "unigram": (1.0, 1.0)})
    sets = tuple(replace(each, runs=(0, 0), copied_from=None) for each in findings.sets)
    assert "0 tokens." in report_page(replace(findings, held_out=alike, sets=sets))
