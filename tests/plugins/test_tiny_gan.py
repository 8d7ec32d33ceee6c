"""A GAN that lives outside of the package goes through every mode; the package is not edited."""

import json
import re

import pytest
import torch

from tests.conftest import TINY

pytestmark = [
    pytest.mark.slow("trains a plug-in, and runs every mode with it"),
    pytest.mark.xdist_group("tiny_gan"),  # one process trains it once
]
PLUGIN = "tests.plugins.tiny_gan"
STEPS = 6
DATA = "dataset.collections=[nottingham-dataset,miscFolk]"
HELD_OUT = ["loader.split.val=0.4", "loader.split.test=0.4"]  # of so few, ten that both hold out
GAN = [
    "model=tiny_gan",
    DATA,
    "loader.prepare_workers=0",
    "loader.batch_size=16",
    *HELD_OUT,
    "trainer=cpu",
    "trainer.log_every_n_steps=1",
    "trainer.val_check_interval=3",
    "sample.num=2",
    "~callbacks.panel",
]
SMALL = ["evaluate.prior=8", "evaluate.num_samples=4", "evaluate.resamples=20"]


@pytest.fixture(scope="module", autouse=True)
def named():
    """The user names the plug-in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYMBOTUNES_PLUGINS", PLUGIN)
        yield


@pytest.fixture(scope="module")
def gan(named, run_main, tmp_path_factory):
    """The folder of a finished training, and what it printed."""
    outputs = tmp_path_factory.mktemp("gan") / "outputs"
    printed = run_main(outputs, *GAN, f"trainer.max_steps={STEPS}").stdout
    (folder,) = (outputs / "train").iterdir()
    return folder, printed


def words_of(page):
    """The text of a page as its reader sees it."""
    text = re.sub(r"<(style|script)>.*?</\1>", " ", page.read_text(), flags=re.DOTALL)
    return re.sub(r"<[^>]*>", " ", text)


def assert_nothing_undefined(page):
    assert not re.search(r"\b(nan|NaN|None|inf)\b", words_of(page))


def test_its_own_metric_chooses_the_best_checkpoint(gan):
    folder, printed = gan
    best = json.loads((folder / "run.json").read_text())["best"]
    assert (best["metric"], best["mode"]) == ("val/class_distance", "min")
    assert 0 < best["value"] < 1
    assert best["step"] in (3, 6)
    assert "val/class_distance" in printed
    assert "nats" not in printed


def test_a_step_is_a_batch_and_both_parts_log(gan):
    folder, _ = gan
    assert state(folder)["global_step"] == STEPS
    steps = [
        {int(slot["step"]) for slot in optimizer["state"].values()}
        for optimizer in state(folder)["optimizer_states"]
    ]
    assert steps == [{STEPS}, {STEPS}]
    header = (folder / "metrics.csv").read_text().splitlines()[0]
    for name in ("train/critic", "train/generator", "val/objective", "val/class_distance"):
        assert name in header
    assert "train/loss" not in header


def test_samples_come_without_a_likelihood(gan):
    folder, _ = gan
    table = json.loads((folder / "samples" / "best" / "samples.json").read_text())
    assert len(table["samples"]) == 2
    assert all("nll_nats" not in row and "mid" in row["files"] for row in table["samples"])
    page = folder / "samples" / "best" / "index.html"
    assert "nats" not in words_of(page)
    assert_nothing_undefined(page)


def state(folder):
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)


def test_a_run_that_is_resumed_equals_one_that_ran_through(gan, run_main, tmp_path):
    run_main(tmp_path / "outputs", *GAN, "trainer.max_steps=3")
    (folder,) = (tmp_path / "outputs" / "train").iterdir()
    last = folder / "checkpoints" / "last.ckpt"
    run_main(tmp_path / "outputs", f"ckpt={last}", f"trainer.max_steps={STEPS}", "trainer=cpu")
    one, other = state(folder), state(gan[0])
    assert one["global_step"] == other["global_step"] == STEPS
    assert one["state_dict"].keys() == other["state_dict"].keys()
    for name, tensor in one["state_dict"].items():
        assert torch.equal(tensor, other["state_dict"][name]), name
    assert len(one["optimizer_states"]) == 2
    for mine, theirs in zip(one["optimizer_states"], other["optimizer_states"], strict=True):
        for slot, values in mine["state"].items():
            for key, tensor in values.items():
                assert torch.equal(tensor, theirs["state"][slot][key])


def test_an_evaluation_shows_its_windows_beside_held_out_ones(gan, run_main):
    best = gan[0] / "checkpoints" / "best.ckpt"
    outputs = gan[0].parents[1]
    printed = run_main(outputs, "mode=evaluate", f"ckpt={best}", *SMALL).stdout
    (folder,) = (outputs / "evaluate").iterdir()
    report = json.loads((folder / "report.json").read_text())
    generated, held_out = report["sets"]
    assert (generated["name"], generated["windows"]) == ("generated", 8)
    assert held_out["name"] == "held out (test)"
    assert set(generated["figures"]) == set(held_out["figures"])
    assert held_out["figures"]["copied_share"]["value"] <= 1
    overlaps = report["prior"][0]["overlaps"]
    assert set(overlaps) == {"generated", "held out (test)"}
    assert "distinct windows" in printed
    assert "distinct windows" in words_of(folder / "index.html")
    assert_nothing_undefined(folder / "index.html")
    refused = run_main(
        outputs, "mode=evaluate", f"ckpt={best}", "evaluate.split=train", check=False
    )
    assert "only a latent model can be evaluated on what it was trained on" in refused.stderr


def test_it_is_compared_with_a_model_of_another_kind(gan, run_main, tmp_path):
    outputs = tmp_path / "outputs"
    run_main(outputs, *TINY, *HELD_OUT, "trainer.max_steps=2")
    (sequences,) = (outputs / "train").iterdir()
    paths = ",".join(str(run / "checkpoints" / "best.ckpt") for run in (gan[0], sequences))
    arguments = ["sample.max_tokens=40", "compare.prompts=['M:4/4 K:Cmaj']", *SMALL]
    run_main(outputs, "mode=compare", f"compare.ckpts=[{paths}]", DATA, *arguments)
    (folder,) = (outputs / "compare").iterdir()
    one, other = json.loads((folder / "compare.json").read_text())["models"]
    assert [one.get("failure"), other.get("failure")] == [None, None]
    assert one["reasons"]["bits_per_note"] == "it has no likelihood"
    assert {"pitch_class_entropy", "seen_ngrams", "speed"} <= set(one["figures"])
    assert "bits_per_note" in other["figures"]
    assert_nothing_undefined(folder / "index.html")


def test_an_exported_folder_opens_again(gan, run_main, tmp_path):
    exported, outputs = tmp_path / "exported", tmp_path / "outputs"
    best = gan[0] / "checkpoints" / "best.ckpt"
    run_main(outputs, "mode=export", f"ckpt={best}", f"export.out={exported}", "export.samples=1")
    card = (exported / "README.md").read_text()
    assert "| class_distance | val split, best of the training |" in card
    assert "| optimizers.critic | Adam |" in card
    run_main(outputs, "mode=sample", f"ckpt={exported}", "sample.num=1")
    (folder,) = (outputs / "sample").iterdir()
    assert (folder / "sample_01.mid").is_file()


def test_without_an_encoder_there_is_no_reconstruction(gan, run_main, tmp_path):
    best = gan[0] / "checkpoints" / "best.ckpt"
    arguments = ["mode=sample", f"ckpt={best}", "sample=reconstruct", "sample.input=a.mid"]
    result = run_main(tmp_path / "outputs", *arguments, check=False)
    assert result.stderr == (
        "error: sample=reconstruct needs a latent model such as music_vae; TinyGAN has no latent "
        "space: choose another ckpt=PATH\n"
    )


def test_a_check_takes_a_step_with_each_of_its_optimizers(run_main, tmp_path):
    printed = run_main(tmp_path / "outputs", "mode=check", "check.only=[tiny_gan]").stdout
    assert re.search(r"model=tiny_gan .* ok", printed)


def test_its_gradients_cannot_be_accumulated(run_main, tmp_path):
    arguments = [*GAN, "trainer.max_steps=1", "trainer.accumulate_grad_batches=2"]
    result = run_main(tmp_path / "outputs", *arguments, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith("error: trainer.accumulate_grad_batches=2: a model with")


def test_a_checkpoint_alone_does_not_name_a_plug_in(gan, run_main, tmp_path, monkeypatch):
    monkeypatch.delenv("SYMBOTUNES_PLUGINS")
    best = gan[0] / "checkpoints" / "best.ckpt"
    result = run_main(tmp_path / "outputs", "mode=sample", f"ckpt={best}", check=False)
    assert result.returncode == 2
    assert result.stderr == (
        f"error: {best} would run {PLUGIN}.network.TinyGAN; it is not opened: tests is not part of "
        "Symbotunes; if you trust it, install it and set SYMBOTUNES_PLUGINS=tests\n"
    )
