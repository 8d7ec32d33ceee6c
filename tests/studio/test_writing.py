"""Tasks from what a page asks to the pieces that it is sent."""

import re
from dataclasses import replace

import pytest

from symbotunes.errors import UserError
from symbotunes.studio.wanted import Wanted
from tests.music.events import midi, notes
from tests.studio.conftest import KESH
from tests.studio.test_tasks import events_of

SHORT = {"max_tokens": 60}


def notes_of(abc):
    """The music of a tune, without its header."""
    return abc.split("K:")[1].split("\n", 1)[1]


def test_tunes_come_one_by_one_as_their_bars_are_complete(page, checkpoints):
    options = {**SHORT, "prompt": "M:6/8 K:Ador", "constraint": "abc"}
    pieces, events = page.write(checkpoints["tunes"], "sample", num=2, options=options)
    names = [name for name, _ in events]
    assert names[0] == "queued"
    assert names[-1] == "done"
    assert [piece["title"] for piece in pieces] == ["Sample 1", "Sample 2"]
    first = names.index("piece")
    grown = [data["abc"] for name, data in events[:first] if name == "text"]
    assert grown
    assert all("M:6/8" in abc and "K:Ador" in abc for abc in grown)
    assert len(grown[-1]) <= len(pieces[0]["abc"]) + len("|]")
    assert pieces[0]["seed"] != pieces[1]["seed"]


def test_a_tune_is_written_again_by_its_own_seed(page, checkpoints, studio):
    options = {**SHORT, "prompt": "M:6/8 K:Ador"}
    pieces, _ = page.write(checkpoints["tunes"], "sample", num=2, options=options)
    model = studio.models.get(studio.menu.entry(checkpoints["tunes"]))
    for piece in pieces:
        (again,) = model.sample(seeds=[piece["seed"]], **options)
        assert notes_of(again.abc) == notes_of(piece["abc"])


def test_a_piece_is_continued_from_its_first_bars(page, checkpoints):
    kesh = page.type()
    (piece,), _ = page.write(
        checkpoints["tunes"], "continue", piece=kesh["id"], bars="1-2", options=SHORT
    )
    assert piece["parent"] == kesh["id"]
    assert "G3 GAB | A3 ABd |" in piece["abc"]


def test_bars_are_written_anew_by_another_model_where_the_chosen_one_cannot(page, checkpoints):
    kesh = page.type()
    (piece,), _ = page.write(checkpoints["tunes"], "infill", piece=kesh["id"], bars="2")
    assert piece["model"] == "gpt2"
    assert piece["remarks"][0] == "written by gpt2, since tiny, tunes cannot write bars anew"
    assert piece["new_bars"] == [2]
    kept = re.findall(r"[^|:\n]+", notes_of(piece["abc"]))
    assert [bar.strip() for bar in kept if bar.strip()][0] == "G3 GAB"
    (own,), _ = page.write(checkpoints["fills"], "infill", piece=kesh["id"], bars="2")
    assert own["remarks"] == []


def test_a_tune_keeps_the_instrument_of_the_one_that_it_continues(page, checkpoints):
    kesh = page.type()
    changed = page.post(f"pieces/{kesh['id']}/change", {"instrument": 73})
    (piece,), _ = page.write(
        checkpoints["fills"], "infill", piece=changed["id"], bars="2", options=SHORT
    )
    assert piece["instrument"] == 73


def test_a_melody_is_harmonized(page):
    kesh = page.type(
        KESH.replace("6/8", "4/4").replace("G3 GAB | A3 ABd | edd gdd | edB dBA", "G8")
    )
    (piece,), _ = page.write("pretrained/chorales", "harmonize", piece=kesh["id"])
    assert [track["notes"] > 0 for track in piece["tracks"]] == [True] * 4


def test_an_error_names_the_piece_and_not_its_file(page):
    wide = page.type("X:1\nT:Wide\nM:4/4\nL:1/8\nK:C\nC,,4 c''4 |\n")
    _, events = page.write("pretrained/chorales", "harmonize", piece=wide["id"])
    name, data = events[-1]
    assert name == "failed"
    assert data["error"].startswith("Wide: its range is wider than that of a soprano")


def test_windows_are_drawn_and_a_path_is_found_between_them(page, checkpoints):
    model = checkpoints["windows"]
    (drawn,), _ = page.write(model, "prior", seed=1, options={"temperature": 0.5, "min_p": 0})
    assert drawn["plan"] == "prior"
    ends = [page.type("X:1\nT:A\nM:4/4\nL:1/8\nK:C\nCDEF GABc | cBAG FEDC |\n")["id"]] * 2
    points, _ = page.write(model, "interpolate", a=ends[0], b=ends[1], options={"steps": 3})
    assert [point["title"].partition(":")[0] for point in points] == [
        "Point 1", "Point 2", "Point 3",
    ]  # fmt: skip


def test_a_track_of_a_file_is_accompanied_and_a_span_filled(page, client, checkpoints):
    spans = [(240 * at, 240 * at + 200, 60 + at % 12) for at in range(40)]
    file = midi(notes(*spans), ticks_per_quarter=240)
    piece = client.post("/api/pieces", files={"file": ("my.mid", file)}).json()
    task = {"piece": piece["id"], "options": {"max_tokens": 30}}
    track = piece["tracks"][0]["index"]
    (added,), _ = page.write(checkpoints["events"], "accompany", track=track, **task)
    assert added["plan"] == "accompany"
    (filled,), _ = page.write(checkpoints["events"], "infill", span=[2.0, 3.5], **task)
    assert filled["given"] != []


def test_an_attribute_needs_the_training_data_which_the_page_is_told_of(studio, checkpoints):
    def gone(model):
        raise UserError("the training data are gone")

    writing = replace(studio.writing, data_of=gone)
    body = {"model": checkpoints["windows"], "plan": "attribute", "seed": 1}
    task = studio.tasks.add(writing.work(Wanted.read(body)))
    (*_, loading, failed) = events_of(task)
    assert loading == ("loading", {"model": "the training data of tiny, windows"})
    assert failed == ("failed", {"error": "the training data are gone"})


@pytest.mark.parametrize(
    ("task", "line"),
    [
        ({"plan": "dance"}, "plan must be one of"),
        ({"model": "../../etc/passwd"}, "not on the menu"),
        ({"num": 0}, "whole number"),
        ({"num": 1000}, "at most 32 candidates"),
        ({"seed": -1}, "whole number"),
        ({"options": {"out": "/tmp/x"}}, "out is not a setting"),
        ({"options": {"input": "/etc/passwd"}}, "input is not a setting"),
        ({"options": {"temperature": "hot"}}, "sample"),
        ({"options": {"temperature": -1}}, "temperature=-1"),
        ({"options": []}, "options must be"),
        ({"plan": "continue"}, "choose a piece first"),
        ({"plan": "continue", "piece": "99"}, "there is no piece '99'"),
        ({"plan": "accompany", "piece": "1"}, "tiny, tunes cannot accompany a track"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_line(page, checkpoints, task, line):
    body = {"model": checkpoints["tunes"], "plan": "sample", "seed": 1, "options": {}, **task}
    page.type()
    assert line in page.post("tasks", body, 400)["error"]
