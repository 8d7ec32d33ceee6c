"""mode=listen from the command line: a blind page, and the results of what listeners saved."""

import json
import re

import pytest

from symbotunes.evaluation.listening.questions import NAMES

pytestmark = pytest.mark.xdist_group("listen")  # one process makes its runs once
SMALL = ["listen.pieces=6", "listen.rounds=4", "listen.seconds=1", "sample.max_tokens=40"]


@pytest.fixture(scope="module")
def written(run_main, trained, tmp_path_factory):
    """The folder of a test of one tiny model and held-out music."""
    outputs = tmp_path_factory.mktemp("listen") / "outputs"
    ckpt = f"listen.ckpts=[{trained / 'checkpoints' / 'best.ckpt'}]"
    result = run_main(outputs, "mode=listen", ckpt, *SMALL)
    (folder,) = (outputs / "listen").iterdir()
    assert f"Listen  {folder / 'index.html'}" in result.stdout
    assert "do not give it to listeners" in result.stdout
    return folder


def data_of(folder):
    page = (folder / "index.html").read_text()
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    return json.loads(found)


def test_the_page_does_not_tell_who_wrote_what_and_loads_nothing(written):
    page = (written / "index.html").read_text()
    key = json.loads((written / "key.json").read_text())
    data = data_of(written)
    assert set(data["sounds"]) == set(key["pieces"])
    plain = re.sub(r"data:audio/mpeg;base64,[\w+/=]+", "", page)
    told = ["folk_rnn", "held", "best.ckpt", *key["sources"]]
    told += [piece["title"] for piece in key["pieces"].values() if piece.get("title")]
    assert [word for word in told if word in plain] == []
    assert "http:" not in plain
    assert "https:" not in plain
    assert plain.count("<script") == 2


def test_rounds_hold_a_piece_of_every_source(written):
    key, data = json.loads((written / "key.json").read_text()), data_of(written)
    assert (len(data["rounds"]), data["rounds_heard"]) == (6, 4)
    for names in data["rounds"]:
        assert {key["pieces"][name]["source"] for name in names} == set(key["sources"])
    names = [name for round in data["rounds"] for name in round]
    assert sorted(names) == sorted(key["pieces"])
    assert key["sources"] == ["folk_rnn_small, 12 steps", "held-out music"]


@pytest.fixture(scope="module")
def rated(written):
    """Files of eight listeners who like held-out music more, and of two that are broken."""
    folder = written.parent / "ratings"
    folder.mkdir()
    key = json.loads((written / "key.json").read_text())
    for number in range(8):
        rows = [
            {"piece": name, "seconds": 1, **dict.fromkeys(NAMES, 4 if human else 1 + number % 3)}
            for name, piece in key["pieces"].items()
            for human in [piece["source"] == "held-out music"]
        ]
        head = {"format": "symbotunes listening ratings", "version": 1, "test": key["test"]}
        content = {**head, "listener": f"{number:08x}", "name": "<b>me</b>", "ratings": rows}
        (folder / f"{number}.json").write_text(json.dumps(content))
    (folder / "torn.json").write_text("{")
    return folder


def test_the_results_tell_which_source_is_rated_higher(run_main, written, rated):
    outputs = written.parents[1]
    result = run_main(outputs, "mode=listen", f"listen.ratings=[{rated}]", "evaluate.resamples=50")
    assert "torn.json: it is not JSON" in result.stdout
    assert "Result  held-out music is rated 2.12 points higher than folk_rnn" in result.stdout
    (found,) = (path.parent for path in outputs.glob("listen/*/results.json"))
    content = json.loads((found / "results.json").read_text())
    assert content["listeners"] == 8
    assert content["means"]["held-out music"]["overall"]["value"] == 4
    first = content["differences"][0]
    assert first["p_by_listeners"] == pytest.approx(2 / 2**8)
    assert first["p"] == pytest.approx(2 / 2**6)  # of six rounds
    rows = (found / "ratings.csv").read_text().splitlines()
    assert rows[0].startswith("listener,position,piece,source,round,seconds,coherence")
    assert len(rows) == 1 + 8 * 12
    page = (found / "index.html").read_text()
    assert "<script" not in page
    assert "<b>me</b>" not in page


@pytest.mark.slow("samples a continuation of every held-out piece")
def test_everyone_continues_the_same_beginnings(run_main, written, trained):
    outputs = written.parents[1] / "continued"
    ckpt = f"listen.ckpts=[{trained / 'checkpoints' / 'best.ckpt'}]"
    run_main(outputs, "mode=listen", ckpt, *SMALL, "listen.prompt_bars=2", "listen.pieces=3")
    (folder,) = (outputs / "listen").iterdir()
    pieces = json.loads((folder / "key.json").read_text())["pieces"].values()
    for number in range(3):
        ours, theirs = sorted(
            (piece for piece in pieces if piece["round"] == number), key=lambda one: one["source"]
        )
        assert ours["continues"] == theirs["title"]
    assert "The first 2 bars of every piece were given" in (folder / "index.html").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "mode=listen needs 'listen.ckpts=[A.ckpt,B.ckpt]' for a new test"),
        (["listen.ratings=[missing.json]"], "listen.ratings=missing.json: there is no such file"),
    ],
)
def test_mistakes_are_told_in_one_line(run_main, tmp_path, words, said):
    result = run_main(tmp_path, "mode=listen", *words, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith(f"error: {said}")
    assert result.stderr.count("\n") == 1
