import json
import os
import subprocess
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
import wandb

from symbotunes.training.loggers.records import history, records
from symbotunes.training.loggers.wandb import SafeWandbLogger, natural_mode
from tests import warm
from tests.conftest import ROOT
from tests.wandb_files import closed_files

pytestmark = pytest.mark.usefixtures("no_account")


def test_without_a_key_the_mode_is_offline_and_nobody_is_asked(monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("somebody was asked"))
    assert natural_mode() == "offline"


def test_an_offline_run_says_how_to_upload_it_and_leaves_its_id(run_dir, capsys):
    logger = SafeWandbLogger(run_dir, name="first", tags=["x" * 80])
    logger.log_hyperparams({"model": {"width": 8}})
    logger.log_metrics({"train/loss": 1.0}, step=0)
    run_id = logger.version
    logger.finish(0)
    assert (run_dir / "wandb_id").read_text() == f"{run_id}\n"
    folders = list((run_dir / "wandb").glob("offline-run-*"))
    assert len(folders) == 1
    assert capsys.readouterr().out == f"wandb sync {folders[0]}\n"


def test_a_resumed_run_keeps_its_id(run_dir):
    first = SafeWandbLogger(run_dir)
    first.log_metrics({"a": 1}, step=0)
    first.finish(1)
    second = SafeWandbLogger(run_dir)
    second.log_metrics({"a": 2}, step=1)
    second.finish(0)
    assert first.version == second.version


def test_two_runs_in_one_process_do_not_share_a_run(tmp_path):
    ids = []
    for name in ("a", "b"):
        logger = SafeWandbLogger(tmp_path / name)
        logger.log_metrics({"a": 1}, step=0)
        logger.finish(0)
        ids.append(logger.version)
    assert ids[0] != ids[1]


def test_the_exit_code_reaches_wandb(run_dir, monkeypatch):
    logger = SafeWandbLogger(run_dir)
    run = logger.experiment
    codes = []
    monkeypatch.setattr(type(run), "finish", lambda self, exit_code=None: codes.append(exit_code))
    logger.finish(1)
    monkeypatch.undo()
    run.finish()
    assert codes == [1]


def test_a_failure_to_start_is_said_once_and_training_goes_on(run_dir, monkeypatch):
    calls = []

    def broken(**_: object) -> None:
        calls.append(1)
        raise wandb.errors.CommError("no route to host")

    monkeypatch.setattr(wandb, "init", broken)
    logger = SafeWandbLogger(run_dir)
    with pytest.warns(UserWarning, match="without W&B: no route to host"):
        logger.log_metrics({"a": 1}, step=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        logger.log_metrics({"a": 2}, step=1)
        logger.log_hyperparams({"b": 3})
        logger.experiment.config.update({"c": 4})
        logger.finish(0)
    assert len(calls) == 1


def test_without_a_network_an_online_run_goes_on_offline(run_dir, monkeypatch):
    start = wandb.init

    def unreachable(*, mode: str, **settings: object) -> object:
        if mode == "online":
            raise wandb.errors.CommError("no route to host")
        return start(mode=mode, **settings)

    monkeypatch.setattr(wandb, "login", lambda **_: True)
    monkeypatch.setattr(wandb, "init", unreachable)
    logger = SafeWandbLogger(run_dir, mode="online")
    with pytest.warns(UserWarning, match="W&B continues offline: no route to host"):
        logger.log_metrics({"a": 1}, step=0)
    logger.finish(0)
    assert len(list((run_dir / "wandb").glob("offline-run-*"))) == 1


def test_a_failure_to_log_is_said_once_and_the_run_is_still_closed(run_dir, monkeypatch):
    logger = SafeWandbLogger(run_dir)
    run = logger.experiment
    closed = []

    def broken(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(type(run), "log", broken)
        patch.setattr(type(run), "finish", lambda self, exit_code=None: closed.append(exit_code))
        with pytest.warns(UserWarning, match="without W&B: No space left"):
            logger.log_metrics({"a": 1}, step=0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            logger.log_metrics({"a": 2}, step=1)
            logger.finish(1)
    run.finish()
    assert closed == [1]


def test_the_environment_can_disable_it(run_dir, monkeypatch, capsys):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    logger = SafeWandbLogger(run_dir)
    logger.log_metrics({"a": 1}, step=0)
    logger.finish(0)
    assert not (run_dir / "wandb_id").exists()
    assert capsys.readouterr().out == ""


def rows_of(logger: SafeWandbLogger, run_dir: Path) -> list[list[tuple[int, int, float]]]:
    """For each start of a run, its rows: W&B's count, the trainer's step, the value of ``a``."""
    return [
        [(row["_step"], row["trainer/global_step"], row["a"]) for row in history(path)]
        for path in closed_files(run_dir, logger.version)
    ]


def test_a_resumed_run_counts_on_and_does_not_log_again_what_it_has(run_dir):
    first = SafeWandbLogger(run_dir)
    for step in range(4):
        first.log_metrics({"a": float(step)}, step=step)
    first.finish(1)
    closed_files(run_dir, first.version)
    time.sleep(1.1)  # the folders of a run are named by the second
    second = SafeWandbLogger(run_dir)
    for step in range(2, 6):  # from a checkpoint after two steps
        second.log_metrics({"a": 10.0 + step}, step=step)
    assert second.continued
    second.finish(0)
    assert rows_of(second, run_dir) == [
        [(0, 0, 0.0), (1, 1, 1.0), (2, 2, 2.0), (3, 3, 3.0)],
        [(4, 3, 13.0), (5, 4, 14.0), (6, 5, 15.0)],  # what else step 3 may have is not lost
    ]


def test_a_first_start_continues_nothing(run_dir):
    logger = SafeWandbLogger(run_dir)
    assert not logger.continued
    logger.finish(0)


def run_record(logger: SafeWandbLogger, run_dir: Path) -> Any:
    (path,) = closed_files(run_dir, logger.version)
    return next(record.run for record in records(path) if record.HasField("run"))


def test_a_job_of_a_sweep_is_told_by_its_number_and_notes(run_dir):
    overrides = ["model.optimizer.lr=0.01", "seed=2"]
    logger = SafeWandbLogger(run_dir, name="folk", number=3, notes=overrides, tags=["", "a", "a"])
    _ = logger.experiment
    logger.finish(0)
    run = run_record(logger, run_dir)
    assert run.display_name == "folk-3"
    assert run.notes == "model.optimizer.lr=0.01\nseed=2"
    assert list(run.tags) == ["a"]


def test_without_a_key_an_online_run_goes_on_offline_and_nobody_is_asked(run_dir, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("somebody was asked"))
    logger = SafeWandbLogger(run_dir, mode="online")
    with pytest.warns(UserWarning, match="W&B continues offline: no API key is known"):
        logger.log_metrics({"a": 1}, step=0)
    logger.finish(0)
    assert len(list((run_dir / "wandb").glob("offline-run-*"))) == 1


def test_a_checkpoint_becomes_an_artifact_named_after_the_run(run_dir, tmp_path):
    path = tmp_path / "best.ckpt"
    path.write_bytes(b"weights")
    logger = SafeWandbLogger(run_dir)
    logger.log_checkpoint(path, {"step": 5, "val/loss": 1.5})
    logger.finish(0)
    (file,) = closed_files(run_dir, logger.version)
    (artifact,) = [record.artifact for record in records(file) if record.HasField("artifact")]
    assert (artifact.type, artifact.name) == ("model", f"model-{logger.version}")
    assert "best" in artifact.aliases
    assert json.loads(artifact.metadata) == {"step": 5, "val/loss": 1.5}
    assert [(entry.path, entry.size) for entry in artifact.manifest.contents] == [("best.ckpt", 7)]


def test_a_config_too_large_for_wandb_is_not_shown_and_metrics_are_logged_all_the_same(run_dir):
    logger = SafeWandbLogger(run_dir)
    with pytest.warns(UserWarning, match="does not show the config: a config of 10.8 MB"):
        logger.log_hyperparams({str(n): "x" * 9_000 for n in range(1_200)})
    logger.log_metrics({"a": 1.0}, step=0)
    logger.finish(0)
    assert rows_of(logger, run_dir) == [[(0, 0, 1.0)]]


def test_what_waits_for_its_upload_lies_in_the_run_folder(run_dir, tmp_path):
    path = tmp_path / "best.ckpt"
    path.write_bytes(b"weights")
    logger = SafeWandbLogger(run_dir)
    logger.log_checkpoint(path, {})
    logger.log_metrics({"table": wandb.Table(columns=["a"], data=[[1]])}, step=0)
    logger.finish(0)
    (file,) = closed_files(run_dir, logger.version)
    staged = [
        Path(entry.local_path)
        for record in records(file)
        for entry in record.artifact.manifest.contents
    ]
    assert len(staged) == 2
    assert all(each.is_relative_to(run_dir / "wandb") and each.is_file() for each in staged)


def test_what_a_training_starts_does_not_write_through_its_wandb_process(run_dir, monkeypatch):
    monkeypatch.setenv("WANDB_SERVICE", "3-1-unix-/tmp/of-a-parent-that-has-ended")
    logger = SafeWandbLogger(run_dir)
    logger.log_metrics({"a": 1.0}, step=0)
    assert "WANDB_SERVICE" not in os.environ
    logger.finish(0)
    assert rows_of(logger, run_dir) == [[(0, 0, 1.0)]]


SCRIPT = """
import sys
import time
import psutil
from symbotunes.training.loggers.wandb import SafeWandbLogger
logger = SafeWandbLogger(sys.argv[1], mode="offline")
logger.log_metrics({"a": 1}, step=0)
{trouble}
logger.log_metrics({"a": 2}, step=1)
logger.log_hyperparams({"b": 3})
logger.finish(0)
print("trained")
"""
KILL = "[each.kill() for each in psutil.Process().children(recursive=True)]; time.sleep(0.5)"


@pytest.mark.parametrize(
    ("trouble", "folder"),
    [(KILL, None), ("", "/proc/nowhere")],
    ids=["its process dies", "it cannot write"],
)
def test_training_goes_on_without_wandb_when(run_dir, tmp_path, trouble, folder):
    program = tmp_path / "main.py"
    program.write_text(SCRIPT.replace("{trouble}", trouble))
    result = subprocess.run(
        [warm.python(), str(program), folder or str(run_dir)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "trained" in result.stdout.splitlines()
    assert result.stderr.count("training continues without W&B") == 1
