"""A metric is one function with its figure: whatever shows figures shows it, with no other edit."""

import io
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from symbotunes.data.cache.encoded import Encoded
from symbotunes.data.split import SPLITS
from symbotunes.evaluation.comparison.findings import Comparison
from symbotunes.evaluation.comparison.measuring import (
    ComparisonPlan,
    Contender,
    measure_contender,
)
from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.evaluation.metrics.figure import Figure, Inapplicable, Metrics, share
from symbotunes.evaluation.metrics.losses import LOSSES
from symbotunes.evaluation.metrics.musical import MUSICAL
from symbotunes.evaluation.metrics.tunes import TUNES
from symbotunes.evaluation.plan import EvaluationPlan
from symbotunes.evaluation.sequences.findings import Findings
from symbotunes.evaluation.sequences.measuring import Subject, measure_held_out, measure_tunes
from symbotunes.generation.sequences import Generated
from symbotunes.generation.sequences.plan import SamplePlan
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.render.console import findings_tables
from symbotunes.render.pages.comparison import write_comparison
from symbotunes.render.pages.sequences import write_report
from symbotunes.tokenizers.abc import AbcTokens
from symbotunes.training.loggers.tables import language_row

PLAN = EvaluationPlan(
    num_samples=2, split="test", references=1, ngram=2, resamples=10, confidence=0.9, device="cpu"
)
SAMPLING = SamplePlan(num=2, temperature=1.0, top_k=0, top_p=1.0, max_tokens=20)
TEXTS = [
    ("train", "M:4/4 K:Cmaj C 2 D 2 E 2 F 2 | G 8 |"),
    ("test", "M:4/4 K:Cmaj C 2 D 2 E 2 F 2 |"),
    ("test", "M:4/4 K:Cmaj G 8 | C 8 |"),
]


@pytest.fixture
def subject(tmp_path):
    tokenizer = AbcTokens()
    tunes = [text.split() for _, text in TEXTS]
    tokenizer.fit(Counter(token for tune in tunes for token in tune))
    ids = [tokenizer.encode(tune) for tune in tunes]
    (tmp_path / "names.txt").write_text("0\ta tune\n1\ta tune\n2\ta tune\n")
    encoded = Encoded(
        folder=tmp_path,
        about={"fingerprint": "x"},
        shards=(np.concatenate(ids),),
        starts=np.cumsum([0, *map(len, ids)]),
        splits=np.array([SPLITS.index(split) for split, _ in TEXTS], np.uint8),
        owners=np.arange(len(TEXTS), dtype=np.int32),
        relatives=np.arange(len(TEXTS), dtype=np.int32),
    )
    torch.manual_seed(0)
    net = FolkRNN(tokenizer.vocabulary, width=4, depth=1).eval()
    return Subject("folk", net, tokenizer, encoded)


@pytest.fixture
def registered(monkeypatch):
    """A new metric of tunes, of likelihoods and of music, by key."""
    for metrics in (TUNES, LOSSES, MUSICAL):
        monkeypatch.setattr(metrics, "entries", dict(metrics.entries))

    @TUNES.register(Figure("length", "length of a tune", "Tokens.", "closer", "tokens", 2))
    def _(tunes):
        return tunes.bootstrap.mean([len(ids) for ids in tunes.ids])

    @LOSSES.register(share("silence", "silent pieces", "Pieces without a note.", "lower"))
    def _(found):
        return found.bootstrap.mean(found.notes == 0)

    @MUSICAL.register(Figure("highest", "highest pitch", "Of all.", "closer", source="Me 1999"))
    def _(notes):
        return float(notes.pitches.max(initial=0))


def test_a_new_metric_is_in_everything_that_an_evaluation_makes(registered, subject, tmp_path):
    ids = [subject.tokenizer.encode(text.split()) for _, text in TEXTS]
    drawn = [Generated(each, 0, 1.0, len(each), True) for each in (ids[0], ids[2])]
    held_out = measure_held_out(subject, PLAN, [1], seed=0)
    sets = measure_tunes(subject, drawn, PLAN, seed=0)
    findings = Findings("Evaluation", {}, held_out, sets)

    page = write_report(tmp_path, findings).read_text()
    report = json.loads((tmp_path / "report.json").read_text())
    mean = (14 + 8) / 2  # words of the two tunes
    assert report["sets"][0]["figures"]["length"]["value"] == mean
    assert report["held_out"]["models"]["folk"]["silence"]["value"] == 0
    assert report["meanings"]["length"]["unit"] == "tokens"

    for label in ("length of a tune", "silent pieces"):
        assert f"<dt>{label}</dt>" in page
        assert page.count(label) > 1
    assert "11.00</td>" in page  # of two tunes, no interval is given

    console = Console(file=io.StringIO(), width=200)
    for table in findings_tables(findings):
        console.print(table)
    printed = " ".join(console.file.getvalue().split())
    assert "length of a tune │ 11.00 │" in printed
    assert "silent pieces" in printed

    row = language_row(findings)
    assert row["evaluation/length"] == mean
    assert row["evaluation/silence"] == 0
    rows = row["evaluation/tunes"].data
    assert ["generated", "length of a tune", mean] in [each[:3] for each in rows]


def test_a_new_metric_is_in_a_comparison(registered, subject, tmp_path):
    one = Contender(
        "folk", Path("a.ckpt"), subject.net, subject.tokenizer, subject.encoded, "test", seed=0
    )
    compared = ComparisonPlan(["a.ckpt", "b.ckpt"], prompts=[])
    column, reference = measure_contender(
        subject.net, one, plan=PLAN, sampling=SAMPLING, compared=compared
    )
    comparison = Comparison({}, (column, replace(column, name="twin")), (reference,))
    page = write_comparison(tmp_path, comparison).read_text()
    content = json.loads((tmp_path / "compare.json").read_text())
    assert {"length", "silence", "highest"} <= set(content["models"][0]["figures"])
    # The test tunes have 11 and 8 words, and G is the highest note of one, F of the other.
    assert content["references"][0]["figures"]["length"]["value"] == (11 + 8) / 2
    assert content["references"][0]["figures"]["highest"]["value"] == (67 + 65) / 2
    for label in ("length of a tune", "silent pieces", "highest pitch"):
        assert f'<th scope="row">{label}</th>' in page
    assert "<cite>Me 1999</cite>" in page


def test_a_figure_that_is_not_compared_stays_out_of_comparisons():
    assert "perplexity" in LOSSES
    assert "perplexity" not in LOSSES.compared


def test_a_figure_that_does_not_apply_leaves_its_reason():
    metrics = Metrics()

    @metrics.register(Figure("one", "one", "One.", "higher"))
    def _(number):
        return number

    @metrics.register(Figure("none", "none", "None.", "higher"))
    def _(number):
        raise Inapplicable("numbers have none")

    assert metrics.measure(1) == ({"one": 1}, {"none": "numbers have none"})


def test_two_figures_cannot_share_a_key():
    metrics = Metrics()
    metrics.register(Figure("one", "one", "One.", "higher"))(abs)
    with pytest.raises(ValueError, match="there is a figure 'one' already"):
        metrics.register(Figure("one", "another", "Another.", "lower"))


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        (Figure("a", "a", "A.", "lower", decimals=2), ("1,234.50", "[0.25, 2,000.00]")),
        (share("b", "b", "B.", "higher"), ("123,450.0 %", "[25.0, 200,000.0]")),
    ],
)
def test_a_value_is_shown_with_its_digits_and_its_unit(figure, shown):
    assert figure.show(Interval(1234.5, 0.25, 2000)) == shown
