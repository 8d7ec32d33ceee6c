"""Folders of Hugging Face: read, or refused in one line that says why."""

import json
from pathlib import Path

import pytest
import torch

from symbotunes.checkpoints.formats.hugging_face import read_model, write_model
from symbotunes.checkpoints.weights import read_weights
from symbotunes.errors import UserError
from symbotunes.models.gpt2 import GPT2
from symbotunes.models.published import to_transformers
from symbotunes.tokenizers.abc import AbcTokens
from symbotunes.tokenizers.base import Vocabulary

VOCABULARY = Vocabulary(137, bos=0, eos=1)


@pytest.fixture
def net():
    torch.manual_seed(0)
    return GPT2(VOCABULARY, width=8, depth=2, heads=2, context=6)


@pytest.fixture
def folder(net, tmp_path):
    write_model(tmp_path / "model", *to_transformers(net, VOCABULARY))
    return tmp_path / "model"


class Harmful:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_of_weights_is_read(net, folder):
    safe = read_model(folder).tensors
    (folder / "model.safetensors").unlink()
    torch.save(safe, folder / "pytorch_model.bin")
    tensors = read_weights(folder).tensors
    assert all(torch.equal(tensors[name], tensor) for name, tensor in net.state_dict().items())


def test_a_pickle_that_carries_code_is_not_opened(folder, tmp_path):
    (folder / "model.safetensors").unlink()
    content = {"wte.weight": torch.zeros(2), "more": Harmful(tmp_path / "harm")}
    torch.save(content, folder / "pytorch_model.bin")
    with pytest.raises(UserError, match="more than weights and plain values and is not opened"):
        read_model(folder)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("content", [[torch.zeros(2)], {"wte.weight": 3}, {1: torch.zeros(2)}])
def test_a_pickle_of_anything_but_named_tensors_is_refused(folder, content):
    (folder / "model.safetensors").unlink()
    torch.save(content, folder / "pytorch_model.bin")
    with pytest.raises(UserError, match="does not hold tensors by name"):
        read_model(folder)


@pytest.mark.parametrize("content", [b"", b"nothing", b"PK\x03\x04"])
def test_a_damaged_pickle_is_named(folder, content):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(content)
    with pytest.raises(UserError, match=r"pytorch_model.bin is not a checkpoint, or it is trunc"):
        read_model(folder)


def test_a_repository_is_fetched_at_a_revision_and_pickles_only_where_needed(monkeypatch, folder):
    asked = []

    def fetch(repository, *, revision, allow_patterns):
        asked.append((repository, revision, "pytorch_model.bin" in allow_patterns))
        return str(folder)

    name = "symbotunes.checkpoints.formats.hugging_face.snapshot_download"
    monkeypatch.setattr(name, fetch)
    assert read_weights(Path("owner/name@v2")).sizes["width"] == 8
    tensors = read_model(folder).tensors
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin")
    assert read_weights(Path("owner/name")).sizes["width"] == 8
    assert asked == [
        ("owner/name", "v2", False),
        ("owner/name", None, False),
        ("owner/name", None, True),
    ]


def test_what_is_written_is_read_bit_for_bit(net, folder):
    tensors = read_weights(folder).tensors
    state = net.state_dict()
    assert tensors.keys() == state.keys()
    assert all(torch.equal(tensors[name], state[name]) for name in state)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "llama"}, "model_type=llama in its config; only gpt2"),
        ({"n_inner": 5}, "model has n_inner=5"),
    ],
)
def test_another_network_is_refused(folder, changes, message):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(UserError, match=message):
        read_weights(folder)


@pytest.mark.parametrize("text", ["", "[1]", "not JSON"])
def test_a_config_that_is_none_is_refused(folder, text):
    (folder / "config.json").write_text(text)
    with pytest.raises(UserError, match=r"is not JSON|does not describe a GPT-2"):
        read_weights(folder)


def test_damage_is_named(folder):
    (folder / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(UserError, match="damaged or truncated"):
        read_model(folder)


def test_without_a_network_the_message_says_what_to_put_where(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UserError, match="put its config.json and model.safetensors into a folder"):
        read_weights(Path("openai-community/gpt2"))


def test_sizes_that_differ_are_named_as_keys_even_where_shapes_agree(folder):
    net = GPT2(VOCABULARY, width=8, depth=2, heads=4, context=6)
    with pytest.raises(UserError, match="model.net.width=8 model.net.depth=2 model.net.heads=2"):
        read_weights(folder).check(net, 137)


def test_another_vocabulary_is_named(net, folder):
    with pytest.raises(UserError, match="vocabulary of 137 ids, the tokenizer one of 140"):
        read_weights(folder).check(net, 140)


def test_weights_without_a_vocabulary_leave_the_tokenizer_alone(folder):
    tokenizer = AbcTokens(vocabulary="folk_rnn")
    read_weights(folder).give_vocabulary(tokenizer)
    assert tokenizer.vocabulary.size == 137


def test_a_mistyped_checkpoint_is_not_looked_for_on_the_hub(monkeypatch):
    monkeypatch.setattr(
        "symbotunes.checkpoints.formats.hugging_face.snapshot_download", pytest.fail
    )
    with pytest.raises(UserError, match="no checkpoint at runs/best.ckpt"):
        read_weights(Path("runs/best.ckpt"))
