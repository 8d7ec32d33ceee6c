"""mode=render, from a folder of files to the page."""

import json


def test_a_folder_becomes_a_page_and_its_broken_file_a_line(run_main, tmp_path):
    music, folder = tmp_path / "music", tmp_path / "page"
    music.mkdir()
    (music / "kesh.abc").write_text("X:1\nT:Kesh\nM:6/8\nL:1/8\nK:G\n|: G3 GAB | A3 ABd :|\n")
    (music / "junk.mid").write_bytes(b"junk")
    given = [f"render.input={music}", f"render.out={folder}", "render.instrument=flute"]
    result = run_main(tmp_path / "outputs", "mode=render", *given)
    assert "1 rendered, 1 could not be read" in result.stdout
    assert "junk.mid: not a MIDI file" in result.stdout
    table = json.loads((folder / "samples.json").read_text())
    assert [row["title"] for row in table["samples"]] == ["Kesh"]
    assert table["facts"]["instrument"] == "Flute"
    assert set(table["samples"][0]["files"]) == {"abc", "mid", "wav", "mp3", "png", "svg"}
    assert str(tmp_path) not in (folder / "index.html").read_text()
