"""Attention divided by the number of the layer: part of the query weights, in and out."""

from pathlib import Path

import numpy as np
import pytest
import torch

from symbotunes.checkpoints.formats.hugging_face import read_model, write_model
from symbotunes.models.base import Batch
from symbotunes.models.gpt2 import GPT2, from_transformers
from symbotunes.models.published import LayoutError, to_transformers
from symbotunes.tokenizers.base import NO_ID, Vocabulary

FILES = Path(__file__).parents[2] / "files" / "amt"
BARE, PREFIXED = FILES / "gpt2_small_vocabulary", FILES / "gpt2_small_vocabulary_prefixed"
VOCABULARY = Vocabulary(80, NO_ID, NO_ID, opening=0)


def opened(folder):
    model = read_model(folder)
    published = from_transformers(model.config, model.tensors)
    net = GPT2(VOCABULARY, **published.sizes).eval()
    net.load_state_dict(published.tensors)
    return net


@pytest.fixture(scope="module")
def net():
    return opened(BARE)


@pytest.fixture(scope="module")
def vectors():
    arrays = np.load(BARE / "vectors.npz")
    return {name: torch.from_numpy(arrays[name]) for name in arrays}


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs.float(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("folder", [BARE, PREFIXED], ids=lambda folder: folder.name)
@torch.no_grad()
def test_published_weights_give_the_logits_of_transformers(folder, vectors):
    logits = opened(folder)(vectors["ids"].long())
    close(logits, vectors["logits"])
    ignored = vectors["logits_flag_ignored"]
    assert (logits[0] - ignored).abs().max() > 0.5  # what a reader has that ignores the flag


@torch.no_grad()
def test_padded_and_packed_rows_have_the_same_logits(net, vectors):
    ids, expected = vectors["ids"].long(), vectors["logits"]
    lengths = (39, 11, 27)
    real = torch.arange(39) < torch.tensor(lengths)[:, None]
    close(net(ids, real.long())[real], expected[real])
    packed = torch.cat([row[:length] for row, length in zip(ids, lengths, strict=True)])
    segments = torch.cat([torch.full((length,), row + 1) for row, length in enumerate(lengths)])
    close(net(packed[None], segments[None])[0], expected[real])


@pytest.mark.parametrize("rows", [1, 3])
@torch.no_grad()
def test_with_a_cache_they_are_the_same_token_by_token(net, vectors, rows):
    ids, expected = vectors["ids"][:rows].long(), vectors["logits"][:rows]
    logits, state = net.read(ids[:, :20], net.start(rows))
    close(logits, expected[:, 19])
    for step in range(20, 39):
        logits, state = net.step(ids[:, step], state)
        close(logits, expected[:, step])


def test_the_loss_is_the_mean_of_their_nats(net, vectors):
    loss = net.loss(Batch(vectors["ids"].long(), torch.tensor([39, 39, 39])))
    assert loss.objective.item() == pytest.approx(vectors["nats"].mean().item(), abs=1e-6)


def test_an_export_has_the_flag_and_the_published_weights(net, tmp_path):
    write_model(tmp_path / "model", *to_transformers(net, VOCABULARY))
    exported, published = read_model(tmp_path / "model"), read_model(BARE)
    assert exported.config["scale_attn_by_inverse_layer_idx"] is True
    assert exported.config["eos_token_id"] is None
    for name, tensor in published.tensors.items():
        # A third of a third has other last bits than a whole.
        torch.testing.assert_close(
            exported.tensors[f"transformer.{name}"], tensor, rtol=1e-6, atol=0
        )


def test_other_networks_are_exported_without_the_flag():
    config, _ = to_transformers(GPT2(VOCABULARY, width=8, depth=2, heads=2, context=6), VOCABULARY)
    assert config["scale_attn_by_inverse_layer_idx"] is False


def test_transformers_computes_the_same_from_what_is_exported(net, vectors, tmp_path):
    transformers = pytest.importorskip("transformers")
    write_model(tmp_path / "model", *to_transformers(net, VOCABULARY))
    # Up to 5.2, its default attention ignores the flag.
    theirs = transformers.GPT2LMHeadModel.from_pretrained(
        tmp_path / "model", attn_implementation="eager"
    )
    with torch.no_grad():
        close(theirs.eval()(vectors["ids"].long()).logits, vectors["logits"])


def test_the_first_queries_of_a_layer_are_smaller_by_its_number():
    torch.manual_seed(0)
    net = GPT2(VOCABULARY, width=256, depth=4, heads=4, layer_scaled_attention=True)
    for layer, block in enumerate(net.blocks):
        query, key, value = block.qkv.weight.chunk(3)
        assert query.std().item() == pytest.approx(0.02 / (layer + 1), rel=0.05)
        assert key.std().item() == pytest.approx(0.02, rel=0.05)
        assert value.std().item() == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocab_size": 34025}, "interarrival vocabulary of 34,025 ids, which cannot be read"),
        ({"scale_attn_by_inverse_layer_idx": 1}, "not true or false"),
    ],
)
def test_what_cannot_be_read_is_refused(changes, message):
    model = read_model(BARE)
    with pytest.raises(LayoutError, match=message):
        from_transformers(model.config | changes, model.tensors)
