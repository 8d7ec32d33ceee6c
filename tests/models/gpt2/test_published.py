"""GPT-2 in the layout of transformers, to our names and back."""

import pytest
import torch

from symbotunes.errors import UserError
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.models.gpt2 import GPT2, from_transformers
from symbotunes.models.published import LayoutError, to_transformers
from symbotunes.tokenizers.base import Vocabulary

VOCABULARY = Vocabulary(137, bos=0, eos=1)


@pytest.fixture
def net():
    torch.manual_seed(0)
    return GPT2(VOCABULARY, width=8, depth=2, heads=2, context=6)


def test_what_is_exported_comes_back_bit_for_bit(net):
    published = from_transformers(*to_transformers(net, VOCABULARY))
    assert published.sizes == {"width": 8, "depth": 2, "heads": 2, "context": 6}
    assert published.vocabulary == 137
    state = net.state_dict()
    assert published.tensors.keys() == state.keys()
    assert all(torch.equal(published.tensors[name], state[name]) for name in state)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"activation_function": "relu"}, "activation_function=relu"),
        ({"scale_attn_weights": False}, "scale_attn_weights=False"),
        ({"n_inner": 5}, "n_inner=5"),
        ({"n_embd": None}, "does not describe a GPT-2"),
        ({"n_head": -2}, "does not describe a GPT-2"),
    ],
)
def test_another_network_is_refused(net, changes, message):
    config, tensors = to_transformers(net, VOCABULARY)
    with pytest.raises(LayoutError, match=message):
        from_transformers(config | changes, tensors)


def test_a_missing_tensor_is_named(net):
    config, tensors = to_transformers(net, VOCABULARY)
    del tensors["transformer.h.1.ln_2.bias"]
    with pytest.raises(LayoutError, match=r"lacks h\.1\.ln_2\.bias"):
        from_transformers(config, tensors)


def test_transformers_has_no_folk_rnn():
    with pytest.raises(UserError, match="transformers has no FolkRNN"):
        to_transformers(FolkRNN(VOCABULARY, width=8), VOCABULARY)
