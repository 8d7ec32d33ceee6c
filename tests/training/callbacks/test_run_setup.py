import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import lightning
import pytest

from symbotunes.training.callbacks.checkpoints import BestAndLast
from symbotunes.training.callbacks.curves import Curves
from symbotunes.training.callbacks.interrupt import Interrupted, OnInterrupt
from symbotunes.training.callbacks.memory import MemoryReport
from symbotunes.training.callbacks.provenance import git_state
from symbotunes.training.callbacks.run_setup import RunSetup
from symbotunes.training.loggers.csv import RunCsvLogger
from symbotunes.training.metrics_file import read_rows


def record(run_dir: Path) -> dict[str, Any]:
    return json.loads((run_dir / "run.json").read_text())


class Failing(lightning.Callback):
    def __init__(self, step: int, error: BaseException | None = None) -> None:
        self.step = step
        self.error = error

    def on_train_batch_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step:
            if self.error is None:
                os.kill(os.getpid(), signal.SIGTERM)
            else:
                raise self.error


def test_a_finished_run_is_described(fit, run_dir):
    fit(RunSetup("a name", seed=7), MemoryReport(), BestAndLast())
    found = record(run_dir)
    expected = {
        "status": "finished",
        "name": "a name",
        "seed": 7,
        "data_fingerprint": "fingerprint",
        "parameters": 2,
        "parameters_trained": 2,
        "step": 8,
        "real_tokens": 80,
        "best": {
            "metric": "val/loss",
            "quantity": "negative log-likelihood",
            "mode": "min",
            "value": 2.0,
            "step": 8,
        },
        "memory_kind": "host",
        "devices": 1,
        "earlier": [],
    }
    assert {key: found[key] for key in expected} == expected
    assert found["finished_utc"] >= found["started_utc"]
    assert found["tokens_per_second"] > 0
    assert set(found["versions"]) >= {"python", "torch", "lightning", "numpy", "symusic"}


def test_the_resolved_config_lies_in_the_run_folder(fit, run_dir):
    fit(RunSetup())
    assert (run_dir / "config.yaml").read_text() == "seed: 7\n"
    assert (run_dir / "checkpoints").is_dir()
    assert (run_dir / "samples").is_dir()


def test_it_is_up_to_date_after_every_validation(fit, run_dir):
    seen = []

    class Look(lightning.Callback):
        def on_train_batch_start(self, trainer: lightning.Trainer, *_: Any) -> None:
            if trainer.global_step in (0, 4):
                seen.append(record(run_dir))

    fit(RunSetup(), Look())
    assert [(found["status"], found["step"]) for found in seen] == [("running", 0), ("running", 4)]


def test_a_failed_run_names_the_error(fit, run_dir):
    with pytest.raises(ZeroDivisionError):
        fit(RunSetup(), Failing(3, ZeroDivisionError("of one by none")))
    found = record(run_dir)
    assert (found["status"], found["step"]) == ("failed", 3)
    assert found["error"] == "ZeroDivisionError: of one by none"


def test_a_stopped_run_is_interrupted_and_not_failed(fit, run_dir):
    with pytest.raises(Interrupted):
        fit(RunSetup(), Failing(1), OnInterrupt())
    found = record(run_dir)
    assert (found["status"], found["step"], "error" in found) == ("interrupted", 2, False)


def test_ctrl_c_without_our_handler_is_interrupted_too(fit, run_dir):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(SystemExit):
        fit(RunSetup(), Failing(1, KeyboardInterrupt()))
    signal.signal(signal.SIGINT, before)  # Lightning leaves it ignored
    assert record(run_dir)["status"] == "interrupted"


def test_a_resumed_run_keeps_a_record_of_the_earlier_one_and_one_row_per_step(fit, run_dir):
    with pytest.raises(ZeroDivisionError):
        fit(
            RunSetup(),
            BestAndLast(),
            Failing(6, ZeroDivisionError()),
            Curves(),
            logger=RunCsvLogger(run_dir),
            log_every_n_steps=1,
        )
    last = run_dir / "checkpoints" / "last.ckpt"  # after 4 steps
    fit(RunSetup(), Curves(), resume=last, logger=RunCsvLogger(run_dir), log_every_n_steps=1)
    found = record(run_dir)
    assert [(run["status"], run["step"]) for run in found["earlier"]] == [("failed", 6)]
    rows = read_rows(run_dir / "metrics.csv")
    assert [int(row["step"]) for row in rows] == list(range(1, 9))
    assert all(row["train/loss"] for row in rows)


def test_a_loss_that_is_not_a_number_still_makes_valid_json(fit, tiny, run_dir):
    fit(RunSetup(), BestAndLast(), model=tiny((float("nan"),)))
    assert record(run_dir)["best"]["value"] is None


def test_a_foreign_module_without_recipe_or_token_count_is_no_error(fit, tiny, run_dir):
    model = tiny()
    model.recipe = None
    fit(RunSetup(), model=model)
    assert not (run_dir / "config.yaml").exists()
    assert record(run_dir)["status"] == "finished"


def test_git_tells_the_revision_and_edits_of_a_checkout(tmp_path):
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    source = tmp_path / "__init__.py"
    source.touch()
    assert git_state(tmp_path) is None  # installed below a checkout, but not part of it
    git("add", ".")
    git("commit", "-qm", "first")
    assert git_state(tmp_path) == {"revision": git("rev-parse", "HEAD"), "dirty": False}
    source.write_text("edited = True\n")
    assert git_state(tmp_path)["dirty"] is True


def test_no_checkout_and_no_git_are_no_error(tmp_path, monkeypatch):
    assert git_state(tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state() is None
