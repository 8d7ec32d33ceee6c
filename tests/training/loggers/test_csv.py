"""``metrics.csv``: one row for each step, whatever happens to the run and its disk."""

import itertools

import pytest

from symbotunes.training.loggers.csv import RunCsvLogger
from symbotunes.training.metrics_file import read_rows


@pytest.fixture
def lines(tmp_path):
    return lambda: (tmp_path / "metrics.csv").read_text().splitlines()


def logger_at(folder, seconds=0.0, tick=0.5):
    """A logger whose clock says one half more each time it is asked."""
    clock = itertools.count(seconds, tick)
    return RunCsvLogger(folder, now=lambda: next(clock))


def test_metrics_of_one_step_share_a_row_even_if_each_is_saved_at_once(tmp_path, lines):
    logger = logger_at(tmp_path, seconds=10)
    logger.log_metrics({"train/loss": 1.5}, step=1)  # asks the clock once; made at 10, now 10.5
    logger.save()
    logger.log_metrics({"val/loss": 2}, step=1)
    logger.save()
    logger.log_metrics({"train/loss": 1.25, "val/loss": 0.125}, step=10)
    logger.finalize("success")
    assert lines() == ["step,seconds,train/loss,val/loss", "1,0.5,1.5,2", "10,1,1.25,0.125"]


def test_every_value_is_in_the_file_as_soon_as_it_is_saved(tmp_path, lines):
    logger = logger_at(tmp_path)
    logger.log_metrics({"a": 123456}, step=1)
    logger.save()
    assert lines()[1:] == ["1,0.5,123456"]
    logger.log_metrics({"a": 7}, step=1)  # shorter than what it replaces
    logger.save()
    assert lines()[1:] == ["1,0.5,7"]


def test_a_metric_that_comes_later_adds_a_column_and_keeps_the_rows(tmp_path, lines):
    logger = logger_at(tmp_path)
    logger.log_metrics({"train/loss": 1.5}, step=1)
    logger.save()
    logger.log_metrics({"val/loss": 2.0}, step=2)
    logger.save()
    assert lines() == ["step,seconds,train/loss,val/loss", "1,0.5,1.5,", "2,1,,2"]


def test_a_resumed_run_keeps_old_rows_drops_those_it_takes_again_and_counts_on(tmp_path, lines):
    first = logger_at(tmp_path)
    for step in range(1, 6):
        first.log_metrics({"train/loss": float(step)}, step=step)
    first.finalize("failed")
    second = logger_at(tmp_path, seconds=100)
    second.begin(3)  # asks the clock: 100.5
    second.log_metrics({"train/loss": 40.0}, step=4)  # 101
    second.finalize("success")
    # The first attempt took 2.5 seconds, those of the steps that are repeated among them.
    assert lines()[1:] == ["1,0.5,1", "2,1,2", "3,1.5,3", "4,3,40"]


def test_the_seconds_of_three_attempts_add_up(tmp_path, lines):
    for attempt in range(3):
        logger = logger_at(tmp_path, seconds=1000 * attempt)
        logger.begin(attempt)
        logger.log_metrics({"a": 1}, step=attempt + 1)
        logger.finalize("success")
    assert lines()[1:] == ["1,0.5,1", "2,1,1", "3,1.5,1"]


def test_a_line_that_a_crash_cut_short_is_left_out(tmp_path, lines):
    (tmp_path / "metrics.csv").write_text("step,seconds,a,b\n1,1,1,2\n2,2,3")
    logger = logger_at(tmp_path)
    logger.begin(2)
    logger.log_metrics({"a": 5, "b": 6}, step=3)
    logger.finalize("success")
    assert lines() == ["step,seconds,a,b", "1,1,1,2", "3,1.5,5,6"]


def test_a_file_of_an_earlier_version_is_read_and_continued(tmp_path, lines):
    # It counted steps from 0, without seconds, and validated in a row of its own.
    old = "step,epoch,train/loss,val/loss\n0,0,3,\n1,0,2,\n1,0,,2.5\n2,1,1.5,\n"
    (tmp_path / "metrics.csv").write_text(old)
    assert read_rows(tmp_path / "metrics.csv") == [
        {"step": "1", "seconds": "", "epoch": "0", "train/loss": "3", "val/loss": ""},
        {"step": "2", "seconds": "", "epoch": "0", "train/loss": "2", "val/loss": "2.5"},
        {"step": "3", "seconds": "", "epoch": "1", "train/loss": "1.5", "val/loss": ""},
    ]
    logger = logger_at(tmp_path)
    logger.begin(2)
    logger.log_metrics({"train/loss": 9}, step=3)
    logger.finalize("success")
    assert lines() == [
        "step,seconds,epoch,train/loss,val/loss", "1,,0,3,", "2,,0,2,2.5", "3,0.5,,9,",
    ]  # fmt: skip


def test_an_existing_file_is_not_overwritten_by_a_new_logger(tmp_path, lines):
    (tmp_path / "metrics.csv").write_text("step,seconds,a\n1,1,1\n")
    logger = logger_at(tmp_path)
    logger.log_metrics({"a": 2}, step=2)
    logger.save()
    assert lines() == ["step,seconds,a", "1,1,1", "2,1.5,2"]


def test_numbers_that_are_not_finite_are_written_as_such(tmp_path, lines):
    logger = logger_at(tmp_path)
    logger.log_metrics({"a": float("nan"), "b": float("inf"), "c": 1 / 3}, step=1)
    logger.save()
    assert lines()[1] == "1,0.5,nan,inf,0.333333333"


@pytest.mark.parametrize("at_begin", [False, True])
def test_a_full_disk_loses_no_row(tmp_path, lines, monkeypatch, at_begin):
    logger = logger_at(tmp_path)
    logger.log_metrics({"a": 1}, step=1)
    logger.save()

    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.open", full)
        patch.setattr("symbotunes.training.loggers.csv.atomic_write", full)
        if at_begin:
            logger = logger_at(tmp_path, seconds=50)
            logger.begin(1)
        for step in (2, 3):
            logger.log_metrics({"a": step}, step=step)
            logger.save()
    logger.log_metrics({"a": 30}, step=3)
    logger.save()
    assert lines() == ["step,seconds,a", "1,0.5,1", "2,1,2", "3,1.5,30"]


def test_a_file_that_is_removed_while_training_is_begun_anew(tmp_path, lines):
    logger = logger_at(tmp_path)
    logger.begin(0)
    logger.log_metrics({"a": 1}, step=1)
    logger.log_metrics({"a": 2}, step=2)
    logger.save()
    (tmp_path / "metrics.csv").unlink()
    logger.log_metrics({"a": 3}, step=3)
    logger.save()
    assert lines() == ["step,seconds,a", "2,1,2", "3,1.5,3"]
