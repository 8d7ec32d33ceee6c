"""What follows a training: tables, samples and the last lines, none of which can fail it."""

import math
import signal
from types import SimpleNamespace

import pytest
from omegaconf import OmegaConf
from rich.console import Console

from symbotunes.errors import UserError
from symbotunes.modes import train
from symbotunes.system.ends import Ended
from symbotunes.training.run import Best, finish_loggers


@pytest.fixture
def ended(tmp_path):
    """A run whose training is over, its checkpoint being no checkpoint at all."""
    console = Console(width=300, record=True)
    best = tmp_path / "checkpoints" / "best.ckpt"
    return SimpleNamespace(
        cfg=OmegaConf.create({"baselines": [5], "name": "mine", "sample": {}, "seed": 1}),
        best=Best("val/loss", 1.5, "min"),
        best_checkpoint=best,
        callbacks=[],
        console=console,
        data=None,
        folder=tmp_path,
        validated=None,
        model=SimpleNamespace(net=SimpleNamespace(MONITOR="val/loss")),
        trainer=SimpleNamespace(
            is_global_zero=True, callback_metrics={"val/loss": 1.5}, max_steps=9
        ),
    )


def test_what_follows_a_training_never_fails_it(ended, monkeypatch):
    def exhaust(*_):
        raise MemoryError("Unable to allocate 40 GiB")

    monkeypatch.setattr(train, "baseline_losses", exhaust)
    assert train.conclude(ended) == 1.5
    text = ended.console.export_text()
    warnings = [line for line in text.splitlines() if line.startswith("Warning")]
    assert len(warnings) == 2
    assert "table of n-gram models failed: Unable to allocate 40 GiB" in warnings[0]
    assert "samples failed: no checkpoint at" in warnings[1]
    assert all(f"checkpoint is {ended.best_checkpoint}" in line for line in warnings)
    assert "Sample more" in text
    assert "trainer.max_steps=N" in text


def test_a_run_limited_by_time_is_resumed_with_more_of_it(ended, monkeypatch):
    monkeypatch.setattr(train, "_print_table", lambda *_: None)
    ended.trainer.max_steps = -1
    train.conclude(ended)
    assert "trainer.max_time=DD:HH:MM:SS" in ended.console.export_text()


@pytest.mark.parametrize(
    ("name", "loss", "shown"),
    [("val/loss", math.inf, "val/loss is inf"), ("train/loss", math.nan, "train/loss is nan")],
)
def test_a_warning_says_that_a_training_has_diverged(ended, monkeypatch, name, loss, shown):
    monkeypatch.setattr(train, "_print_table", lambda *_: None)
    train.conclude(ended)
    assert "diverged" not in ended.console.export_text()
    ended.trainer.callback_metrics[name] = loss
    train.conclude(ended)
    assert f"Warning  the training has diverged: {shown} at its end" in ended.console.export_text()


def test_whoever_interrupts_what_follows_a_training_is_heard(ended, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "baseline_losses", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train.conclude(ended)


@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_after_the_last_step_leaves_a_training_that_is_complete(
    ended, monkeypatch, name, status
):
    def stop(_run):
        raise KeyboardInterrupt if name == "SIGINT" else Ended(signal.Signals[name])

    monkeypatch.setattr(train, "conclude", stop)
    for received in (None, signal.Signals[name]):  # after Lightning's last hook, or before it
        ended.signal = received
        with pytest.raises(SystemExit) as stopped:
            train.concluded(ended)
        assert stopped.value.code == status
    lines = ended.console.export_text().splitlines()
    assert len(lines) == 2
    assert lines[0] == lines[1]
    assert lines[0].endswith(
        f"after the training, which is complete, and its checkpoint is {ended.best_checkpoint}"
    )


def test_an_announced_time_limit_after_the_last_step_changes_nothing(ended, monkeypatch):
    monkeypatch.setattr(train, "conclude", lambda _run: 1.5)
    ended.signal = signal.SIGUSR1
    assert train.concluded(ended) == 1.5


def test_a_training_whose_newest_checkpoints_are_lost_fails_and_says_what_it_kept(
    ended, trained, monkeypatch
):
    ended.callbacks = [SimpleNamespace(last_save_failed=True)]
    ended.folder = trained
    assert "kept: best.ckpt of step 12, last.ckpt of step 12" in train.unwritten(ended)
    ended.folder = trained / "nowhere"
    ended.best_checkpoint = None
    with pytest.raises(UserError, match="could not be written, see .*; none is kept"):
        train.conclude(ended)


def test_a_logger_that_cannot_be_closed_only_warns():
    def fail(_status):
        raise OSError("No space left on device")

    closed = []
    loggers = [SimpleNamespace(finish=fail), SimpleNamespace(finish=closed.append)]
    with pytest.warns(UserWarning, match="was not closed: No space left"):
        finish_loggers(SimpleNamespace(loggers=loggers), completed=True)
    assert closed == [0]
