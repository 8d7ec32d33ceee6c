"""The dump of thesession.org, as a table of our own tunes with its columns."""

import json

import pytest

from symbotunes.datasets.base import DatasetError, Dropped
from symbotunes.datasets.the_session import TheSession
from symbotunes.music.abc.playback import notes

HEAD = "tune_id,setting_id,name,type,meter,mode,abc,date,username,composer\n"
SCALE = '1,17,"Scale, The",reel,4/4,Gmajor,"|:GABc defg:|\r\nE8|]","2020-01-01 10:00:00",ann,\n'
JIG = "2,18,Up,jig,6/8,Adorian,EAA ABc|d6|],2020-01-01 10:00:00,bob,Bob\n"


@pytest.fixture
def dump(tmp_path):
    def make(text, name="tunes.csv"):
        path = tmp_path / name
        path.write_text(text, newline="")
        return TheSession(path, "http://x/tunes.csv", download=False)

    return make


def test_a_setting_becomes_a_tune_in_eighths(dump):
    scale, jig = dump(HEAD + SCALE + JIG).pieces()
    assert scale.text.splitlines() == [
        "X:17",
        "T:Scale, The",
        "R:reel",
        "M:4/4",
        "L:1/8",
        "K:Gmajor",
        "|:GABc defg:|",
        "E8|]",
    ]
    assert (scale.id, scale.title, scale.rhythm) == ("tunes.csv#17", "Scale, The", "reel")
    tokens = jig.content().decode().split()
    assert tokens[:2] == ["M:6/8", "K:Cdor"]
    assert [note.duration for note in notes(tokens)][-1] == 3  # quarters: six eighths


def test_the_json_dump_reads_the_same(dump):
    keys = HEAD.strip().split(",")
    rows = [dict(zip(keys, JIG.strip().split(","), strict=True))]
    (from_json,) = dump(json.dumps(rows), "tunes.json").pieces()
    (from_csv,) = dump(HEAD + JIG).pieces()
    assert from_json.text == from_csv.text


def test_a_row_cut_short_is_dropped(dump):
    kept, dropped = dump(HEAD + SCALE + "2,18,Up,jig\n").pieces()
    assert kept.title == "Scale, The"
    assert dropped == Dropped("tunes.csv, row 2", "incomplete row")


@pytest.mark.parametrize("text", ["a,b\n1,2\n", '{"message": "Not found"}', "<html>"])
@pytest.mark.parametrize("name", ["tunes.csv", "tunes.json"])
def test_what_is_no_dump_is_refused_in_one_line(dump, text, name):
    with pytest.raises(DatasetError, match=r"not a dump of thesession.org's tunes"):
        list(dump(text + "\nx,y\n" * (name == "tunes.csv"), name).pieces())


def test_a_missing_dump_says_where_to_put_it(dump, tmp_path):
    corpus = dump(HEAD)
    corpus.path.unlink()
    with pytest.raises(DatasetError, match=f"put it at {corpus.path}"):
        corpus.files()


def test_settings_of_one_tune_are_versions_of_one_work(dump):
    text = (
        "tune_id,setting_id,name,type,meter,mode,abc\n"
        "7,1,A,jig,6/8,Gmajor,GAB\n7,2,A,jig,6/8,Amajor,ABc\n70,3,B,jig,6/8,Gmajor,GAB\n"
    )
    assert [tune.work for tune in dump(text).pieces()] == [
        "thesession.org/7",
        "thesession.org/7",
        "thesession.org/70",
    ]
    rows = '[{"tune_id": 7, "setting_id": "1", "name": "A", "type": "jig", "meter": "6/8", '
    (tune,) = dump(rows + '"mode": "Gmajor", "abc": "GAB"}]', "tunes.json").pieces()
    assert tune.work == "thesession.org/7"


def test_a_dump_without_numbers_of_tunes_names_no_work(dump):
    (tune,) = dump("setting_id,name,type,meter,mode,abc\n1,A,jig,6/8,Gmajor,GAB\n").pieces()
    assert tune.work == ""
