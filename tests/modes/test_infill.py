"""mode=sample sample=infill, from a checkpoint and a file to the page."""

import json

import pytest

from tests.checkpoints.conftest import write_checkpoint

TUNE = "X:1\nT:A tune\nM:2/4\nL:1/8\nK:D\nd4|e4|f4|g4|\n"


@pytest.mark.slow("runs the program, which renders audio and notation")
def test_variants_stand_beside_the_original_with_new_bars_in_color(run_main, tmp_path):
    checkpoint = write_checkpoint(
        tmp_path / "best.ckpt", "transforms=[abc_tokens_137,infill]", "model.net.width=8"
    )
    tune, folder = tmp_path / "tune.abc", tmp_path / "fills"
    tune.write_text(TUNE)
    given = ["mode=sample", f"ckpt={checkpoint}", f"sample.out={folder}", "sample=infill"]
    run_main(
        tmp_path / "outputs", *given, f"sample.input={tune}", "sample.bars=2-3", "sample.num=2"
    )
    table = json.loads((folder / "samples.json").read_text())
    assert [row["name"] for row in table["samples"]] == ["original", "fill_01", "fill_02"]
    assert all(row["bars"] == row["right_bars"] == 4 for row in table["samples"])
    assert table["facts"]["written anew, in color"] == "bars 2-3"
    assert table["facts"]["constraint"] == "abc"
    for name in ("original", "fill_01", "fill_02"):
        assert 'fill="#d55e00"' in (folder / f"{name}.svg").read_text()
    page = (folder / "index.html").read_text()
    assert "Original" in page
    assert "Fill 2" in page
