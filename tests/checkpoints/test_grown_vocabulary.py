"""Weights of a smaller vocabulary start a network that also knows the tokens of a transform."""

import pytest
import torch

from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.checkpoints.reopen import load_weights, rebuild
from symbotunes.checkpoints.weights import read_weights
from symbotunes.config.assembly import build_chain
from symbotunes.config.build import build
from symbotunes.errors import UserError
from tests.checkpoints.conftest import TINY_GPT2, composed

INFILL = "transforms=[abc_tokens_137,infill]"
TUNE = torch.tensor([[0, 4, 9, 40, 50, 60, 16]])  # ids that both vocabularies have


def grown_from(path, overrides):
    """A network with the tokens of infill, started from the weights of another."""
    cfg = composed(INFILL, *overrides)
    chain, weights = build_chain(cfg), read_weights(path)
    weights.give_vocabulary(chain.tokenizer)
    net = build(cfg.model.net, vocabulary=chain.tokenizer.model_vocabulary).eval()
    weights.check(net, chain.tokenizer.vocabulary.size)
    load_weights(net, weights.grown(net, chain.tokenizer), str(path))
    return net


NETWORKS = {
    "one-hot inputs and a head of its own": ["model=folk_rnn", "model.net.width=8"],
    "an embedding and a head": ["model.net.width=8", "+model.net.embedding=6"],
    "one table for both": TINY_GPT2,
    "a head without bias": ["model=music_transformer_small", "model.net.width=8"],
}


@pytest.mark.parametrize("overrides", NETWORKS.values(), ids=NETWORKS)
def test_a_grown_network_predicts_what_it_did_before(save, overrides):
    path = save(*overrides)
    before, _ = rebuild(unpack(path))
    after = grown_from(path, overrides)
    with torch.inference_mode():
        old, new = before.eval()(TUNE), after(TUNE)
    assert new.shape[-1] == old.shape[-1] + 2 == 139
    torch.testing.assert_close(new[..., :137], old)
    # Logits of a mean of rows are means of logits.
    torch.testing.assert_close(new[..., 137:], old.mean(-1, keepdim=True).expand(-1, -1, 2))


def test_a_checkpoint_with_added_tokens_opens_as_it_was_saved(save):
    net, tokenizer = rebuild(unpack(save(INFILL, "model.net.width=8")))
    assert tokenizer.added == ("<mask>", "<bar>")
    assert tokenizer.vocabulary.size == 137
    assert net.size == 139


def test_weights_with_added_tokens_start_the_same_chain_unchanged(save):
    path = save(INFILL, "model.net.width=8")
    after = grown_from(path, ["model.net.width=8"]).state_dict()
    for name, tensor in unpack(path).weights.items():
        assert torch.equal(after[name], tensor), name


def test_weights_with_added_tokens_do_not_start_a_chain_without_them(save):
    weights = read_weights(save(INFILL, "model.net.width=8"))
    tokenizer = build_chain(composed("model.net.width=8")).tokenizer
    with pytest.raises(UserError, match=r"trained with the tokens <mask> <bar>: choose"):
        weights.give_vocabulary(tokenizer)
