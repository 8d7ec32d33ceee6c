"""What a sweep says of jobs that could not say it themselves."""

import json
import sys

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from symbotunes.sweeps import hooks
from symbotunes.sweeps.jobs import PLAN, note, read_job, read_jobs, record_the_dead, varied
from symbotunes.sweeps.process import verdict
from symbotunes.system.owner import Owner

HERE = Owner.this_process().as_dict()
DEAD = HERE | {"pid_started": 1.0}
GRID = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"


@pytest.fixture
def job(tmp_path):
    """Write ``job.json`` of job 0 and read the job."""

    def write(**state):
        (tmp_path / "0").mkdir(exist_ok=True)
        note(tmp_path / "0", overrides=["seed=1"], **state)
        return read_job(tmp_path / "0")

    return write


def test_a_job_is_running_only_while_its_process_lives(job):
    assert job(status="running", **HERE).outcome == "running"
    assert job(status="running", **DEAD).outcome == (
        "killed (its process has ended without a word: perhaps out of memory)"
    )
    assert job(status="finished", **DEAD).outcome == "finished"


def test_a_job_on_another_machine_is_shown_with_its_last_sign_of_life(job, tmp_path, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_000_000_000.0)  # 2001-09-09, 01:46:40 UTC
    away = {"status": "running", "pid": 7, "host": "node7", "pid_started": 1.0}
    job(**away)
    path = tmp_path / "0" / "job.json"
    state = json.loads(path.read_text())
    path.write_text(json.dumps(state | {"updated_utc": "2001-09-08T22:40:00+00:00"}))
    assert read_job(tmp_path / "0").outcome == "running (on node7, last heard of 3 h ago)"
    (tmp_path / "0" / "run.json").write_text('{"updated_utc": "2001-09-09T01:40:00+00:00"}')
    assert read_job(tmp_path / "0").outcome == "running (on node7, last heard of 6 min ago)"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (137, "killed (signal 9; perhaps out of memory)"),
        (139, "killed (signal 11)"),
        (1, "failed: its process ended with status 1 and did not say why"),
    ],
)
def test_a_process_that_ended_without_a_word_has_a_reason(job, status, outcome):
    assert job(**verdict(status)).outcome == outcome


def test_a_failed_job_has_the_last_line_of_its_error(job, tmp_path):
    job(status="failed")
    (tmp_path / "0" / "error.txt").write_text("Traceback\nValueError: no\n")
    assert read_job(tmp_path / "0").outcome == "failed: ValueError: no"


def test_jobs_that_a_sweep_has_not_come_to_are_listed(job, tmp_path):
    job(status="finished")
    (tmp_path / PLAN).write_text('{"jobs": [["seed=1"], ["seed=2"], ["seed=3"]]}')
    jobs = read_jobs(tmp_path)
    assert [(one.outcome, one.overrides) for one in jobs] == [
        ("finished", ("seed=1",)), ("not started", ("seed=2",)), ("not started", ("seed=3",)),
    ]  # fmt: skip
    (tmp_path / PLAN).write_text('{"jobs": [[], []]}')  # of a search
    jobs = read_jobs(tmp_path)
    assert [one.status for one in jobs] == ["finished", "not started"]
    assert varied(jobs) == []


def test_a_report_writes_down_who_is_dead(job, tmp_path):
    job(status="running", **DEAD)
    record_the_dead(read_jobs(tmp_path))
    assert json.loads((tmp_path / "0" / "job.json").read_text())["status"] == "killed"
    job(status="running", reason=None, **HERE)
    record_the_dead(read_jobs(tmp_path))
    assert json.loads((tmp_path / "0" / "job.json").read_text())["status"] == "running"


def sweep_of(*words, target=GRID, **sweeper):
    overrides = {"task": list(words), "hydra": []}
    return OmegaConf.create(
        {"hydra": {"sweeper": {"_target_": target, **sweeper}, "overrides": overrides}}
    )


def test_the_jobs_of_a_grid_are_known_beforehand_and_those_of_a_search_counted():
    grid = sweep_of("a=1,2", "b=x", params={"c": "range(2)"})
    assert hooks.planned(grid) == [
        ["c=0", "a=1", "b=x"], ["c=0", "a=2", "b=x"], ["c=1", "a=1", "b=x"], ["c=1", "a=2", "b=x"],
    ]  # fmt: skip
    search = sweep_of("a=interval(0,1)", target="optuna", n_trials=2)
    assert hooks.planned(search) == [[], []]
    assert OverridesParser.create().parse_overrides(["a=glob(*)"])  # its options, Hydra alone knows
    assert hooks.planned(sweep_of("a=glob(*)")) == []


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """A sweep that has begun."""
    monkeypatch.setattr(hooks, "_open", [tmp_path])
    monkeypatch.setattr(sys, "argv", ["main.py", "--multirun", "seed=1,2", "name=a b"])
    for name in ("sweep.yaml", PLAN, "multirun.yaml"):
        (tmp_path / name).write_text("{}\n")
    return tmp_path


def test_a_sweep_that_is_interrupted_writes_its_report_and_says_how_to_resume(opened, job, capsys):
    job(status="interrupted", reason="signal 2")
    (opened / PLAN).write_text('{"jobs": [["seed=1"], ["seed=2"]]}')
    with pytest.raises(KeyboardInterrupt), hooks.closing_sweep():
        raise KeyboardInterrupt
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        f"job 0 interrupted (signal 2) ({opened}/0)", f"job 1 not started ({opened}/1)",
    ]  # fmt: skip
    assert printed.out.splitlines() == [
        f"Report  {opened}/sweep.html",
        f"To resume: python main.py --multirun seed=1,2 'name=a b' sweep.resume={opened}",
    ]
    assert "0 of 2 jobs finished" in (opened / "sweep.html").read_text()


def test_a_sweep_none_of_whose_jobs_began_leaves_its_folder_free(opened, capsys):
    with pytest.raises(SystemExit), hooks.closing_sweep():
        raise SystemExit(2)
    assert not opened.exists()
    assert capsys.readouterr().out == ""


def test_a_sweep_that_has_ended_is_not_reported_again(opened, capsys):
    hooks._open.clear()
    with pytest.raises(SystemExit), hooks.closing_sweep():
        raise SystemExit(1)
    assert capsys.readouterr().out == ""
    assert (opened / "sweep.yaml").exists()
