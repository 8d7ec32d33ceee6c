"""``training.html``: what the files of a run folder say, on one page."""

import json
import re

import pytest

from symbotunes.render.pages.training import plots_of
from symbotunes.training.page import best_of, commands_of, duration, write_training_page

TABLE = """step,seconds,train/loss,epoch,optim/learning_rate,optim/gradient_norm,\
speed/tokens_per_second,val/loss
10,1.5,4.0,0,0.003,2,10000,
20,3,3.5,0,0.002,1,11000,3.75
40,75.25,3,1,0.001,0.5,12000,3.25
"""


@pytest.fixture
def run(tmp_path):
    """A run folder with files of a training, in a folder whose name needs quotes."""
    folder = tmp_path / "it's <b>mine</b>"
    for name in ("checkpoints/best.ckpt", "checkpoints/last.ckpt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    for name in ("step_000000", "step_000020", "step_1000000", "best"):
        (folder / "samples" / name).mkdir(parents=True)
        (folder / "samples" / name / "index.html").touch()
    (folder / "samples" / "step_000030").mkdir()  # a panel that failed
    (folder / "metrics.csv").write_text(TABLE)
    best = {"metric": "val/loss", "quantity": "negative log-likelihood", "mode": "min"}
    record = {"status": "running", "name": "<i>mine</i>", "step": 20, "best": best}
    (folder / "run.json").write_text(json.dumps(record))
    return folder


def test_the_page_shows_state_curves_samples_and_commands(run):
    page = write_training_page(run, total=100, refresh_seconds=30).read_text()
    facts = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))
    assert facts["state"] == "running"
    assert facts["optimizer steps"] == "40 of 100"
    assert facts["best validation loss (nats per token)"] == "3.25 at step 40"
    assert facts["time"] == "1 min 15 s"
    titles = re.findall(r"<figcaption><b>(.*?)</b>", page)
    assert titles == [
        "Loss (nats per token)", "Learning rate", "Gradient norm, before clipping",
        "Tokens per second",
    ]  # fmt: skip
    assert "training from 4 at 10 to 3 at 40; validation from 3.75 at 20 to 3.25 at 40" in page
    assert re.findall(r'<li><a href="(.*?)">(.*?)</a>', page) == [
        ("samples/step_000000/index.html", "step 0"),
        ("samples/step_000020/index.html", "step 20"),
        ("samples/step_1000000/index.html", "step 1,000,000"),
        ("samples/best/index.html", "best checkpoint"),
    ]
    assert "<b>mine</b>" not in page
    assert "<i>mine</i>" not in page
    assert not re.search(r"https?:|<script|<link|@import|url\(", page)


def test_a_browser_loads_it_again_only_while_the_training_runs(run):
    refresh = '<meta http-equiv="refresh" content="30">'
    assert refresh in write_training_page(run, refresh_seconds=30).read_text()
    assert "refresh" not in write_training_page(run).read_text()


def test_a_folder_with_nothing_yet_has_a_page(tmp_path):
    page = write_training_page(tmp_path).read_text()
    assert "Nothing is logged yet" in page
    assert "None were drawn yet" in page


def test_the_best_value_is_that_of_the_monitored_metric_in_its_direction():
    rows = [
        {"step": "1", "val/accuracy": "0.25"},
        {"step": "2", "val/accuracy": "nan"},
        {"step": "3", "val/accuracy": "0.75"},
        {"step": "4", "val/accuracy": "0.75"},
        {"step": "5", "val/accuracy": ""},
        {"step": "6", "val/accuracy": "inf"},
    ]
    record = {"best": {"metric": "val/accuracy", "mode": "max"}}
    assert best_of(record, rows) == (0.75, 3)
    assert best_of({"best": {"metric": "val/accuracy", "mode": "min"}}, rows) == (0.25, 1)
    assert best_of({}, rows) is None


def test_training_and_validation_of_a_quantity_share_a_plot_and_parts_share_theirs():
    names = (
        "train/critic", "train/generator", "val/objective", "val/distance",
        "optim/learning_rate_critic", "optim/learning_rate_generator",
        "train/accuracy", "val/accuracy", "speed/mfu", "mine/own",
    )  # fmt: skip
    columns = {"step": [1.0], "seconds": [1.0]} | {name: [0.5] for name in names}
    plots = {plot.title: [line.curve.name for line in plot.lines]
             for plot in plots_of(columns, "val/distance")}  # fmt: skip
    assert next(iter(plots)) == "distance"
    assert plots["Learning rate"] == ["learning_rate_critic", "learning_rate_generator"]
    assert plots["accuracy"] == ["training", "validation"]
    assert plots["mine/own"] == ["own"]
    assert {"critic", "generator", "objective"} <= plots.keys()
    assert not {"mfu", "speed/mfu"} & plots.keys()


def test_a_diverged_training_has_a_page(run):
    text = TABLE + "50,80,inf,1,0.001,nan,12000,nan\n60,90,1e30,1,0.001,1e35,12000,\n"
    (run / "metrics.csv").write_text(text)
    page = write_training_page(run).read_text()
    assert "3.25 at step 40" in page
    assert not re.search(r"\b(nan|inf),|,(nan|inf)\b", page)  # among the points of curves


def test_commands_name_the_checkpoints_that_there_are(run):
    commands = commands_of(run)
    assert list(commands) == ["Sample", "Resume", "Train for longer"]
    assert "best.ckpt" in commands["Sample"]
    (run / "checkpoints" / "best.ckpt").unlink()
    assert "last.ckpt" in commands_of(run)["Sample"]
    (run / "checkpoints" / "last.ckpt").unlink()
    assert commands_of(run) == {}


def test_times_are_in_units_that_a_reader_thinks_in():
    assert [duration(seconds) for seconds in (4.6, 59.4, 125, 3600, 12_000)] == [
        "5 s", "59 s", "2 min 5 s", "1 h 0 min", "3 h 20 min",
    ]  # fmt: skip
