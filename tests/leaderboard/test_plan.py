"""Rows of a leaderboard, from their files to the page."""

import json

import pytest

from symbotunes.errors import UserError
from symbotunes.leaderboard.plan import Benchmark, read_row
from symbotunes.leaderboard.results import environment, read_result, result_file, write_result
from symbotunes.leaderboard.trainings import figures_of
from symbotunes.paths import CONF
from symbotunes.render.pages.leaderboard import Line, leaderboard_page, pooled

TRAINING = (
    "about: small\nwords: [model=folk_rnn_small, trainer.max_steps=20]\nseeds: [1]\nminutes: 15\n"
)


@pytest.fixture
def board(tmp_path):
    folder = tmp_path / "folk"
    folder.mkdir()
    (folder / "unigram.yaml").write_text("about: counts\norder: 1\n")
    (folder / "small.yaml").write_text(TRAINING)
    return Benchmark("folk", ["dataset=folk"], None, [], folder=str(tmp_path))


def figure(value, low=None, high=None):
    return {"value": value, "low": low, "high": high}


def test_rows_are_read_with_the_ngram_models_first(board):
    unigram, small = board.all_rows()
    assert (unigram.name, unigram.order, unigram.seeds) == ("unigram", 1, ())
    assert (small.name, small.order, list(small.seeds), small.minutes) == ("small", None, [1], 15)
    assert list(small.words) == ["model=folk_rnn_small", "trainer.max_steps=20"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("about: nothing\n", "give either order or words"),
        ("about: both\norder: 1\nwords: [a=1]\nseeds: [1]\n", "give either order or words"),
        ("about: no seed\nwords: [a=1]\n", "a training needs seeds"),
        ("about: x\norder: 1\ncolor: red\n", "a row has about"),
        ("- a list\n", "a row has about"),
        ("about: [\n", "cannot be read as YAML"),
    ],
)
def test_a_file_that_is_no_row_is_refused_in_one_line(tmp_path, content, reason):
    file = tmp_path / "row.yaml"
    file.write_text(content)
    with pytest.raises(UserError, match=reason) as error:
        read_row(file)
    assert "\n" not in str(error.value)


def test_a_name_that_is_no_row_is_refused_with_the_nearest(board):
    wrong = Benchmark("folk", [], None, [], folder=board.folder, rows=["unigran"])
    with pytest.raises(UserError, match="there is no unigran; did you mean unigram"):
        wrong.chosen_rows()


def test_a_result_holds_its_command_and_environment_and_is_read_again(board):
    unigram, _ = board.all_rows()
    assert read_result(result_file(board, unigram)) is None
    runs = [{"seed": None, "figures": {"bits_per_note": figure(3.5, float("nan"), 3.6)}}]
    file = write_result(board, unigram, content="abc", measured_by=environment(), runs=runs)
    result = read_result(file)
    assert result["command"] == (
        "python main.py mode=benchmark benchmark=folk 'benchmark.rows=[unigram]'"
    )
    assert result["data"] == "abc"
    assert set(result["environment"]) >= {"versions", "git", "processor", "device"}
    assert result["runs"][0]["figures"]["bits_per_note"] == figure(3.5, None, 3.6)
    file.write_text("{}")
    with pytest.raises(UserError, match="is not a result of mode=benchmark"):
        read_result(file)


def test_figures_come_from_the_report_of_an_evaluation():
    report = {
        "held_out": {
            "models": {
                "mine": {"nats_per_token": figure(1.0), "bits_per_note": figure(2.0)},
                "5-gram": {"nats_per_token": figure(1.7), "bits_per_note": figure(3.0)},
            }
        },
        "sets": [
            {"figures": {"well_formed": figure(0.8), "seen_ngrams": figure(0.3)}},
            {"figures": {"well_formed": figure(1.0), "seen_ngrams": figure(0.5)}},
        ],
    }
    assert figures_of(report) == {
        "nats_per_token": figure(1.0),
        "bits_per_note": figure(2.0),
        "well_formed": figure(0.8),
        "seen_ngrams": figure(0.3),
        "human_well_formed": figure(1.0),
        "human_seen_ngrams": figure(0.5),
    }
    with pytest.raises(UserError, match="sequence models alone"):
        figures_of({"reconstruction": {}})


def test_several_seeds_are_shown_as_their_mean_within_the_widest_interval():
    assert pooled([figure(1.0, 0.9, 1.2), figure(2.0, 1.8, 2.1), None]) == figure(1.5, 0.9, 2.1)
    assert pooled([figure(1.0, 0.9, 1.2), figure(2.0)]) == figure(1.5)
    assert pooled([None]) is None


def test_the_page_puts_the_best_row_first_and_those_that_are_not_measured_last():
    def result(bits):
        run = {
            "seed": 1, "steps": 20, "seconds": 90.0, "pieces": 7, "tokens": 989, "notes": 1218,
            "figures": {
                "bits_per_note": figure(bits, bits - 0.1, bits + 0.1),
                "human_seen_ngrams": figure(0.46, 0.44, 0.48),
            },
        }  # fmt: skip
        return {"data": "abc", "environment": {"processor": "A CPU"}, "runs": [run]}

    page = leaderboard_page(
        {
            "folk": [
                Line("later", "a model", 15, None),
                Line("worse", "a|b", None, result(3.5)),
                Line("better", "a model", 15, result(2.25)),
            ]
        }
    )
    rows = [line for line in page.splitlines() if line.startswith(("| later", "| worse", "| bett"))]
    assert rows == [
        "| better | a model | 2.250 (2.150 to 2.350) |  |  |  |  | 20 | 1.5 | 1 |",
        "| worse | a\\|b | 3.500 (3.400 to 3.600) |  |  |  |  | 20 | 1.5 | 1 |",
        "| later | a model | not measured |  |  |  |  |  |  |  |",
    ]
    assert "SHA-256 `abc`" in page
    assert "Measured on A CPU." in page
    assert "46 % (44 % to 48 %) occur in a training tune" in page


@pytest.mark.parametrize("name", ["folk", "chorales", "pop909"])
def test_the_page_in_the_docs_is_written_from_the_results(name):
    root = CONF.parent
    benchmark = Benchmark(name, [], None, [], folder=str(root / "docs" / "leaderboard"))
    page = (root / "docs" / "leaderboard.md").read_text()
    rows = benchmark.all_rows()
    assert {"unigram", "5-gram"} < {row.name for row in rows}
    for row in rows:
        result = read_result(result_file(benchmark, row))
        shown = "not measured"
        if result is not None:
            values = [run["figures"]["bits_per_note"]["value"] for run in result["runs"]]
            shown = f"{sum(values) / len(values):.3f}"
            assert json.loads(json.dumps(result["row"]["words"])) == list(row.words)
        assert f"| {row.name} | {row.about} | {shown}" in page


def test_the_page_in_the_docs_is_what_the_command_writes(run_main, tmp_path):
    page = tmp_path / "page.md"
    run_main(tmp_path, "mode=benchmark", "benchmark.rows=[]", f"benchmark.page={page}")
    assert page.read_text() == (CONF.parent / "docs" / "leaderboard.md").read_text()
