import pytest

from symbotunes.training.callbacks.memory import MemoryReport
from symbotunes.training.loggers.csv import RunCsvLogger


def test_on_the_cpu_it_reports_resident_memory(fit):
    report = MemoryReport(every_n_steps=1)
    fit(report)
    assert report.kind == "host"
    assert 0.05 < report.peak_gib < 64  # GiB: a process that imported torch


def test_it_logs_every_n_steps_into_the_row_of_that_step(fit, run_dir):
    fit(MemoryReport(every_n_steps=3), logger=RunCsvLogger(run_dir), log_every_n_steps=100)
    rows = (run_dir / "metrics.csv").read_text().splitlines()
    column = rows[0].split(",").index("memory/peak_gib")
    assert [row.split(",")[0] for row in rows[1:] if row.split(",")[column]] == ["3", "6"]


def test_the_peak_does_not_fall(fit, monkeypatch):
    used = iter([2 * 2**30, 3 * 2**30, *[2**30] * 20])
    monkeypatch.setattr(
        "psutil.Process.memory_info", lambda self: type("M", (), {"rss": next(used)})
    )
    report = MemoryReport(every_n_steps=1)
    fit(report)
    assert report.peak_gib == pytest.approx(3.0)
