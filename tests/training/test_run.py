"""What a run says of itself when it is over."""

from rich.console import Console

from symbotunes.evaluation.sequences.baselines import Baselines
from symbotunes.render.console import closing_table
from symbotunes.training.loggers.csv import RunCsvLogger
from symbotunes.training.run import Best, with_metrics_file


def shown(table):
    console = Console(width=100, record=True)
    console.print(table)
    return console.export_text()


def test_a_search_minimizes_so_what_should_be_large_changes_its_sign():
    assert Best("val/loss", 1.5, "min").to_minimize == 1.5
    assert Best("val/overlap", 0.25, "max").to_minimize == -0.25


def test_a_likelihood_is_shown_beside_those_of_n_grams():
    text = shown(closing_table("val/loss", 1.5, Baselines({3: 2.0}), "mine"))
    for expected in ("nats per token", "trigram", "+0.500", "mine"):
        assert expected in text


def test_another_metric_is_shown_by_its_name_and_without_a_unit():
    text = shown(closing_table("val/class_distance", 0.25, Baselines(), "mine"))
    assert "val/class_distance" in text
    assert "0.25" in text
    assert "nats" not in text
    assert "lowest" in text


def test_the_direction_of_another_metric_is_shown():
    text = shown(closing_table("val/accuracy", 0.25, Baselines(), "mine", "max"))
    assert "highest val/accuracy" in text


def test_metrics_csv_is_written_whatever_the_loggers_and_once(tmp_path):
    other = object()
    own, kept = with_metrics_file([other], tmp_path)
    assert (own.path, kept) == (tmp_path / "metrics.csv", other)
    (alone,) = with_metrics_file([], tmp_path)
    assert alone.path == tmp_path / "metrics.csv"
    given = [RunCsvLogger(str(tmp_path)), other]
    assert with_metrics_file(given, tmp_path) == given
    elsewhere = RunCsvLogger(tmp_path / "elsewhere")
    assert [logger.path.parent for logger in with_metrics_file([elsewhere], tmp_path)] == [
        tmp_path, tmp_path / "elsewhere",
    ]  # fmt: skip
