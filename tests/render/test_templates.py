"""Every page is made of templates that escape what they are given and load nothing."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import jinja2
import pytest

from symbotunes.evaluation.comparison.findings import (
    Bound,
    Column,
    Comparison,
    Continuation,
    Reference,
    general,
    musical,
)
from symbotunes.evaluation.comparison.verdict import Difference
from symbotunes.evaluation.latent.findings import LatentFindings, Notes, Path, Reconstruction
from symbotunes.evaluation.listening.design import HeardPiece, designed
from symbotunes.evaluation.listening.questions import NAMES as QUESTIONS
from symbotunes.evaluation.listening.ratings import Key, Listener, Rating
from symbotunes.evaluation.listening.results import measure
from symbotunes.evaluation.metrics.bootstrap import Bootstrap, Interval
from symbotunes.evaluation.metrics.losses import LOSSES
from symbotunes.evaluation.metrics.musical import HISTOGRAMS, MUSICAL
from symbotunes.evaluation.metrics.reconstruction import ACCURACIES, COSTS
from symbotunes.evaluation.metrics.set_distances import Likeness, SetDistances
from symbotunes.evaluation.metrics.tunes import TUNES
from symbotunes.evaluation.metrics.windows import WINDOWS
from symbotunes.evaluation.sequences.findings import ClassLoss, Findings, HeldOut, TuneSet
from symbotunes.evaluation.windows.findings import WindowFindings, WindowSet
from symbotunes.render.gallery import write_gallery
from symbotunes.render.pages.comparison import comparison_page
from symbotunes.render.pages.latent import latent_report_page
from symbotunes.render.pages.listening_results import results_page
from symbotunes.render.pages.listening_test import listening_test_page
from symbotunes.render.pages.sequences import report_page
from symbotunes.render.pages.sweep import SweepState, sweep_page
from symbotunes.render.pages.sweep_rows import JobCurve, Row
from symbotunes.render.pages.training import TrainingState, training_page
from symbotunes.render.pages.windows import window_report_page
from symbotunes.render.tables import Table
from symbotunes.render.templates import environment, render

EVIL = "<script>alert(1)</script><b onload='x'> \" & {{ 7 * 6 }} {% raw %}"
INTERVAL = Interval(0.5, 0.25, 0.75)


def sequences(text, **_):
    models = (f"ours {text}", f"unigram {text}")
    held_out = HeldOut(
        split=f"test {text}",
        pieces=2,
        families=2,
        tokens=1234,
        notes=400,
        models={name: dict.fromkeys(LOSSES, INTERVAL) for name in models},
        gains={models[1]: INTERVAL},
        classes=(ClassLoss(f"pitch {text}", 1000, 1.0, dict.fromkeys(models, INTERVAL)),),
        by_piece=dict.fromkeys(models, (1.0, 2.0)),
    )
    sets = tuple(
        TuneSet(f"{name} {text}", 2, dict.fromkeys(TUNES, INTERVAL), (3, 12), f"Tune {text}")
        for name in ("generated", "held out")
    )
    likeness = Likeness(1.0, 0.5, 2.0, 0.1)
    distances = {"pitch_count": SetDistances(1.5, likeness, likeness)}
    facts = {f"fact {text}": f"value {text}"}
    page = report_page(
        Findings(f"Evaluation {text}", facts, held_out, sets, (text,), None, distances)
    )
    assert "Distances between tunes" in page
    return page


def latent(text, **_):
    rewritten = Reconstruction(
        split=f"val {text}",
        windows=8,
        pieces=4,
        families=3,
        accuracies={f"melody {text}": dict.fromkeys(ACCURACIES, INTERVAL)},
        costs=dict.fromkeys(COSTS, INTERVAL),
        active=3,
        latent=16,
    )
    path = Path(2, (0.0, 1.0), {f"latent {text}": (INTERVAL, INTERVAL)})
    prior = (Notes(f"pitch {text}", {f"prior {text}": INTERVAL}, {f"prior {text}": (60, 62)}),)
    return latent_report_page(
        LatentFindings(f"Evaluation {text}", {text: text}, rewritten, path, prior, 5, (text,))
    )


def windows(text, **_):
    sets = tuple(
        WindowSet(f"{name} {text}", 8, dict.fromkeys(WINDOWS, INTERVAL))
        for name in ("generated", "held out")
    )
    prior = (Notes(f"pitch {text}", {f"prior {text}": INTERVAL}, {f"prior {text}": (60, 62)}),)
    return window_report_page(
        WindowFindings(f"Evaluation {text}", {f"fact {text}": text}, sets, prior, (text,))
    )


def comparison(text, make_sample, **_):
    values = dict.fromkeys(HISTOGRAMS, (1, 2, 2))
    figures = dict.fromkeys(general() | musical(), INTERVAL)
    continued = (
        Continuation(f"M:6/8 {text}", make_sample(title=text, notes=(text,))),
        Continuation(f"M:4/4 {text}", make_sample(title=text, abc=None)),
        Continuation("K:G", reason=f"because {text}"),
    )
    columns = (
        Column(f"folk {text}", "a.ckpt", "data", 99, figures, values, {"finished": text}, (text,),
               continued, bound=Bound({"bits_per_note": INTERVAL}, 30, 12, 345)),
        Column(f"broken {text}", "b.ckpt", failure=f"no checkpoint {text}"),
    )  # fmt: skip
    measured = dict.fromkeys(MUSICAL, INTERVAL)
    reference = Reference("data", f"test {text}", 3, 2, 40, measured, values)
    difference = Difference(f"folk {text}", f"other {text}", INTERVAL, 12)
    return comparison_page(Comparison({text: text}, columns, (reference,), (text,), (difference,)))


def sweep(text, **_):
    rows = [
        Row(
            number=number, status=text, metric=f"metric {text}", best=1.0 + number, step=10,
            settings={f"key {text}": f"{number} {text}", text: str(number)},
            tokens_per_second=100.0, peak_gib=0.5, samples=f"0/{text}.html", error=text,
            page=f"0/{text}", figures={text: text},
            curve=JobCurve([1.0, 2.0], [1.0, 2.0], [3.0, 2.0]),
        )
        for number in range(2)
    ]  # fmt: skip
    table = Table([text], [[text]])
    state = SweepState(
        keys=[f"key {text}", text], rows=rows, facts={text: text}, remarks=[text],
        best_facts={text: text}, commands={text: text}, shares=table, shares_lead=text,
        seeds=table, seeds_lead=text,
    )  # fmt: skip
    return sweep_page(state)


def listening(text, make_sample, make_score, folder):
    samples = [
        make_sample(title=f"Tune {text}", abc=f"X:1\nT:{text}\nK:C\nC|\n", notes=(text,)),
        make_sample("sample_02", title=text, abc=f"no music {text}"),
    ]
    strip = [(text, make_score([60]))]
    page = write_gallery(folder, samples, heading=text, facts={text: text}, strip=strip)
    return page.read_text()


def training(text, **_):
    state = TrainingState(
        heading=text,
        facts={text: text},
        remarks=[text],
        columns={"step": [1.0, 2.0], f"train/{text}": [3.0, 2.0], f"mine/{text}": [1.0, 1.0]},
        monitor=text,
        panels=[(text, f"samples/{text}")],
        commands={text: text},
        written=text,
        refresh_seconds=30,
    )
    return training_page(state)


def listening_results(text, **_):
    sources = (f"folk {text}", f"held-out {text}")
    pieces = {f"{name}{r}": (name, r) for name in sources for r in range(2)}
    key = Key("00000000", sources, pieces)
    answers = dict.fromkeys(QUESTIONS, 3)
    heard = tuple(Rating(name, answers, 9.0) for name in pieces)
    results = measure(key, [Listener("00000000", heard)], Bootstrap(2))
    return results_page(results, {text: text}, [f"skipped {text}", text])


PAGES = {
    "training": training,
    "sequences": sequences,
    "latent": latent,
    "windows": windows,
    "comparison": comparison,
    "sweep": sweep,
    "listening": listening,
    "listening results": listening_results,
}


MADE = {}  # by page and text: a page with charts takes most of a second
together = pytest.mark.xdist_group("templates")  # one process makes each page once


class Markup(HTMLParser):
    """The tags of a page, and the attributes of each."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.names = [], []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.names.append(sorted(name for name, _ in attributes))


@pytest.fixture(params=PAGES)
def page_of(request, make_sample, make_score, tmp_path):
    def make(text):
        key = request.param, text
        if key not in MADE:
            MADE[key] = PAGES[request.param](
                text, make_sample=make_sample, make_score=make_score, folder=tmp_path
            )
        return MADE[key]

    return make


@together
def test_text_that_looks_like_markup_adds_none_to_a_page(page_of):
    evil = page_of(EVIL)
    plain, attacked = Markup(page_of("plain")), Markup(evil)
    assert attacked.tags == plain.tags
    assert attacked.names == plain.names
    assert evil.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 5


@together
def test_text_that_looks_like_a_template_is_shown_as_it_is(page_of):
    evil = page_of(EVIL)
    assert "{{ 7 * 6 }} {% raw %}" in evil
    assert "&amp; 42" not in evil


@together
def test_a_page_is_one_file_that_loads_nothing(page_of):
    page = page_of("plain")
    assert "default-src 'none'; img-src data:;" in page
    assert not re.search(r"https?:|<link|@import|url\(", page)
    addresses = re.findall(r'\s(?:src|href)="([^"]*)"', page)
    # 0/ is a job of a sweep, samples/ are the panels of a training.
    assert all(re.match(r"data:|#|0/|samples/", address) for address in addresses)


def test_the_page_of_a_listening_test_holds_no_word_of_its_sources(make_score):
    pieces = [HeardPiece(source, 0, make_score([60])) for source in (EVIL, "held-out music")]
    how = {"rounds_heard": 1, "seconds": 1, "prompt_bars": 4, "facts": {EVIL: EVIL}}
    page = listening_test_page(designed(pieces, 0, **how))
    assert not [word for word in ("alert(1)", "held-out", "{% raw", "7 * 6") if word in page]
    assert "default-src 'none'; img-src data:; media-src data:; script-src 'sha256-" in page
    assert not re.search(r"https?:|<link|@import|url\(", page)


def test_a_model_without_a_likelihood_has_no_chart_of_likelihoods_beside_it():
    values = dict.fromkeys(HISTOGRAMS, (1, 2, 2))
    figures = dict.fromkeys(musical(), INTERVAL)
    reasons = {"bits_per_note": "it has no likelihood"}
    column = Column("gan", "a.ckpt", "data", 99, figures, values, reasons)
    reference = Reference("data", "test", 3, 2, 40, dict.fromkeys(MUSICAL, INTERVAL), values)
    page = comparison_page(Comparison({}, (column, column), (reference,)))
    assert "of every model" not in page
    assert page.count("it has no likelihood") == 2  # one cell of each column


def test_bounds_stand_in_a_table_of_their_own_with_the_notes_that_they_cover(make_sample):
    page = comparison("plain", make_sample)
    likelihoods, _, bounds = page.partition("Upper bounds of models of windows")
    table = bounds.partition("</table>")[0]
    assert "bits per note, at most" in table
    cells = re.findall(r"<t[hd][^>]*>([^<]*)", table.partition("</thead>")[2])
    assert [cell for cell in cells if cell] == ["folk plain", "0.50", "30", "12", "345"]
    assert "folk plain is better than other plain: 0.50 fewer bits per note" in likelihoods


def test_a_sample_without_a_likelihood_has_no_line_of_it(make_sample, tmp_path):
    silent = make_sample(nll_nats=None)
    known = make_sample("sample_02", nll_nats=45.0)
    page = write_gallery(tmp_path, [silent, known], heading="h", facts={}).read_text()
    first, second = page.split('<article class="card"')[1:]
    assert "nats per token" not in first.partition("</article>")[0]
    assert "nats per token" in second.partition("</article>")[0]


def test_a_variable_that_was_not_given_is_an_error():
    with pytest.raises(jinja2.UndefinedError, match="'heading' is undefined"):
        render("sweep.html", styles=[])


def test_every_template_compiles():
    names = environment().list_templates(extensions=["html"])
    assert "base.html" in names
    for name in names:
        environment().get_template(name)


def test_the_pages_modules_load_neither_torch_nor_jinja2():
    modules = ["comparison", "latent", "listening", "report", "sequences", "sweep"]
    modules += ["training", "windows", "listening_results"]
    loads = ", ".join(f"symbotunes.render.pages.{name}" for name in modules)
    loads += ", symbotunes.render.gallery"
    program = f"import sys, {loads}; sys.exit(bool({{'torch', 'jinja2'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
