import pytest

from symbotunes.training.loggers.csv import RunCsvLogger


@pytest.fixture
def lines(tmp_path):
    return lambda: (tmp_path / "metrics.csv").read_text().splitlines()


def test_metrics_of_one_step_share_a_row(tmp_path, lines):
    logger = RunCsvLogger(tmp_path)
    logger.log_metrics({"train/loss": 1.5}, step=0)
    logger.log_metrics({"lr": 0.25}, step=0)
    logger.log_metrics({"train/loss": 1.25, "lr": 0.125}, step=10)
    logger.finalize("success")
    assert lines() == ["step,train/loss,lr", "0,1.5,0.25", "10,1.25,0.125"]


def test_a_metric_that_comes_later_adds_a_column_and_keeps_the_rows(tmp_path, lines):
    logger = RunCsvLogger(tmp_path)
    logger.log_metrics({"train/loss": 1.5}, step=0)
    logger.save()
    logger.log_metrics({"val/loss": 2.0}, step=1)
    logger.save()
    assert lines() == ["step,train/loss,val/loss", "0,1.5,", "1,,2"]


def test_a_resumed_run_keeps_old_rows_and_drops_those_it_takes_again(tmp_path, lines):
    first = RunCsvLogger(tmp_path)
    for step in range(5):
        first.log_metrics({"train/loss": float(step)}, step=step)
    first.finalize("failed")
    second = RunCsvLogger(tmp_path)
    second.drop_from(3)
    second.log_metrics({"train/loss": 30.0}, step=3)
    second.finalize("success")
    assert lines() == ["step,train/loss", "0,0", "1,1", "2,2", "3,30"]


def test_a_line_that_a_crash_cut_short_is_left_out(tmp_path, lines):
    (tmp_path / "metrics.csv").write_text("step,a,b\n0,1,2\n1,3")
    logger = RunCsvLogger(tmp_path)
    logger.drop_from(2)
    logger.log_metrics({"a": 5, "b": 6}, step=2)
    logger.finalize("success")
    assert lines() == ["step,a,b", "0,1,2", "2,5,6"]


def test_an_existing_file_is_not_overwritten_by_a_new_logger(tmp_path, lines):
    (tmp_path / "metrics.csv").write_text("step,a\n0,1\n")
    logger = RunCsvLogger(tmp_path)
    logger.log_metrics({"a": 2}, step=1)
    logger.save()
    assert lines() == ["step,a", "0,1", "1,2"]


def test_numbers_that_are_not_finite_are_written_as_such(tmp_path, lines):
    logger = RunCsvLogger(tmp_path)
    logger.log_metrics({"a": float("nan"), "b": float("inf"), "c": 1 / 3}, step=0)
    logger.save()
    assert lines()[1] == "0,nan,inf,0.333333333"


def test_a_full_disk_keeps_the_row_for_the_next_save(tmp_path, lines, monkeypatch):
    logger = RunCsvLogger(tmp_path)
    logger.log_metrics({"a": 1}, step=0)
    logger.save()

    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    logger.log_metrics({"a": 2}, step=1)
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.open", full)
        logger.save()
    logger.save()
    assert lines() == ["step,a", "0,1", "1,2"]
