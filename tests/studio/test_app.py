"""What a page asks besides tasks, and what it may be sent by mistake or malice."""

import io
import zipfile
from html.parser import HTMLParser

import pytest

from symbotunes.studio import piece as pieces_on_disk
from tests.studio.conftest import KESH

SCRIPT = "<script>alert(1)</script>"


def test_the_page_loads_nothing_but_files_of_the_studio(client):
    loaded = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            names = dict(attrs)
            loaded.extend(filter(None, (names.get("src"), names.get("href"))))

    Reader().feed(client.get("/").text)
    assert "page/main.js" in loaded
    assert "page/look.css" in loaded
    for name in loaded:
        if name.startswith("#"):  # a place of the page itself
            continue
        response = client.get(f"/{name}")
        assert response.status_code == 200
        kinds = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
        assert response.headers["content-type"].startswith(kinds[name.rpartition(".")[2]])


@pytest.mark.parametrize(
    "name", ["nothing.js", "..%2f..%2ferrors.py", "%2e%2e/app.py", "..%5capp.py", "app.py", "page"]
)
def test_no_other_file_is_a_part_of_the_page(client, name):
    assert client.get(f"/page/{name}").status_code == 404


def test_the_menu_says_what_models_were_trained_on_and_their_likelihood(page):
    table = {model["id"]: model for model in page.get("models").json()}
    folk = table["pretrained/folk_rnn"]
    assert folk["trained_on"] == "Folk"
    assert folk["likelihood"].endswith("nats per token on the val split, best of the training")
    assert folk["abc"] is True
    assert "harmonize" in table["pretrained/chorales"]["abilities"]


def test_a_typed_tune_becomes_a_piece_with_every_form(page):
    piece = page.type()
    assert piece["title"] == "Kesh"
    assert "G3 GAB | A3 ABd" in piece["abc"]
    for form, head in (("mid", b"MThd"), ("wav", b"RIFF"), ("abc", b"X:"), ("svg", b"<")):
        assert page.get(f"pieces/{piece['id']}/files/{form}").content.startswith(head)
    notation = page.get(f"pieces/{piece['id']}/notation").json()
    assert [bar["number"] for bar in notation["bars"]] == [1, 2, 3, 4]
    assert page.get("session").json()["pieces"] == [piece]


def test_sound_is_served_in_ranges_so_that_players_can_jump(page, client):
    address = f"/api/pieces/{page.type()['id']}/files/wav"
    whole = client.get(address)
    assert whole.headers["accept-ranges"] == "bytes"
    part = client.get(address, headers={"Range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == whole.content[100:200]
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"


def test_a_file_that_is_opened_by_itself_runs_nothing(page, client):
    piece = page.type(KESH.replace("Kesh", SCRIPT))
    response = client.get(f"/api/pieces/{piece['id']}/files/svg")
    assert "sandbox" in response.headers["content-security-policy"]
    assert response.headers["content-disposition"].startswith("attachment")
    assert SCRIPT not in response.text


def test_a_title_comes_back_as_it_is_in_data_alone(page):
    piece = page.type(KESH.replace("Kesh", SCRIPT))
    assert piece["title"] == SCRIPT
    assert SCRIPT not in "".join(page.get(f"pieces/{piece['id']}/notation").json()["svg"])


def test_a_change_makes_another_piece(page):
    piece = page.type()
    higher = page.post(f"pieces/{piece['id']}/change", {"transpose": 2, "tempo": 90})
    assert higher["parent"] == piece["id"]
    assert "K:A" in higher["abc"]
    assert page.get(f"pieces/{higher['id']}/command").json()["command"].count("render.transpose=2")
    assert page.post(f"pieces/{piece['id']}/change", {"out": "/tmp"}, 400)["error"]


def test_errors_in_abc_have_a_place(page):
    text = KESH.replace("A3 ABd", "A3 [ABd")
    answer = page.post("check", {"abc": text})
    assert answer["ok"] is False
    assert text.count("\n", 0, answer["position"]) == 5
    assert page.post("check", {"abc": KESH}) == {"ok": True, "error": None, "position": None}
    assert "line" in page.post("pieces", {"abc": text}, 400)["error"]


def test_first_notes_are_checked_by_the_model_that_is_to_go_on(page, checkpoints):
    ask = {"model": checkpoints["tunes"], "prompt": "M:6/8 K:Ador A2 B"}
    assert page.post("check", ask)["ok"] is True
    wrong = page.post("check", {**ask, "prompt": "M:6/8 K:Ador A2 ?"})
    assert wrong["ok"] is False
    assert wrong["error"]
    assert page.post("check", {**ask, "model": "nothing"}, 400)["error"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("noise.mid", bytes(range(256)) * 40),
        ("noise.abc", b"\x00\xff" * 1000),
        ("empty.mid", b""),
        ("nothing.abc", b""),
        ("program.exe", b"MZ"),
        ("noname", b"MThd"),
        ("broken.musicxml", b"<score-partwise>"),
        ("entities.xml", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
        ("large.mid", b"a" * 10_000_000),
        ("large.abc", b"a" * 10_000_000),
    ],
)
def test_a_file_that_is_no_music_is_refused_in_a_line(page, client, name, content):
    response = client.post("/api/pieces", files={"file": (name, content)})
    assert response.status_code == 400
    line = response.json()["error"]
    assert name in line
    assert "\n" not in line
    assert "root:" not in line
    assert page.get("session").json()["pieces"] == []


def test_a_path_in_the_name_of_a_file_says_nothing(client, studio):
    files = {"file": ("../../evil.abc", KESH.encode())}
    piece = client.post("/api/pieces", files=files).json()
    assert piece["plan"] == "file"
    written = {path.name for path in studio.session.folder.rglob("*") if path.is_file()}
    assert not any("evil" in name for name in written)


@pytest.mark.parametrize("text", ["a" * 10_000_000, "X:1\nK:C\n" + "C" * 10_000_000])
def test_ten_megabytes_of_text_are_refused_at_once(page, text):
    assert "characters" in page.post("check", {"abc": text})["error"]
    assert "characters" in page.post("pieces", {"abc": text}, 400)["error"]
    assert page.post("notation", {"abc": text}, 400)["error"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"[" * 100_000, b"\xff"])
def test_a_request_that_is_no_object_is_refused(client, body):
    for path in ("tasks", "check", "notation", "pieces", "pieces/1/change"):
        response = client.post(f"/api/{path}", content=body)
        assert response.status_code == 400
        assert response.json()["error"] == "the request is not a JSON object"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("pieces/99/notation", 400),
        ("pieces/99/command", 400),
        ("tasks/unknown/events", 404),
        ("nowhere", 404),
    ],
)
def test_what_does_not_exist_is_told_in_a_line(page, path, status):
    assert page.get(path, status).json()["error"]


def test_a_form_that_does_not_exist_is_told_in_a_line(page):
    piece = page.type()
    assert "there is no form" in page.get(f"pieces/{piece['id']}/files/exe", 400).json()["error"]


def test_a_full_disk_loses_nothing(page, monkeypatch):
    first = page.type()

    def full(path, **_):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(pieces_on_disk, "atomic_file", full)
    second = page.type()
    assert any("No space left on device" in remark for remark in second["remarks"])
    assert page.get(f"pieces/{second['id']}/files/wav").content.startswith(b"RIFF")
    monkeypatch.undo()
    third = page.type()
    assert [piece["id"] for piece in page.get("session").json()["pieces"]] == [
        first["id"], second["id"], third["id"],
    ]  # fmt: skip


def test_the_archive_has_every_piece(page):
    ids = [page.type()["id"], page.type(KESH.replace("Kesh", "Other"))["id"]]
    response = page.get("session.zip")
    assert response.headers["content-type"] == "application/zip"
    names = zipfile.ZipFile(io.BytesIO(response.content)).namelist()
    for number in ids:
        assert any(name.endswith(f"pieces/{number}.abc") for name in names)


def test_two_tabs_share_pieces_and_wait_for_each_other(page, checkpoints):
    task = {"model": checkpoints["tunes"], "plan": "sample", "seed": 1}
    options = {"options": {"max_tokens": 40}}
    tabs = [page.post("tasks", {**task, **options, "seed": seed})["task"] for seed in (1, 2)]
    ends = [page.follow(tab)[-1][0] for tab in tabs]
    assert ends == ["done", "done"]
    assert len(page.get("session").json()["pieces"]) == 2
