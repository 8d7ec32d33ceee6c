"""Folders of Hugging Face: read where they are GPT-2s, refused in one line where they are not."""

import json
from pathlib import Path

import pytest
import torch

from symbotunes.checkpoints.importers.hugging_face import export, load
from symbotunes.checkpoints.weights import read_weights
from symbotunes.errors import UserError
from symbotunes.models.gpt2 import GPT2
from symbotunes.tokenizers.abc import AbcTokens
from symbotunes.tokenizers.base import Vocabulary

VOCABULARY = Vocabulary(137, bos=0, eos=1)


@pytest.fixture
def net():
    torch.manual_seed(0)
    return GPT2(VOCABULARY, width=8, depth=2, heads=2, context=6)


@pytest.fixture
def folder(net, tmp_path):
    export(net, tmp_path / "model", VOCABULARY)
    return tmp_path / "model"


def reconfigure(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_what_is_exported_comes_back_bit_for_bit(net, folder):
    published = load(folder)
    assert published.geometry.keys == {"width": 8, "depth": 2, "heads": 2, "context": 6}
    assert published.geometry.vocabulary == 137
    state = net.state_dict()
    assert published.weights.keys() == state.keys()
    assert all(torch.equal(published.weights[name], state[name]) for name in state)


def test_a_pickle_is_not_opened(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UserError, match="pickle, which can run code and is not opened"):
        load(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "llama"}, "model_type=llama; only gpt2"),
        ({"activation_function": "relu"}, "activation_function=relu"),
        ({"scale_attn_weights": False}, "scale_attn_weights=False"),
        ({"n_inner": 5}, "n_inner=5"),
        ({"n_embd": None}, "its sizes are"),
    ],
)
def test_another_network_is_refused(folder, changes, message):
    reconfigure(folder, **changes)
    with pytest.raises(UserError, match=message):
        load(folder)


def test_damage_is_named(folder):
    (folder / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(UserError, match="damaged or truncated"):
        load(folder)


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
        "symbotunes.checkpoints.importers.hugging_face.snapshot_download", pytest.fail
    )
    with pytest.raises(UserError, match="no checkpoint at runs/best.ckpt"):
        read_weights(Path("runs/best.ckpt"))
