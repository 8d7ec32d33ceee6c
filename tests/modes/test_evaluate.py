"""mode=evaluate from the command line, on a tiny trained network."""

import json
import math

import numpy as np
import pytest

from tests.conftest import TINY

pytestmark = pytest.mark.xdist_group("evaluate")  # one process makes its runs once

SMALL = [
    "evaluate.num_samples=6",
    "sample.max_tokens=40",
    "evaluate.resamples=50",
    "baselines=[1,3]",
]


@pytest.fixture(scope="module")
def trained(run_main, tmp_path_factory):
    """The folder of a tiny run that holds out ten pieces at least, of which intervals are given."""
    outputs = tmp_path_factory.mktemp("evaluated") / "outputs"
    more = ["loader.split.test=0.15", "loader.prepare_workers=0", "trainer.max_steps=12"]
    run_main(outputs, *TINY, *more, data=outputs.parent / "data")
    (folder,) = (outputs / "train").iterdir()
    return folder


@pytest.fixture(scope="module")
def evaluated(run_main, trained):
    """What was printed, and the folder of an evaluation of the tiny run."""
    outputs = trained.parents[1]
    result = run_main(outputs, "mode=evaluate", *SMALL, data=outputs.parent / "data")
    (folder,) = (outputs / "evaluate").iterdir()
    return result.stdout, folder


@pytest.fixture(scope="module")
def report(evaluated):
    return json.loads((evaluated[1] / "report.json").read_text())


def numbers(node):
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from numbers(each)
    elif isinstance(node, int | float):
        yield node


def test_the_report_holds_finite_figures_inside_their_intervals(report):
    assert all(math.isfinite(number) for number in numbers(report))
    for model in ("folk_rnn_small", "unigram", "trigram"):
        figures = report["held_out"]["models"][model]
        assert set(figures) == {"nats_per_token", "perplexity", "bits_per_note"}
        for figure in figures.values():
            assert figure["low"] <= figure["value"] <= figure["high"]
        nats = figures["nats_per_token"]["value"]
        assert figures["perplexity"]["value"] == pytest.approx(math.exp(nats))
        per_note = nats * report["held_out"]["tokens"] / report["held_out"]["notes"] / math.log(2)
        assert figures["bits_per_note"]["value"] == pytest.approx(per_note)


def test_distances_within_and_between_the_sets_are_told_by_feature(report, evaluated):
    distances = report["distances"]
    assert "note_count" in distances
    assert set(distances) <= set(report["meanings"])
    for feature in distances.values():
        assert feature["between"] > 0
        for name in ("generated", "held_out"):
            assert 0 <= feature[name]["area"] <= 1
            assert feature[name]["divergence"] >= 0
    assert "Distances between tunes" in (evaluated[1] / "index.html").read_text()


def test_classes_add_up_to_all_tokens_and_to_the_loss(report):
    held_out = report["held_out"]
    classes = held_out["classes"]
    assert {"meter", "key", "pitch", "duration", "bar", "end"} <= {one["name"] for one in classes}
    assert sum(one["tokens"] for one in classes) == held_out["tokens"]
    for model, figures in held_out["models"].items():
        total = sum(one["share"] * one["nats"][model]["value"] for one in classes)
        assert total == pytest.approx(figures["nats_per_token"]["value"])


def test_every_tune_opens_with_one_meter_and_one_key_and_ends_once(report):
    counts = {one["name"]: one["tokens"] for one in report["held_out"]["classes"]}
    assert counts["meter"] == counts["key"] == counts["end"] == report["held_out"]["pieces"]


def test_generated_and_held_out_tunes_are_measured_alike(report):
    generated, held_out = report["sets"]
    assert generated["tunes"] == 6
    assert set(generated["figures"]) == {*held_out["figures"], "finished"}
    assert held_out["figures"]["well_formed"]["value"] == 1.0
    for name in ("bleu_1", "bleu_4", "rouge_l"):
        assert 0 <= generated["figures"][name]["value"] <= 100
    assert max(generated["runs"]) <= 40


def quotient(rows, above, below):
    """Sum over sum, of the rows that have both."""
    rows = [row for row in rows if row[above] is not None and row[below] is not None]
    return sum(row[above] for row in rows) / sum(row[below] for row in rows)


def test_a_reader_of_the_report_computes_the_losses_from_its_raw_values(report):
    """By the formulas of docs/evaluation.md, with nothing of the program."""
    held_out = report["held_out"]
    raw = held_out["raw"]
    assert len(raw) == held_out["pieces"]
    tokens, notes = (sum(row[key] for row in raw) for key in ("tokens", "notes"))
    nats = {name: sum(row["nats"][name] for row in raw) for name in held_out["models"]}
    for name, figures in held_out["models"].items():
        expected = {
            "nats_per_token": nats[name] / tokens,
            "perplexity": math.exp(nats[name] / tokens),
            "bits_per_note": nats[name] / math.log(2) / notes,
        }
        assert {key: figure["value"] for key, figure in figures.items()} == pytest.approx(expected)
    for name, gain in held_out["gains"].items():
        assert gain["value"] == pytest.approx((nats[name] - nats["folk_rnn_small"]) / tokens)


def test_a_reader_of_the_report_computes_an_interval_from_its_raw_values(report):
    """Pieces are drawn anew with replacement; 50 draws there, and 2,000 others here."""
    raw = report["held_out"]["raw"]
    random = np.random.default_rng(987)
    rows = np.array([(row["nats"]["trigram"], row["tokens"]) for row in raw])
    sums = rows[random.integers(len(rows), size=(2000, len(rows)))].sum(1)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [0.025, 0.975])
    figure = report["held_out"]["models"]["trigram"]["nats_per_token"]
    assert (figure["low"], figure["high"]) == pytest.approx((low, high), abs=0.4 * (high - low))


def test_a_reader_of_the_report_computes_the_figures_of_tunes_from_their_raw_values(report):
    for tunes in report["sets"]:
        raw = tunes["raw"]
        assert len(raw) == tunes["tunes"]
        figures = {key: figure["value"] for key, figure in tunes["figures"].items()}
        barred = [row for row in raw if row["bars"]]
        matched, possible, (size, wanted) = (
            np.sum([row["bleu"][part] for row in raw], 0)
            for part in (slice(0, 4), slice(4, 8), slice(8, 10))
        )
        assert (matched[:2] > 0).all()  # else smoothing takes part
        expected = {
            "grammar_errors": quotient(raw, "grammar_errors", "grammar_tokens"),
            "well_formed": sum(row["grammar_errors"] == 0 for row in raw) / len(raw),
            "right_bars": quotient(raw, "right_bars", "bars"),
            "all_bars_right": sum(row["right_bars"] == row["bars"] for row in barred) / len(barred),
            "seen_ngrams": quotient(raw, "seen_ngrams", "ngrams"),
            "longest_copy": sum(row["longest_copy"] for row in raw) / len(raw),
            "copied_share": sum(row["longest_copy"] / row["tokens"] for row in raw) / len(raw),
            "originality": 1 - np.mean([row["copied_notes"] / row["notes"] for row in raw]),
            "bleu_2": 100
            * min(1, math.exp(1 - wanted / size))
            * math.sqrt(math.prod(matched[:2] / possible[:2])),
            "rouge_l": 100 * sum(row["rouge"][2] for row in raw) / len(raw),
        }
        if tunes["name"] == "generated":
            expected["finished"] = sum(row["finished"] for row in raw) / len(raw)
        for key, value in expected.items():
            assert figures[key] == pytest.approx(value), key


def test_the_page_stands_alone_and_the_console_shows_the_tables(evaluated):
    printed, folder = evaluated
    page = (folder / "index.html").read_text()
    assert "http:" not in page
    assert "https:" not in page
    for expected in ("unigram", "trigram", "pitch", "BLEU-4", "ROUGE-L", "longest copied run"):
        assert expected in page
        assert expected in printed
    assert str(folder / "index.html") in printed.replace("\n", "")


def test_the_corpus_is_taken_from_the_cache_of_the_training(evaluated, trained):
    caches = [path for path in (trained.parents[2] / "data" / "cache").iterdir() if path.is_dir()]
    assert len(caches) == 1


@pytest.mark.slow("evaluates once more with the program")
def test_other_tunes_are_read_with_the_checkpoints_vocabulary(run_main, trained, tmp_path):
    run_main(
        tmp_path / "outputs",
        "mode=evaluate",
        f"ckpt={trained / 'checkpoints' / 'best.ckpt'}",
        "dataset=folk",
        "dataset.collections=[miscFolk]",
        "sample.constraint=abc",
        *SMALL,
    )
    (folder,) = (tmp_path / "outputs" / "evaluate").iterdir()
    report = json.loads((folder / "report.json").read_text())
    assert report["remarks"][0].startswith("these are not the data that the checkpoint was trained")
    assert report["facts"]["constraint"] == "abc"  # which explains that all is well-formed


def test_what_the_checkpoint_fixes_is_refused_by_name(run_main, tmp_path):
    arguments = ["model=folk_rnn", "transforms=[abc_tokens]", "loader.min_tokens=1"]
    result = run_main(tmp_path, "mode=evaluate", *arguments, check=False)
    assert result.stderr == (
        f"error: {' '.join(arguments)}: an evaluation uses the model, transforms and loader of its "
        "checkpoint; choose another ckpt=PATH, or dataset=... for other tunes\n"
    )
    assert result.returncode == 2
