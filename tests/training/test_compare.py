"""mode=compare from the command line, on tiny trained networks."""

import json
import shutil

import pytest

SMALL = ["evaluate.num_samples=4", "sample.max_tokens=40", "evaluate.resamples=20"]
PROMPTS = "compare.prompts=['M:6/8 K:Cmaj','<script>alert(1)</script>']"


@pytest.fixture(scope="module")
def compared(run_main, trained, tmp_path_factory):
    """The folder of a comparison of a model, its double and a file that is no checkpoint."""
    folder = tmp_path_factory.mktemp("models")
    double, broken = folder / "double.ckpt", folder / "broken.ckpt"
    shutil.copy(trained / "checkpoints" / "best.ckpt", double)
    broken.write_text("bad")
    paths = f"{trained / 'checkpoints' / 'best.ckpt'},'~/double.ckpt',{broken}"
    outputs = trained.parents[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        run_main(outputs, "mode=compare", f"compare.ckpts=[{paths}]", PROMPTS, *SMALL)
    (found,) = (outputs / "compare").iterdir()
    return found


def test_a_model_and_its_double_are_found_alike_and_a_broken_file_costs_its_column(compared):
    first, double, broken = json.loads((compared / "compare.json").read_text())["models"]
    first["figures"].pop("speed")
    double["figures"].pop("speed")
    assert first["figures"] == double["figures"]
    for name in ("bits_per_note", "nats_per_token", "pitch_class_entropy", "seen_ngrams"):
        figure = first["figures"][name]
        assert figure["low"] <= figure["value"] <= figure["high"]
    assert "broken.ckpt is not a checkpoint" in broken["failure"]


def test_the_page_stands_alone_and_runs_nothing(compared):
    page = (compared / "index.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "http:" not in page
    assert "https:" not in page
    assert "<audio" in page


def test_one_checkpoint_is_refused_in_one_line(run_main, tmp_path):
    result = run_main(tmp_path, "mode=compare", check=False)
    assert result.returncode == 2
    assert result.stderr == (
        "error: mode=compare needs two checkpoints: 'compare.ckpts=[a.ckpt,b.ckpt]'\n"
    )
