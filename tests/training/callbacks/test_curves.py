"""Every logger counts steps as checkpoints do, and no row of a resumed run is lost or doubled."""

import os
import signal
from typing import Any

import lightning
import pytest
from lightning.pytorch.loggers import Logger

from symbotunes.training.callbacks.checkpoints import BestAndLast
from symbotunes.training.callbacks.curves import Curves
from symbotunes.training.callbacks.interrupt import Interrupted, OnInterrupt
from symbotunes.training.callbacks.run_setup import RunSetup
from symbotunes.training.callbacks.vitals import Vitals
from symbotunes.training.loggers.csv import RunCsvLogger
from symbotunes.training.metrics_file import read_rows


class Remembering(Logger):
    """Stands for any other logger."""

    name, version = "", ""

    def __init__(self) -> None:
        super().__init__()
        self.steps: dict[str, list[int]] = {}

    def log_hyperparams(self, *_: Any, **__: Any) -> None:
        pass

    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        assert "step" not in metrics
        for name in metrics:
            self.steps.setdefault(name, []).append(step)


class SignalAfter(lightning.Callback):
    """Sends this process SIGTERM once, when a number of steps has been taken."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        if trainer.global_step == self.step:
            self.step = -1
            os.kill(os.getpid(), signal.SIGTERM)


def test_all_loggers_count_the_first_step_as_one(fit, run_dir):
    other = Remembering()
    loggers = [RunCsvLogger(run_dir), other]
    fit(Curves(), logger=loggers, log_every_n_steps=2, val_check_interval=2)
    assert other.steps["train/loss"] == other.steps["val/loss"] == [2, 4, 6, 8]
    rows = read_rows(run_dir / "metrics.csv")
    assert [(row["step"], row["epoch"]) for row in rows] == [
        ("2", "0"), ("4", "0"), ("6", "1"), ("8", "1"),
    ]  # fmt: skip
    assert all(row["train/loss"] and row["val/loss"] for row in rows)


def test_steps_are_those_of_the_optimizer_while_gradients_accumulate(fit, run_dir):
    logger = RunCsvLogger(run_dir)
    fit(Curves(), logger=logger, log_every_n_steps=1, accumulate_grad_batches=2)
    rows = read_rows(run_dir / "metrics.csv")
    # Two steps in each of the two passes over four batches, and a validation after each pass.
    assert [(row["step"], bool(row["val/loss"])) for row in rows] == [
        ("1", False), ("2", True), ("3", False), ("4", True),
    ]  # fmt: skip


@pytest.mark.parametrize("step", [2, 4, 5], ids=["within a pass", "before a validation", "later"])
def test_a_run_that_is_stopped_and_resumed_has_the_rows_of_one_that_was_not(fit, run_dir, step):
    def numbers_of(rows):
        times = ("seconds", "speed/tokens_per_second", "speed/mfu")
        return [{name: value for name, value in row.items() if name not in times} for row in rows]

    settings = {"log_every_n_steps": 1}
    fit(Vitals(), Curves(), logger=RunCsvLogger(run_dir), **settings)
    whole = read_rows(run_dir / "metrics.csv")
    (run_dir / "metrics.csv").unlink()
    callbacks = Vitals(), SignalAfter(step), Curves(), BestAndLast(), OnInterrupt()
    with pytest.raises(Interrupted):
        fit(*callbacks, logger=RunCsvLogger(run_dir), **settings)
    last = run_dir / "checkpoints" / "last.ckpt"
    fit(Vitals(), Curves(), BestAndLast(), resume=last, logger=RunCsvLogger(run_dir), **settings)
    rows = read_rows(run_dir / "metrics.csv")
    assert [int(row["step"]) for row in rows] == list(range(1, 9))
    assert numbers_of(rows[:step]) == numbers_of(whole[:step])
    # The batches of this test start anew, so that later values differ; none is missing.
    assert [[*map(bool, row.values())] for row in rows] == [
        [*map(bool, row.values())] for row in whole
    ]
    seconds = [float(row["seconds"]) for row in rows]
    assert seconds == sorted(seconds)


def test_the_page_is_written_when_a_training_begins_and_ends(fit, run_dir):
    class Reading(lightning.Callback):
        pages: list[str] = []  # noqa: RUF012

        def on_train_batch_start(self, *_: Any) -> None:
            self.pages.append((run_dir / "training.html").read_text())

    reading = Reading()
    fit(RunSetup(), Curves(), reading, logger=RunCsvLogger(run_dir), log_every_n_steps=1)
    first, last = reading.pages[0], (run_dir / "training.html").read_text()
    assert ("<dd>running</dd>" in first, 'http-equiv="refresh"' in first) == (True, True)
    assert ("<dd>finished</dd>" in last, 'http-equiv="refresh"' in last) == (True, False)
    assert "<polyline" in last


def test_the_page_of_a_failed_training_says_why(fit, run_dir):
    class Failing(lightning.Callback):
        def on_train_batch_end(self, *_: Any) -> None:
            raise ZeroDivisionError("no batch left")

    with pytest.raises(ZeroDivisionError):
        fit(RunSetup(), Failing(), Curves())
    page = (run_dir / "training.html").read_text()
    assert "<dd>failed</dd>" in page
    assert "ZeroDivisionError: no batch left" in page
    assert 'http-equiv="refresh"' not in page


def test_a_page_that_cannot_be_written_is_one_warning(fit, monkeypatch):
    def full(*_: Any, **__: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("symbotunes.training.page.atomic_file", full)
    with pytest.warns(UserWarning, match="training.html was not written: .*No space") as caught:
        trainer, _ = fit(Curves())
    assert trainer.global_step == 8
    assert len([each for each in caught if "training.html" in str(each.message)]) == 1


def test_a_page_takes_at_most_a_hundredth_of_the_time(fit, monkeypatch):
    """Writing takes 2 seconds, a step 50: of eight, four and eight are late enough for a page."""
    clock, written = [0.0], []

    class Passing(lightning.Callback):
        def on_train_batch_start(self, *_: Any) -> None:
            clock[0] += 50

    def write(*_: Any, **__: Any) -> None:
        written.append(clock[0])
        clock[0] += 2

    monkeypatch.setattr("symbotunes.training.callbacks.curves.write_training_page", write)
    fit(Passing(), Curves(now=lambda: clock[0]))
    assert written == [0, 202, 404, 406]  # at the start, after steps 4 and 8, at the end
