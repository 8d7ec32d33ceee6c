import json
from dataclasses import replace

import pytest
import torch
from huggingface_hub import ModelCard
from huggingface_hub.errors import HfHubHTTPError
from safetensors.torch import load_file

from symbotunes.checkpoints import export as exporting
from symbotunes.checkpoints.card import best_loss, read_report
from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.checkpoints.export import describe, push, write_export
from symbotunes.checkpoints.reopen import rebuild
from symbotunes.errors import UserError
from symbotunes.generation.sequences.plan import SamplePlan
from symbotunes.modes.export import export
from tests.checkpoints.conftest import TINY_GPT2, composed

SAMPLING = SamplePlan(num=9, temperature=1.0, top_k=0, top_p=1.0, max_tokens=30)


@pytest.fixture
def exported(save, plan, tmp_path):
    def write(*overrides, **changes):
        folder = tmp_path / "export"
        write_export(unpack(save(*overrides)), plan(**changes), SAMPLING, seed=3, folder=folder)
        return folder

    return write


def test_the_folder_holds_model_config_and_card_and_nothing_else(exported):
    assert {path.name for path in exported().iterdir()} == {
        "README.md",
        "config.json",
        "model.safetensors",
    }


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_weights_are_rounded_to_the_type_and_read_as_float32(exported, save, dtype):
    folder = exported(dtype=dtype)
    kind = getattr(torch, dtype)
    assert {tensor.dtype for tensor in load_file(folder / "model.safetensors").values()} == {kind}
    weights = unpack(folder).weights
    for name, tensor in unpack(save()).weights.items():
        assert weights[name].dtype == torch.float32
        assert torch.equal(weights[name], tensor.to(kind).float())


def test_float32_comes_back_bit_for_bit_with_its_tokenizer(exported, save):
    net, tokenizer = rebuild(unpack(exported(dtype="float32")))
    before, before_tokenizer = rebuild(unpack(save()))
    assert all(
        torch.equal(one, other)
        for one, other in zip(net.state_dict().values(), before.state_dict().values(), strict=True)
    )
    assert tokenizer.state() == before_tokenizer.state()


def test_weights_too_large_for_float16_are_refused(save, plan, tmp_path):
    checkpoint = unpack(save())
    name = next(iter(checkpoint.weights))
    checkpoint.weights[name].view(-1)[0] = 1e6
    with pytest.raises(UserError, match=r"holds larger numbers; choose bfloat16"):
        write_export(checkpoint, plan(), SAMPLING, seed=0, folder=tmp_path / "export")
    assert not (tmp_path / "export").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["best.ckpt"]


def test_paths_of_the_machine_stay_at_home(save):
    config = describe(unpack(save("dataset.folder=/home/somebody/corpus")))["config"]
    assert config["dataset"]["folder"] == "corpus"
    assert "cache" not in config["loader"]
    assert set(config) == {
        "model", "dataset", "transforms", "loader", "name", "seed", "baselines", "compile",
    }  # fmt: skip


def test_the_card_is_one_that_the_hub_reads(exported):
    card = ModelCard.load(exported(license="mit", title="A tiny one") / "README.md")
    assert card.data.library_name == "symbotunes"
    assert card.data.license == "mit"
    assert card.data.tags == ["music", "symbolic-music", "folkrnn"]
    (result,) = card.data.eval_results
    assert (result.metric_type, result.metric_value) == ("nats_per_token", 1.875)
    assert result.dataset_name == "Folk (val split, best of the training)"


def test_the_card_tells_regime_data_and_licenses(exported):
    text = (exported() / "README.md").read_text()
    assert "license: other" in text
    assert "| optimizer steps | 120 |" in text
    assert "| tokens | 34,567 |" in text
    assert "| optimizer | MuonAdamW |" in text
    assert "| loader.batch_size | 64 |" in text
    assert "music21/corpus/license.txt" in text
    assert "`f1n6e2`" in text
    assert "Tunes of mine" in (exported(data="Tunes of mine") / "README.md").read_text()


def test_figures_of_an_evaluation_go_into_the_card(exported, tmp_path):
    interval = {"value": 1.25, "low": 1.2, "high": 1.3}
    report = {
        "held_out": {
            "split": "test",
            "models": {"tiny": {"nats_per_token": interval}, "5-gram": {}},
        },
        "sets": [
            {"tunes": 100, "figures": {"well_formed": {"value": 0.9, "low": 0.8, "high": 1.0}}}
        ],
    }
    (tmp_path / "report.json").write_text(json.dumps(report))
    folder = exported(report=str(tmp_path / "report.json"))
    text = (folder / "README.md").read_text()
    assert "| nats_per_token | test split | 1.25 | 1.2 to 1.3 |" in text
    assert "| well_formed | 100 generated tunes | 0.9 | 0.8 to 1 |" in text
    results = ModelCard.load(folder / "README.md").data.eval_results
    assert [(each.dataset_name, each.metric_type, each.metric_value) for each in results] == [
        ("Folk (val split, best of the training)", "nats_per_token", 1.875),
        ("Folk (test split)", "nats_per_token", 1.25),
        ("Folk (100 generated tunes)", "well_formed", 0.9),
    ]


def test_a_card_says_where_the_loss_of_a_latent_model_left_the_divergence_out(save):
    checkpoint = unpack(
        save(
            "model=music_vae",
            "transforms=[melody]",
            "model.net.encoder.widths=[4]",
            "model.net.decoder.widths=[4]",
            "model.net.latent=2",
        )
    )
    assert [each.name for each in best_loss(checkpoint)] == ["reconstruction_nats_per_token"]
    now = replace(checkpoint, quantity="negative evidence lower bound")
    assert [each.name for each in best_loss(now)] == ["nats_per_token"]


def test_figures_of_a_latent_model_name_their_split_and_their_set(tmp_path):
    interval = {"value": 0.5, "low": 0.4, "high": 0.6}
    report = {
        "reconstruction": {"split": "val", "accuracies": {"melody": {"likeliest": interval}}},
        "prior": [
            {
                "name": "melody: pitch",
                "overlaps": {"normal prior": interval, "fitted prior": dict.fromkeys(interval)},
            }
        ],
    }
    (tmp_path / "report.json").write_text(json.dumps(report))
    found = [(each.name, each.subject) for each in read_report(tmp_path / "report.json")]
    assert found == [
        ("accuracies melody likeliest", "reconstruction, val split"),
        ("normal prior", "overlap in melody: pitch"),
    ]


def test_a_file_that_is_no_report_is_named(tmp_path):
    (tmp_path / "report.json").write_text("{}")
    with pytest.raises(UserError, match=r"is not a report.json of mode=evaluate"):
        read_report(tmp_path / "report.json")


def test_samples_are_the_exported_models_own(exported):
    folder = exported(samples=2, forms=["abc", "mid"])
    names = sorted(path.name for path in (folder / "samples").iterdir())
    assert names == ["sample_01.abc", "sample_01.mid", "sample_02.abc", "sample_02.mid"]
    assert "- [samples/sample_02.mid](samples/sample_02.mid)" in (folder / "README.md").read_text()


def test_a_gpt2_can_be_left_for_transformers(exported):
    folder = exported(*TINY_GPT2, transformers=True)
    config = json.loads((folder / "transformers" / "config.json").read_text())
    assert config["architectures"] == ["GPT2LMHeadModel"]
    assert "transformer.h.0.attn.c_attn.weight" in load_file(
        folder / "transformers" / "model.safetensors"
    )


def test_another_network_cannot(exported):
    with pytest.raises(UserError, match="transformers has no FolkRNN"):
        exported(transformers=True)


def test_an_earlier_export_is_replaced_and_other_files_are_not(exported, tmp_path):
    first = exported(samples=1, forms=["abc"])
    assert not (exported(samples=0) / "samples").exists()
    (first / "LICENSE").write_text("mine")
    with pytest.raises(UserError, match="contains other files"):
        exported()
    (first / "LICENSE").unlink()
    (first / "config.json").write_text("{}")
    with pytest.raises(UserError, match="contains other files"):
        exported()
    assert (first / "config.json").read_text() == "{}"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dtype": "int8"}, "export.dtype=int8: choose one of float32, float16, bfloat16"),
        ({"samples": -1}, "export.samples=-1"),
        ({"forms": ["abc", "doc"]}, "export.forms=.*doc.*: choose some of abc, mid, wav"),
    ],
)
def test_choices_that_do_not_exist_are_named(plan, changes, message):
    with pytest.raises(UserError, match=message):
        plan(**changes)


class Hub:
    """Notes what it is asked to do."""

    def __init__(self, error=None):
        self.error = error
        self.asked = []

    def create_repo(self, name, *, private, exist_ok):
        if self.error:
            raise self.error
        self.asked.append(("create", name, private, exist_ok))

    def upload_folder(self, *, repo_id, folder_path, commit_message):
        names = sorted(path.name for path in folder_path.iterdir())
        self.asked.append(("upload", repo_id, names))


def test_pushing_makes_the_repository_and_uploads_the_folder(exported):
    hub = Hub()
    assert push(hub, exported(), "me/tiny", private=True) == "https://huggingface.co/me/tiny"
    assert hub.asked == [
        ("create", "me/tiny", True, True),
        ("upload", "me/tiny", ["README.md", "config.json", "model.safetensors"]),
    ]


def test_a_hub_that_cannot_be_reached_leaves_the_export(exported):
    folder = exported()
    http = HfHubHTTPError.__bases__[0]  # of whichever library the hub's client is built on
    for error in (OSError("no route"), http("no route")):
        with pytest.raises(UserError, match=r"export.push=me/tiny: no route .*is in .*export"):
            push(Hub(error), folder, "me/tiny", private=True)
    assert (folder / "model.safetensors").is_file()


def test_without_a_token_nothing_is_written(monkeypatch, tmp_path, save):
    monkeypatch.setattr(exporting, "get_token", lambda: None)
    cfg = composed(f"ckpt={save()}", f"export.out={tmp_path / 'export'}", "export.push=me/tiny")
    with pytest.raises(UserError, match="export.push needs a token: set HF_TOKEN"):
        export(cfg)
    assert not (tmp_path / "export").exists()


def test_the_mode_exports_and_pushes(monkeypatch, tmp_path, save, capsys):
    hub = Hub()
    monkeypatch.setattr(exporting, "get_token", lambda: "hf_x")
    monkeypatch.setattr(exporting, "HfApi", lambda: hub)
    cfg = composed(
        f"ckpt={save()}",
        f"export.out={tmp_path / 'export'}",
        "export.push=me/tiny",
        "export.samples=0",
    )
    export(cfg)
    assert [one[0] for one in hub.asked] == ["create", "upload"]
    assert "Uploaded  https://huggingface.co/me/tiny" in capsys.readouterr().out
    assert "ckpt=hub:me/tiny" in (tmp_path / "export" / "README.md").read_text()
