"""What a run says of itself when it is over."""

from rich.console import Console

from symbotunes.evaluation.sequences.baselines import Baselines
from symbotunes.render.console import closing_table
from symbotunes.training.run import Best


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
