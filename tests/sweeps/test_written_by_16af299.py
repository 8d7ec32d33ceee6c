"""A sweep that an earlier version began is reported and resumed.

`tests/files/written_by_16af299/README.md` says how it was made: of its three jobs, job 0 finished,
job 1 was interrupted and holds the checkpoint to resume from, and job 2 had not begun.
"""

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch

from symbotunes.sweeps.report import write_sweep_report

WRITTEN = Path(__file__).parents[1] / "files" / "written_by_16af299" / "sweep"
COMMAND = [
    "--multirun",
    "trainer=cpu",
    "trainer.max_steps=200",
    "trainer.val_check_interval=4",
    "trainer.log_every_n_steps=1",
    "baselines=[]",
    "sample.num=1",
    "loader.split.val=0.2",
    "loader.split.test=0.1",
    "loader.prepare_workers=0",
    "~callbacks.panel",
    "model=folk_rnn",
    "model.net.width=8",
    "model.net.depth=1",
    "transforms=[abc_tokens]",
    "sample.max_tokens=40",
    "loader.batch_size=8",
    "dataset.collections=[nottingham-dataset,miscFolk]",
    "transforms.abc_tokens.min_count=1",
    "seed=1,2,3",
]


@pytest.fixture
def sweep(tmp_path):
    """A copy of the sweep below the outputs of a test, which its files name as if begun there."""
    folder = tmp_path / "outputs" / "multirun" / "begun"
    shutil.copytree(WRITTEN, folder)
    for path in folder.rglob("*.yaml"):
        path.write_text(path.read_text().replace("/home/musician", str(tmp_path)))
    for path in folder.rglob("*.ckpt"):
        content = torch.load(path, weights_only=True)
        recipe = content["recipe"]
        recipe["config"] = recipe["config"].replace("/home/musician", str(tmp_path))
        torch.save(content, path)
    return folder


def steps(job):
    with (job / "metrics.csv").open() as file:
        return [int(row["step"]) for row in csv.DictReader(file) if row["train/loss"]]


def test_a_sweep_of_an_earlier_version_is_reported(sweep):
    page = write_sweep_report(sweep).read_text()
    with (sweep / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["seed"], row["status"]) for row in rows] == [
        ("1", "finished"),
        ("2", "interrupted"),
    ]
    value = json.loads((sweep / "0" / "job.json").read_text())["value"]
    assert float(rows[0]["best"]) == value
    assert "1 of 2 jobs finished" in page


@pytest.mark.slow("trains two jobs for 200 steps, each in a process of its own")
def test_a_sweep_of_an_earlier_version_is_resumed(sweep, run_main):
    before = (sweep / "0" / "job.json").read_text()
    taken = steps(sweep / "1")
    outputs, home = sweep.parents[1:3]
    run_main(outputs, *COMMAND, f"sweep.resume={sweep}", data=home / "data")
    jobs = [json.loads((sweep / name / "job.json").read_text()) for name in "012"]
    assert (sweep / "0" / "job.json").read_text() == before
    assert [job["status"] for job in jobs] == ["finished"] * 3
    # That version counted from 0, and its signal came after the fifth step, before that step's row
    # was written; the sixth follows.
    assert taken == [0, 1, 2, 3]
    assert steps(sweep / "1") == [1, 2, 3, 4, *range(6, 201)]
    assert steps(sweep / "2") == list(range(1, 201))
    run = json.loads((sweep / "1" / "run.json").read_text())
    assert len(run["earlier"]) == 1  # it went on, and did not start anew
