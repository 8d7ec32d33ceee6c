"""The report of a sweep of any mode: what it says of its best job and of those that failed."""

import csv
import json

import pytest

from symbotunes.evaluation.metrics.losses import LOSSES
from symbotunes.sweeps.jobs import note
from symbotunes.sweeps.report import best_lines, write_sweep_report
from symbotunes.sweeps.results import figures_of

RESULTS = {  # by rate and seed
    ("1e-3", "1"): 2.0, ("1e-3", "2"): 2.2, ("1e-3", "3"): 2.4,
    ("3e-3", "1"): 1.5, ("3e-3", "2"): 1.7, ("3e-3", "3"): 1.9,
}  # fmt: skip


@pytest.fixture
def sweep(tmp_path):
    """Six jobs of a grid, then one that failed and one that failed alike."""
    folder = tmp_path / "a sweep"
    for number, ((rate, seed), loss) in enumerate(RESULTS.items()):
        job = folder / str(number)
        (job / "checkpoints").mkdir(parents=True)
        (job / "checkpoints" / "best.ckpt").touch()
        (job / "checkpoints" / "last.ckpt").touch()
        note(job, status="finished", overrides=[f"model.optimizer.lr={rate}", f"seed={seed}"])
        best = {"metric": "val/loss", "value": loss, "step": 20, "mode": "min"}
        (job / "run.json").write_text(json.dumps({"best": best, "tokens_per_second": 100.0}))
        rows = f"step,seconds,val/loss\n10,1,{loss + 1}\n20,2,{loss}\n"
        (job / "metrics.csv").write_text(rows)
        (job / "training.html").touch()
    for number in (6, 7):
        note(folder / str(number), status="failed", overrides=["model.optimizer.lr=7", "seed=1"])
        (folder / str(number) / "error.txt").write_text("Error: too <large>\n")
    return folder


def test_the_best_job_is_named_with_its_folder_and_the_commands_to_go_on(sweep):
    lines = best_lines(sweep)
    assert "Best job" in lines
    assert "3: val/loss (nats per token) 1.5 at step 20" in lines
    assert "model.optimizer.lr=3e-3 seed=1" in lines
    assert str(sweep / "3") in lines
    page = write_sweep_report(sweep).read_text()
    assert "Best job: 3" in page
    for name in ("best.ckpt", "last.ckpt"):
        assert f"{sweep}/3/checkpoints/{name}" in page.replace("&#39;", "'")


def test_jobs_that_failed_alike_are_told_together(sweep):
    page = write_sweep_report(sweep).read_text()
    assert "jobs 6, 7 failed: Error: too &lt;large&gt;" in page
    assert "6 of 8 jobs finished" in page


def test_means_over_seeds_and_shares_stand_on_the_page(sweep):
    page = write_sweep_report(sweep).read_text()
    # 1.7 +- 4.303 x 0.2 / sqrt(3), by a printed table of Student's t.
    assert "<td>1.7000<span" in page
    assert "[1.2031, 2.1969]" in page
    # Rates are 0.25 from the mean; of each seed's distance 0.2, 0, 0.2 the mean square is 0.0267.
    rate, seed = 0.25**2, (0.2**2 + 0 + 0.2**2) / 3
    assert f"<td>{100 * rate / (rate + seed):.1f} %</td><td>20.0 %</td>" in page
    assert f"<td>{100 * seed / (rate + seed):.1f} %</td><td>40.0 %</td>" in page
    assert "interactions of settings</th><td>0.0 %" in page


def test_a_table_has_every_job_and_its_folder(sweep):
    write_sweep_report(sweep)
    with (sweep / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["folder"] for row in rows] == [str(sweep / str(number)) for number in range(8)]
    assert [row["best"] for row in rows[:2]] == ["2.0", "2.2"]


def test_a_metric_of_which_more_is_better_is_ranked_that_way(sweep):
    for number in range(6):
        path = sweep / str(number) / "run.json"
        record = json.loads(path.read_text())
        record["best"] |= {"metric": "val/accuracy", "mode": "max", "quantity": "val/accuracy"}
        path.write_text(json.dumps(record))
    assert "2: val/accuracy 2.4 at step 20" in best_lines(sweep)
    page = write_sweep_report(sweep).read_text()
    assert "nats" not in page


def test_a_sweep_of_evaluations_has_their_figures_as_columns(tmp_path):
    for number, nats in enumerate((1.25, 1.5)):
        job = tmp_path / str(number)
        note(job, status="finished", overrides=[f"ckpt={number}.ckpt"], value=None)
        (job / "index.html").touch()
        intervals = {"value": nats, "low": 1.0, "high": 2.0}
        report = {
            "held_out": {"models": {"ours": {"nats_per_token": intervals},
                                    "unigram": {"nats_per_token": {**intervals, "value": 9.0}}}},
            "meanings": {"nats_per_token": LOSSES["nats_per_token"].as_dict()},
        }  # fmt: skip
        (job / "report.json").write_text(json.dumps(report))
    page = write_sweep_report(tmp_path).read_text()
    label = LOSSES["nats_per_token"].label
    assert f'<th scope="col">{label}</th>' in page
    assert "<td>1.250</td>" in page
    assert "9.000" not in page
    assert 'href="1/index.html"' in page
    assert best_lines(tmp_path) == ""
    with (tmp_path / "sweep.csv").open() as file:
        assert [row[label] for row in csv.DictReader(file)] == ["1.250", "1.500"]


def test_a_sweep_of_samples_links_their_pages(tmp_path):
    job = tmp_path / "0"
    note(job, status="finished", overrides=["sample.temperature=0.8"], value=None)
    (job / "index.html").touch()
    (job / "samples.json").write_text("{}")
    page = write_sweep_report(tmp_path).read_text()
    assert '<a href="0/index.html">listen</a>' in page


@pytest.mark.parametrize("report", [{}, {"meanings": 3}, {"meanings": {"a": 1}, "a": {"value": 1}}])
def test_reports_of_another_form_have_no_figures(report):
    assert figures_of(report) == {}


def test_the_page_of_a_killed_job_no_longer_follows_it(sweep):
    job = sweep / "0"
    note(job, status="killed", reason="signal 9")
    (job / "training.html").write_text('<meta http-equiv="refresh" content="30">')
    page = write_sweep_report(sweep).read_text()
    assert "job 0 killed (signal 9)" in page
    content = (job / "training.html").read_text()
    assert "<polyline" in content
    assert "refresh" not in content


def test_jobs_with_nothing_yet_are_reported(tmp_path):
    (tmp_path / "0").mkdir()
    page = write_sweep_report(tmp_path).read_text()
    assert "0 of 1 jobs finished" in page
    assert "Best job" not in page
