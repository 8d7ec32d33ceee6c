"""mode=compare from the command line, on tiny trained networks."""

import csv
import json
import shutil

import pytest

pytestmark = pytest.mark.xdist_group("compare")  # one process makes its runs once

SMALL = ["evaluate.num_samples=10", "sample.max_tokens=40", "evaluate.resamples=20"]
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
        result = run_main(outputs, "mode=compare", f"compare.ckpts=[{paths}]", PROMPTS, *SMALL)
    (found,) = (outputs / "compare").iterdir()
    (found / "console.txt").write_text(result.stdout)
    return found


def test_the_console_tells_the_pieces_the_figures_and_which_model_is_better(compared):
    console = (compared / "console.txt").read_text()
    content = json.loads((compared / "compare.json").read_text())
    pieces = content["pieces"]
    assert pieces >= 10
    said = f"Compared on  {pieces} held-out pieces, which every model holds out and can read"
    assert said in console  # a test split this small has fewer than ten
    assert any("validation and test splits" in remark for remark in content["remarks"])
    assert "bits per note" in console
    first, double, _ = (model["name"] for model in content["models"])
    assert first.startswith("folk_rnn_small, 12 steps, best.ckpt")
    assert double.startswith("folk_rnn_small, 12 steps, double.ckpt")
    (difference,) = content["differences"]
    assert difference["bits_per_note"]["value"] == 0
    assert difference["leaves_out_zero"] is False
    assert f"Result  {difference['sentence']}" in console
    assert "are equally good" in difference["sentence"]


def test_a_model_and_its_double_are_found_alike_and_a_broken_file_costs_its_column(compared):
    first, double, broken = json.loads((compared / "compare.json").read_text())["models"]
    first["figures"].pop("speed")
    double["figures"].pop("speed")
    assert first["figures"] == double["figures"]
    for name in ("bits_per_note", "nats_per_token", "pitch_class_entropy", "seen_ngrams"):
        figure = first["figures"][name]
        assert figure["low"] <= figure["value"] <= figure["high"]
    assert "broken.ckpt is not a checkpoint" in broken["failure"]


@pytest.fixture(scope="module")
def mixed(run_main, tmp_path_factory):
    """The comparison of an LSTM, a transformer and an autoencoder of windows."""
    outputs = tmp_path_factory.mktemp("mixed") / "outputs"
    data = ["dataset.collections=[nottingham-dataset,miscFolk]", "loader.prepare_workers=0"]
    short = ["trainer=cpu", "trainer.max_steps=4", "trainer.val_check_interval=4", "sample.num=1"]
    given = [*data, *short, "~callbacks.panel"]
    given += ["loader.split.val=0.3", "loader.split.test=0.3"]  # few tunes are in 4/4
    tokens = "transforms.abc_tokens.min_count=1"
    run_main(outputs, "model.net.width=16", "name=folk", tokens, *given)
    run_main(outputs, "model=gpt2_mini", "name=gpt", tokens, *given)
    net = ["latent=8", "encoder.widths=[16]", "decoder.widths=[16]"]
    vae = [f"model.net.{one}" for one in net]
    run_main(outputs, "model=music_vae", "name=vae", *vae, *given)
    runs = sorted((outputs / "train").iterdir())
    paths = ",".join(str(run / "checkpoints" / "best.ckpt") for run in runs)
    run_main(outputs, "mode=compare", f"compare.ckpts=[{paths}]", PROMPTS, *SMALL)
    (found,) = (outputs / "compare").iterdir()
    return found


@pytest.mark.slow("trains a network of each kind")
def test_models_of_different_kinds_share_the_figures_that_both_have(mixed):
    models = json.loads((mixed / "compare.json").read_text())["models"]
    assert [model.get("failure") for model in models] == [None, None, None]
    lstm, gpt, vae = (model["figures"] for model in models)
    bound = models[2]["bound"]
    assert bound["pieces"] >= 10
    assert bound["notes"] > 0
    for figures in (lstm, gpt, bound["figures"]):
        figure = figures["bits_per_note"]
        assert 0 < figure["low"] <= figure["value"] <= figure["high"]
    assert "bits_per_note" not in vae  # a bound of some notes does not compare
    for figures in (lstm, gpt, vae):
        assert {"pitch_class_entropy", "seen_ngrams", "speed"} <= set(figures)
    for figures in (lstm, gpt, vae):
        assert {"grammar_errors", "well_formed"} <= set(figures)
    assert "finished" not in vae  # it has no end to find, and the column says so
    assert "windows of one length" in models[2]["reasons"]["finished"]


def test_what_each_model_has_cost_is_told(compared, trained):
    first, double, _ = json.loads((compared / "compare.json").read_text())["models"]
    record = json.loads((trained / "run.json").read_text())
    with (trained / "metrics.csv").open() as file:
        seconds = {int(row["step"]): float(row["seconds"]) for row in csv.DictReader(file)}
    cost = first["training"]
    assert cost["seconds"] == seconds[12] > 0
    assert cost["processor"] == record["device"]
    assert (cost["steps"], cost["tokens"]) == (12, record["real_tokens"])
    copied = {**cost, "seconds": None, "processor": ""}  # a file alone does not know
    assert double["training"] == copied
    page = (compared / "index.html").read_text()
    for row in ("optimizer steps", "tokens seen", "seconds of training", "trained on"):
        assert f'<th scope="row">{row}</th>' in page


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
