"""The page of a listening test's results shows all of them."""

import pytest

from symbotunes.evaluation.listening.questions import NAMES
from symbotunes.evaluation.listening.ratings import Key, Listener, Rating
from symbotunes.evaluation.listening.results import measure
from symbotunes.evaluation.metrics.bootstrap import Bootstrap
from symbotunes.render.pages import listening_results
from symbotunes.render.tables import Drawing

LONG = "a model whose name is far too long for the row of a chart, "
PAIRS = ("3 over 2", "3 over 1", "2 over 1")
SOURCES = (f"{LONG}5 steps", f"{LONG}6 steps", "held-out music")


@pytest.fixture
def results():
    pieces = {f"{number}{r}": (SOURCES[number], r) for number in range(3) for r in range(2)}
    heard = tuple(Rating(name, dict.fromkeys(NAMES, 1 + int(name[0])), 9.0) for name in pieces)
    return measure(Key("0" * 8, SOURCES, pieces), [Listener("0" * 8, heard)], Bootstrap(2))


def test_every_row_of_a_chart_has_its_dots_even_if_names_begin_alike(results, monkeypatch):
    drawn = []

    def dot_chart(rows, series, axis):
        drawn.append((rows, series, axis))
        return Drawing(b"<svg/>", "")

    monkeypatch.setattr(listening_results, "dot_chart", dot_chart)
    listening_results.results_page(results, {}, [])
    (rows, means, _), (pairs, (differences,), _) = drawn
    assert len(set(rows)) == 3
    assert [list(series.values) for series in means] == [rows] * 5
    assert [interval.value for interval in means[0].values.values()] == [1, 2, 3]
    assert all(line for row in rows for line in row.split("\n") if len(line) <= 30)
    assert list(differences.values) == pairs == [pair.replace(" ", "\u00a0") for pair in PAIRS]
    assert [interval.value for interval in differences.values.values()] == [1, 2, 1]


def test_tables_name_every_source_once_and_pairs_by_number(results):
    means = listening_results.means_table(results)
    assert [row[0] for row in means.rows] == [f"{n}: {name}" for n, name in enumerate(SOURCES, 1)]
    assert [row[1].value for row in means.rows] == ["1.00", "2.00", "3.00"]
    overall = listening_results.differences_table(results, results.overall)
    assert [row[2].value for row in overall.rows] == ["+1.00", "+2.00", "+1.00"]
    by_question = listening_results.differences_table(results, results.by_question)
    assert len(by_question.rows) == 3 * 4
