"""A run folder as an object."""

import csv
import json
import math
import sys
from types import SimpleNamespace

import pytest

import symbotunes
from symbotunes.errors import UserError

TABLE = """step,seconds,train/loss,optim/learning_rate,val/loss
10,1.5,4.0,0.003,
20,3,3.5,0.002,3.75
40,75.25,3,0.001,3.25
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run that is still going on, without samples or checkpoints."""
    monkeypatch.setitem(sys.modules, "pandas", None)  # as if it were not installed
    (tmp_path / "metrics.csv").write_text(TABLE)
    (tmp_path / "run.json").write_text(json.dumps({"name": "mine", "step": 40}))
    (tmp_path / "config.yaml").write_text("name: mine\nmodel:\n  net:\n    width: 16\n")
    return symbotunes.load_run(tmp_path)


def test_what_was_given_and_measured_is_there_while_it_trains(run):
    assert run.config.model.net.width == 16
    assert run.record["step"] == 40
    assert "'mine', 40 steps" in repr(run)
    assert list(run.metrics) == [
        "step", "seconds", "train/loss", "optim/learning_rate", "val/loss",
    ]  # fmt: skip
    assert run.metrics["seconds"] == [1.5, 3.0, 75.25]
    assert math.isnan(run.metrics["val/loss"][0])
    assert run.metrics["val/loss"][1:] == [3.75, 3.25]
    assert run.samples == []


def test_with_pandas_the_metrics_are_one_of_its_tables(run, monkeypatch):
    made = []
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=made.append))
    assert run.metrics is None
    assert made[0]["step"] == [10.0, 20.0, 40.0]


def test_rows_that_are_written_meanwhile_appear(run):
    with (run.folder / "metrics.csv").open("a") as file:
        file.write("50,90,2.5,0.0005,\n")
    assert run.metrics["train/loss"][-1] == 2.5


def numbers(picture, folder):
    return list(csv.reader(picture.save(folder / "plot.csv").read_text().splitlines()))


def test_a_plot_shows_training_and_validation_over_steps_or_time(run, tmp_path):
    assert numbers(run.plot(), tmp_path) == [
        ["optimizer steps", "series", "Loss (nats per token)"],
        ["10", "training", "4"], ["20", "training", "3.5"], ["40", "training", "3"],
        ["20", "validation", "3.75"], ["40", "validation", "3.25"],
    ]  # fmt: skip
    over_time = numbers(run.plot("val/loss", over="seconds"), tmp_path)
    assert over_time[1:] == [["3", "validation", "3.75"], ["75.25", "validation", "3.25"]]
    assert "<svg" in run.plot("learning_rate")._repr_svg_()


def test_several_runs_share_a_plot(run, tmp_path):
    rows = numbers(run.plot("val/loss", run), tmp_path)
    assert {row[1] for row in rows[1:]} == {"mine 1, validation", "mine 2, validation"}
    assert len(rows) == 5


@pytest.mark.parametrize(
    ("ask", "line"),
    [
        (lambda run: run.plot("los"), "no los is logged"),
        (lambda run: run.plot(over="hours"), "over=hours must be step or seconds"),
        (lambda run: run.model(), "has no checkpoint best; it has none"),
        (lambda run: run.plot().save("plot.bmp"), "must end in .svg or .csv"),
        (lambda run: symbotunes.load_run(run.folder / "a"), "is not the folder of a run"),
    ],
)
def test_what_is_not_there_is_said_in_a_line(run, ask, line):
    with pytest.raises(UserError, match=line):
        ask(run)


def test_a_damaged_config_is_named(run):
    (run.folder / "config.yaml").write_text("model: [")
    with pytest.raises(UserError, match=r"config.yaml cannot be read: "):
        _ = run.config


def test_a_finished_run_gives_its_model_and_its_samples_as_pieces(trained):
    run = symbotunes.load_run(trained)
    assert run.record["status"] == "finished"
    listed = json.loads((trained / "samples" / "best" / "samples.json").read_text())["samples"]
    pieces = run.samples
    assert [piece.seed for piece in pieces] == [entry["seed"] for entry in listed]
    assert pieces[0].midi_bytes().startswith(b"MThd")
    assert run.model().parameters == run.model("last").parameters == run.record["parameters"]
