import base64
import errno
import json
import os
import re
import sys
from html.parser import HTMLParser

import pytest
import symusic

from symbotunes.errors import UserError
from symbotunes.files import atomic_write
from symbotunes.render import forms
from symbotunes.render.gallery import write_gallery
from symbotunes.render.notation.notation import EngravingError

FACTS = {"model": "tiny", "checkpoint": "runs/<best>.ckpt"}


class Page(HTMLParser):
    """Every tag with its attributes, and the text."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, wanted):
        return [attributes for tag, attributes in self.tags if tag == wanted]


@pytest.fixture
def written(tmp_path, make_sample):
    def write(*samples):
        path = write_gallery(tmp_path, samples or [make_sample()], heading="Heard", facts=FACTS)
        table = json.loads((tmp_path / "samples.json").read_text())
        return Page(path.read_text()), table, tmp_path

    return write


def test_a_sample_becomes_all_its_files(written):
    _, table, folder = written()
    assert sorted(path.name for path in folder.iterdir()) == [
        "index.html", "sample_01.abc", "sample_01.mid", "sample_01.mp3", "sample_01.png",
        "sample_01.svg", "sample_01.wav", "samples.json",
    ]  # fmt: skip
    assert set(table["samples"][0]["files"].values()) <= {path.name for path in folder.iterdir()}
    notes = symusic.Score(folder / "sample_01.mid").tracks[0].notes
    assert [note.pitch for note in notes] == [62, 66, 69]


def test_the_table_says_what_is_known(written, make_sample):
    _, table, _ = written(make_sample(nll_nats=45.0, generated=30, bars=4, right_bars=3))
    row = table["samples"][0]
    assert table["facts"] == FACTS
    assert row["nats_per_token"] == 1.5
    assert (row["seed"], row["finished"], row["bars"], row["right_bars"]) == (7, True, 4, 3)


def test_every_data_link_is_the_file_on_disk(written):
    page, _, folder = written()
    links = {link["download"]: link["href"] for link in page.all("a")}
    shown = {f"#{tag['id']}": tag["src"] for tag in page.all("audio") + page.all("img")}
    inside = {name: shown.get(address, address) for name, address in links.items()}
    assert set(inside) == {f"sample_01.{suffix}" for suffix in ("abc", "mid", "mp3", "png", "svg")}
    assert len(shown) == 3  # sound and pictures are in the page once; the script takes them there
    for name, address in inside.items():
        assert base64.b64decode(address.partition(";base64,")[2]) == (folder / name).read_bytes()


def test_the_page_loads_nothing_from_elsewhere(written):
    page, _, _ = written()
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        for name in ("src", "href", "srcset", "action", "poster"):
            assert (attributes.get(name) or "#").startswith(("data:", "#")), (tag, name)
    policy = next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    assert policy.startswith("default-src 'none';")
    assert "http" not in policy


def test_the_pages_own_script_is_the_one_that_may_run(written, tmp_path):
    import hashlib

    written()
    source = (tmp_path / "index.html").read_text()
    (script,) = re.findall(r"<script>(.*?)</script>", source, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in source


def test_what_a_model_writes_is_shown_and_never_run(written, make_sample):
    evil = "<script>alert(1)</script>"
    sample = make_sample(title=evil, abc=f"X:1\nT:{evil}\n</pre>{evil}", notes=(f"note {evil}",))
    page, _, _ = written(sample)
    assert len(page.all("script")) == 1
    assert page.text.count(evil) >= 3
    assert "runs/<best>.ckpt" in page.text


def test_the_reader_learns_likelihood_length_and_remarks(written, make_sample):
    page, _, _ = written(
        make_sample(bars=4, right_bars=3, finished=False, notes=("bar 2 is too long",)),
        make_sample("sample_02", nll_nats=90.0),
    )
    for words in (
        "1.50 nats per token, most likely here", "45.0 nats in all", "30 tokens", "seed 7",
        "3 of 4 bars have the right length", "unfinished", "bar 2 is too long", "2 samples",
        "3.00 nats per token, least likely here", "finished by the model",
    ):  # fmt: skip
        assert words in page.text
    widths = [tag["style"] for tag in page.all("i") if "style" in tag]
    assert widths == ["width:50.0%", "width:100.0%"]


def test_an_engraving_that_fails_leaves_everything_else(written, make_sample, monkeypatch):
    def fail(abc):
        raise EngravingError("no such key")

    monkeypatch.setattr(forms, "engrave", fail)
    page, table, folder = written(make_sample(), make_sample("sample_02"))
    assert table["samples"][0]["failures"] == {"svg": "no such key"}
    assert table["samples"][0]["files"].keys() == {"abc", "mid", "wav", "mp3", "png"}
    assert "no notation: no such key" in page.text
    assert len(page.all("audio")) == 2
    assert not (folder / "sample_01.svg").exists()


def test_a_crash_of_the_engraver_costs_only_the_notation(written, make_sample):
    page, table, _ = written(make_sample(abc="nothing that verovio survives"))
    assert table["samples"][0]["files"].keys() == {"abc", "mid", "wav", "mp3", "png"}
    assert "no notation: verovio" in page.text


def test_files_of_an_older_set_do_not_pass_for_the_new_one(written, make_sample, notation_of_midi):
    written()
    _, table, folder = written(make_sample(abc=None))
    assert not (folder / "sample_01.abc").exists()
    assert (folder / "sample_01.svg").read_text() == notation_of_midi
    assert table["samples"][0]["failures"] == {}


def test_the_files_of_a_larger_set_go_and_nothing_else_does(written, make_sample):
    _, _, folder = written(make_sample(), make_sample("sample_02"))
    for name in ("sample_03.mid", "mine.abc"):
        (folder / name).write_bytes(b"not of the set")
    written(make_sample())
    assert not list(folder.glob("sample_02.*"))
    assert (folder / "sample_03.mid").exists()
    assert (folder / "mine.abc").exists()


@pytest.mark.parametrize("name", ["../outside", "{parent}/outside", "inside/outside", "", None, 7])
def test_a_forged_table_removes_nothing(written, make_sample, name):
    _, _, folder = written(make_sample())
    if isinstance(name, str):
        name = name.format(parent=folder.parent)
    (folder / "inside").mkdir()
    victims = [folder.parent / "outside.abc", folder / "inside" / "outside.abc"]
    victims += [folder / f"{name}.abc" for name in ("", "None", "7")]
    for victim in victims:
        victim.write_text("kept")
    (folder / "samples.json").write_text(json.dumps({"samples": [{"name": name}]}))
    with pytest.raises(UserError, match="is in the way"):
        written(make_sample())
    assert [victim.read_text() for victim in victims] == ["kept"] * 5


def test_a_set_without_samples_has_a_page(tmp_path):
    page = write_gallery(tmp_path / "new" / "folder", [], heading="Nothing", facts={})
    assert "There are no samples in this set." in Page(page.read_text()).text


def test_likelihoods_without_bound_do_not_stop_the_page(written, make_sample):
    _, table, _ = written(make_sample(nll_nats=float("inf")), make_sample("b", generated=0))
    assert table["samples"][0]["nll_nats"] is None
    assert table["samples"][1]["nats_per_token"] == 0


@pytest.mark.slow("synthesizes three minutes of sound")
def test_sound_that_is_cut_is_announced(written, make_sample):
    score = make_sample().score
    score.tracks[0].notes.append(symusic.Note(0, 960 * 500, 62, 90))  # 500 s
    page, _, _ = written(make_sample(score=score, abc=None))
    assert "the sound stops after 180 of 500 s" in page.text


def test_a_page_that_cannot_encode_its_sound_contains_the_wav_and_says_so(written, monkeypatch):
    monkeypatch.setitem(sys.modules, "lameenc", None)
    page, table, folder = written()
    assert not (folder / "sample_01.mp3").exists()
    assert "no MP3, so this page has Audio (WAV): import of lameenc halted" in page.text
    (player,) = page.all("audio")
    assert player["src"].startswith("data:audio/wav;base64,")
    assert any(link["download"] == "sample_01.wav" for link in page.all("a"))


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "a b"])
def test_names_that_leave_the_folder_are_refused(tmp_path, make_sample, name):
    with pytest.raises(ValueError, match="sample name"):
        write_gallery(tmp_path, [make_sample(name)], heading="", facts={})
    assert not list(tmp_path.iterdir())


def test_two_samples_cannot_share_their_files(tmp_path, make_sample):
    with pytest.raises(ValueError, match="2 samples are named 'sample_01'"):
        write_gallery(tmp_path, [make_sample(), make_sample()], heading="", facts={})


def test_a_full_disk_leaves_the_old_file_and_no_draft(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    atomic_write(path, "old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        atomic_write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
