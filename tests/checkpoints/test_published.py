"""Folders read as checkpoints: on disk, shipped, and from a hub that is not asked."""

import json
from pathlib import Path

import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError

from symbotunes.checkpoints import published
from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.checkpoints.error import CheckpointError
from symbotunes.checkpoints.export import describe
from symbotunes.checkpoints.published import locate, shipped, write_folder
from symbotunes.checkpoints.reopen import rebuild
from symbotunes.checkpoints.weights import read_weights
from symbotunes.errors import UserError
from symbotunes.training.resume import resumed
from tests.checkpoints.conftest import composed


@pytest.fixture
def folder(save, tmp_path):
    checkpoint = unpack(save())
    write_folder(tmp_path / "model", checkpoint.weights, describe(checkpoint), "float16")
    return tmp_path / "model"


def rewrite(folder, change):
    content = json.loads((folder / "config.json").read_text())
    change(content)
    (folder / "config.json").write_text(json.dumps(content))
    return folder


def test_a_folder_is_a_checkpoint(folder):
    checkpoint = unpack(folder)
    net, tokenizer = rebuild(checkpoint)
    assert tokenizer.vocabulary.size == 137
    assert next(iter(net.state_dict().values())).dtype == torch.float32
    assert (checkpoint.steps, checkpoint.tokens) == (120, 34567)
    assert checkpoint.best is None
    assert not checkpoint.resumable
    assert checkpoint.data == "f1n6e2"


def test_a_folder_starts_a_new_run(folder):
    weights = read_weights(folder)
    assert len(weights.tokenizer["tokens"]) == 137
    assert all(tensor.dtype == torch.float32 for tensor in weights.tensors.values())


def test_a_folder_cannot_be_gone_on_from(folder):
    with pytest.raises(UserError, match=r"start a new run with model.init_from="):
        resumed(composed(f"ckpt={folder}"))


@pytest.mark.parametrize("read", [unpack, read_weights], ids=["ckpt", "init_from"])
def test_a_shipped_model_is_found_by_its_name(folder, monkeypatch, read):
    monkeypatch.setattr(published, "PRETRAINED", folder.parent)
    assert shipped() == ["pretrained/model"]
    assert read(Path("pretrained/model"))


def test_a_mistyped_name_is_answered_with_the_nearest(folder, monkeypatch):
    monkeypatch.setattr(published, "PRETRAINED", folder.parent)
    with pytest.raises(UserError, match=r"no pretrained/modl; did you mean pretrained/model\?"):
        unpack(Path("pretrained/modl"))
    with pytest.raises(UserError, match=r"no pretrained/x; choose one of pretrained/model"):
        unpack(Path("pretrained/x"))
    with pytest.raises(UserError, match=r"no pretrained/\.\./model; did you mean pretrained/model"):
        unpack(Path("pretrained/../model"))


@pytest.mark.parametrize("read", [unpack, read_weights], ids=["ckpt", "init_from"])
def test_a_repository_is_fetched_without_anything_that_is_not_needed(folder, monkeypatch, read):
    asked = []

    def fetch(repository, *, revision, allow_patterns):
        asked.append((repository, revision, allow_patterns))
        return str(folder)

    monkeypatch.setattr(published, "snapshot_download", fetch)
    assert read(Path("hub:owner/name"))
    assert read(Path("hub:owner/name@v2"))
    files = ["config.json", "model.safetensors"]
    assert asked == [("owner/name", None, files), ("owner/name", "v2", files)]


def test_without_a_network_the_message_says_what_to_do(monkeypatch):
    def fetch(*arguments, **options):
        raise LocalEntryNotFoundError("offline")

    monkeypatch.setattr(published, "snapshot_download", fetch)
    with pytest.raises(UserError, match=r"hub:owner/name cannot be fetched .* set ckpt=FOLDER"):
        locate(Path("hub:owner/name"))


def test_a_name_that_no_repository_can_have_is_told_before_any_network():
    with pytest.raises(UserError, match="write hub:owner/name"):
        locate(Path("hub:a/b/c"))


def test_a_folder_of_another_program_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(UserError, match=r"holds no config.json of Symbotunes"):
        unpack(tmp_path)


@pytest.mark.parametrize("key", ["format", "config", "tokenizer", "data", "steps"])
def test_a_config_that_lacks_something_is_named(folder, key):
    with pytest.raises(UserError, match=f"is damaged: its {key} is no"):
        unpack(rewrite(folder, lambda content: content.pop(key)))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_truncated_weights_say_so(folder, share):
    path = folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UserError, match="damaged or truncated"):
        unpack(folder)


def test_missing_weights_say_so(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"has no model.safetensors"):
        unpack(folder)


def test_weights_of_another_size_are_named(folder):
    def widen(content):
        content["config"]["model"]["net"]["width"] = 16

    with pytest.raises(CheckpointError, match="holds the weights of another model"):
        rebuild(unpack(rewrite(folder, widen)))


@pytest.mark.parametrize("target", ["os.system", "torch.load", "symbotunes.files.atomic_write"])
def test_a_folder_cannot_name_foreign_code(folder, target):
    def poison(content):
        content["config"]["model"]["net"]["_target_"] = target

    with pytest.raises(CheckpointError, match=f"would run {target}"):
        unpack(rewrite(folder, poison))


def test_an_interpolation_cannot_change_a_name_after_it_was_looked_at(folder):
    """Seen beside the network alone, ``net.kind`` is harmless; in the whole config it is not."""

    def poison(content):
        config = content["config"]
        config["net"] = {"kind": "os.system"}
        config["model"]["net"]["kind"] = "symbotunes.models.folk_rnn.FolkRNN"
        config["transforms"]["bad"] = {"_target_": "${net.kind}", "_args_": ["exit 1"]}

    with pytest.raises(CheckpointError, match=r"an interpolation in transforms.bad._target_"):
        unpack(rewrite(folder, poison))


@pytest.mark.parametrize("config", [{}, {"model": 3, "transforms": {}}, {"model": {"net": None}}])
def test_a_config_without_a_model_is_refused(folder, config):
    with pytest.raises(UserError, match="carries no config of a model"):
        unpack(rewrite(folder, lambda content: content.update(config=config)))


@pytest.mark.parametrize("state", [{}, {"tokens": []}, {"tokens": ["<s>", "</s>", "A", "A"]}])
def test_a_vocabulary_that_is_none_is_refused(folder, state):
    with pytest.raises(CheckpointError, match="carries no vocabulary"):
        rebuild(unpack(rewrite(folder, lambda content: content.update(tokenizer=state))))
