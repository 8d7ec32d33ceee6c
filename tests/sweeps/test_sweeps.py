"""--multirun: every job in a process of its own, from its frozen config."""

import csv
import json
import math

import pytest
import torch
from omegaconf import OmegaConf

from symbotunes.sweeps import hooks
from symbotunes.sweeps.jobs import note, read_job
from symbotunes.sweeps.process import JobFailed, note_quantity, value_of
from symbotunes.sweeps.report import write_sweep_report
from symbotunes.system.owner import Owner
from symbotunes.training.loggers.records import files_of, history
from tests.conftest import TINY
from tests.wandb_files import closed

SHORT = [
    *TINY,
    "trainer.max_steps=2",
    "trainer.val_check_interval=1",
    "baselines=[]",
    "loader.batch_size=2",
    "sample.num=1",
    "sample.max_tokens=5",
    "model/scheduler=constant",
]
SWEEP = ["--multirun", *SHORT, "seed=1", "model.net.dropout=0.1,7,0.2"]  # 7 is no probability
slow = pytest.mark.slow("every job of a sweep is a process that imports torch")


def together(test):
    """One process makes the sweep once."""
    return slow(pytest.mark.xdist_group("sweeps")(test))


@pytest.fixture(scope="module")
def swept(run_main, tmp_path_factory):
    """A sweep whose job 1 fails, and what it printed."""
    outputs = tmp_path_factory.mktemp("swept") / "outputs"
    result = run_main(outputs, *SWEEP, "logger=[csv,wandb]", check=False)
    (sweep,) = (outputs / "multirun").iterdir()
    return sweep, result


def states(sweep):
    return [json.loads((sweep / str(number) / "job.json").read_text()) for number in range(3)]


@together
def test_a_failed_job_stops_no_other_and_the_exit_status_says_so(swept):
    sweep, result = swept
    assert result.returncode == 1
    assert [each["status"] for each in states(sweep)] == ["finished", "failed", "finished"]
    assert "dropout" in (sweep / "1" / "error.txt").read_text()
    assert not (sweep / "0" / "error.txt").exists()


@together
def test_jobs_have_processes_and_wandb_runs_of_their_own(swept):
    sweep, _ = swept
    assert len({each["pid"] for each in states(sweep)}) == 3
    ids = [(sweep / number / "wandb_id").read_text() for number in ("0", "2")]
    assert len(set(ids)) == 2
    for number, dropout in (("0", "0.1"), ("2", "0.2")):
        config = (sweep / number / "config.yaml").read_text()
        assert f"group: {sweep.name}" in config
        assert f"model.net.dropout={dropout}" in config


@together
def test_the_report_is_a_table_on_wandb_too(swept):
    sweep, _ = swept
    first = files_of(sweep, (sweep / "wandb_id").read_text().strip())[0]
    (row,) = history(closed(first))
    assert row["sweep/jobs.nrows"] == 3


@together
def test_the_report_shows_what_varies_and_how_it_went(swept, run_main):
    sweep, _ = swept
    (sweep / "sweep.csv").unlink()
    run_main(sweep.parents[1], "mode=report", f"sweep.dir={sweep}")
    with (sweep / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    seen = [(row["model.net.dropout"], row["status"]) for row in rows]
    assert seen == [("0.1", "finished"), ("7", "failed"), ("0.2", "finished")]
    assert "seed" not in rows[0]
    best = torch.load(sweep / "0" / "checkpoints" / "best.ckpt", weights_only=True)
    score = next(s for n, s in best["callbacks"].items() if "BestAndLast" in n)["best_model_score"]
    assert float(rows[0]["best"]) == pytest.approx(score)
    assert float(rows[0]["tokens_per_s"]) > 0
    assert float(rows[0]["peak_gib"]) > 0
    page = (sweep / "sweep.html").read_text()
    assert "2 of 3 jobs finished" in page
    assert 'href="0/samples/best/index.html"' in page
    for head in ("val/loss (nats per token)", "tokens/s", "peak memory (GiB)"):
        assert f'<th scope="col">{head}</th>' in page


@together
def test_a_resumed_sweep_keeps_what_is_finished_and_runs_the_rest(swept, run_main):
    sweep, _ = swept
    before = states(sweep)
    (sweep / "2" / "job.json").unlink()
    arguments = [*SWEEP, "logger=[csv,wandb]", f"sweep.resume={sweep}"]
    assert run_main(sweep.parents[1], *arguments, check=False).returncode == 1
    after = states(sweep)
    assert after[0] == before[0]
    assert after[2]["status"] == "finished"
    assert [after[number]["pid"] != before[number]["pid"] for number in (1, 2)] == [True] * 2
    assert len(list((sweep.parent).iterdir())) == 1


@together
def test_another_sweep_in_the_same_folder_is_refused_in_one_line(swept, run_main):
    sweep, _ = swept
    arguments = ["logger=[csv,wandb]", "loader.batch_size=4", f"sweep.resume={sweep}"]
    result = run_main(sweep.parents[1], *SWEEP, *arguments, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith(f"error: sweep.resume={sweep} is a different sweep: ")
    assert result.stderr.count("\n") == 1


def test_a_sweep_that_still_runs_is_reported_as_far_as_it_is(tmp_path):
    for number, status in enumerate(("finished", "finished", "running")):
        folder = tmp_path / str(number)
        folder.mkdir()
        owner = Owner.this_process().as_dict()
        note(folder, status=status, overrides=[f"model.optimizer.lr=1e-{number + 2}"], **owner)
    (tmp_path / "3").mkdir()  # about to start
    for number, loss in ((0, 2.5), (1, 2.25)):
        best = {"metric": "val/loss", "value": loss, "step": 200}
        (tmp_path / str(number) / "run.json").write_text(json.dumps({"best": best}))
    page = write_sweep_report(tmp_path).read_text()
    assert "2 of 4 jobs finished" in page
    for state in ("running", "not started"):
        assert f'<td class="status">{state}</td>' in page
    assert "job 1: lr=1e-3: 2.25 at 0.001" in page  # the dot of a slice chart
    assert page.count("<circle") == 2
    assert page.index("<td>2.2500</td>") < page.index("<td>2.5000</td>")


def test_a_report_says_where_losses_are_of_different_quantities(tmp_path):
    best = {"metric": "val/loss", "value": 4.38, "step": 200}  # as an earlier version wrote it
    bound = best | {"value": 5.24, "quantity": "negative evidence lower bound"}
    warning = "do not compare"
    for number, result in enumerate((best, best, bound)):
        folder = tmp_path / str(number)
        folder.mkdir()
        note(folder, status="finished", overrides=[f"seed={number}"])
        (folder / "run.json").write_text(json.dumps({"best": result}))
        page = write_sweep_report(tmp_path).read_text()
        assert (warning in page) == (result is bound)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_the_value_of_a_diverged_job_is_null_and_a_search_has_none(tmp_path, value):
    note(tmp_path / "0", status="finished", overrides=[], value=value)
    assert '"value": null' in (tmp_path / "0" / "job.json").read_text()
    job = read_job(tmp_path / "0")
    assert value_of(job, grid=True) is None
    with pytest.raises(JobFailed, match="job 0 has no value to minimize.*lower model.optimizer.lr"):
        value_of(job, grid=False)


def test_a_finished_job_of_an_earlier_version_says_that_its_loss_does_not_compare(tmp_path, capsys):
    note(tmp_path / "0", status="finished", overrides=[], value=4.38)
    best = {"metric": "val/loss", "value": 4.38}
    for model, quantity, expected in (
        ("music_vae.model.MusicVAE", None, "note: the val/loss of job 0, 4.38, is a negative log"),
        ("music_vae.model.MusicVAE", "negative evidence lower bound", ""),
        ("folk_rnn.FolkRNN", None, ""),
    ):
        recorded = best | ({"quantity": quantity} if quantity else {})
        (tmp_path / "0" / "run.json").write_text(json.dumps({"best": recorded}))
        cfg = OmegaConf.create({"model": {"net": {"_target_": f"symbotunes.models.{model}"}}})
        note_quantity(cfg, read_job(tmp_path / "0"))
        printed = capsys.readouterr().err
        assert printed.startswith(expected)
        assert bool(printed) == bool(expected)


def test_a_report_that_cannot_be_written_does_not_hide_failed_jobs(tmp_path, capsys, monkeypatch):
    note(tmp_path / "0", status="failed", overrides=[])

    def fail(_):
        raise OSError("No space left on device")

    monkeypatch.setattr(hooks, "write_sweep_report", fail)
    with pytest.raises(SystemExit) as stopped:
        hooks.Sweeping().on_multirun_end(OmegaConf.create({"hydra": {"sweep": {"dir": tmp_path}}}))
    assert stopped.value.code == 1
    printed = capsys.readouterr().err
    assert "no report of" in printed
    assert "job 0 failed" in printed


TWO_RANKS = [
    "--multirun",
    *SHORT,
    "trainer=ddp",
    "trainer.accelerator=cpu",
    "trainer.precision=32-true",
    "+callbacks.spy._target_=tests.training.spy.LearningRates",
]


# A grid walks the same way on every rank, Optuna would not.
@slow
def test_all_ranks_of_a_job_train_with_what_optuna_chose(run_main, tmp_path):
    run_main(
        tmp_path / "outputs",
        *TWO_RANKS,
        "sweep=optuna",
        "hydra.sweeper.n_trials=2",
        "hydra.sweeper.sampler.seed=null",
        f"hydra.sweeper.storage=sqlite:///{tmp_path}/search.db",
        "hydra.sweeper.study_name=rates",
        "model.optimizer.lr=interval(0.001, 0.3)",
    )
    (sweep,) = (tmp_path / "outputs" / "multirun").iterdir()
    rates = [[(sweep / job / f"rank_{n}.txt").read_text() for n in (0, 1)] for job in ("0", "1")]
    assert rates[0][0] == rates[0][1]
    assert rates[1][0] == rates[1][1]
    assert rates[0] != rates[1]
