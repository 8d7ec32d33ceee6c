"""Tensor2Tensor's variables under our names, and its logits."""

import numpy as np
import pytest
import torch

from symbotunes.checkpoints.weights import read_weights
from symbotunes.errors import UserError
from symbotunes.models.music_transformer import from_tensor2tensor
from symbotunes.models.published import LayoutError
from symbotunes.tokenizers.abc import AbcTokens
from symbotunes.tokenizers.performance import Performance
from tests.models.music_transformer.tensor2tensor import HEADS, case_of, network_of, shifted

RELATIVE = "relative_vocabulary_310"
LAYER = "transformer/body/decoder/layer_1"
DISTANCES = "multihead_attention/dot_product_self_attention_relative_v2/key_relative_embeddings"
SOFTMAX = "transformer/symbol_modality_310_16/softmax/weights_0"


@pytest.fixture(scope="module")
def variables():
    return case_of(RELATIVE).variables


@pytest.mark.parametrize("name", HEADS)
def test_logits_are_those_of_tensor2tensor(name):
    case, net = case_of(name), network_of(name)
    logits = net(shifted(case.ids))
    torch.testing.assert_close(logits, case.logits, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", HEADS)
def test_logits_of_the_cache_are_those_of_tensor2tensor(name):
    case, net = case_of(name), network_of(name)
    state = net.start(1)
    for step, column in enumerate(shifted(case.ids).unbind(1)):
        logits, state = net.step(column, state)
        torch.testing.assert_close(logits, case.logits[:, step], rtol=0, atol=1e-5)


def test_sizes_are_read_from_shapes(variables):
    published = from_tensor2tensor(variables)
    assert published.vocabulary == 310
    assert published.sizes == {
        "width": 16, "depth": 3, "heads": 4, "key_width": 24, "feedforward": 20, "max_distance": 32,
    }  # fmt: skip


def test_an_optimizers_memory_is_passed_over(variables):
    more = {"global_step": np.int64(5), f"training/{SOFTMAX}/Adam_1": np.zeros(3, np.float32)}
    assert from_tensor2tensor(variables | more).tensors.keys() == (
        from_tensor2tensor(variables).tensors.keys()
    )


def test_a_missing_variable_is_named(variables):
    fewer = {k: v for k, v in variables.items() if k != f"{LAYER}/ffn/conv2/bias"}
    with pytest.raises(LayoutError, match=f"lacks {LAYER}/ffn/conv2/bias"):
        from_tensor2tensor(fewer)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"transformer/body/encoder/layer_0/q": np.zeros(2)}, "has transformer/body/encoder"),
        ({f"{LAYER}/ffn/conv3/kernel": np.zeros(2)}, f"has {LAYER}/ffn/conv3/kernel"),
        ({SOFTMAX: np.zeros((300, 16))}, r"has shape \(300, 16\) in .*softmax"),
        (
            {f"transformer/body/decoder/layer_0/self_attention/{DISTANCES}": np.zeros((32, 6))},
            "shares its embeddings of distances",
        ),
    ],
)
def test_another_network_is_refused(variables, more, message):
    with pytest.raises(LayoutError, match=message):
        from_tensor2tensor(variables | more)


def test_an_output_layer_shared_with_the_embedding_is_refused(variables):
    fewer = {k: v for k, v in variables.items() if k != SOFTMAX}
    with pytest.raises(LayoutError, match="lacks an embedding and an output layer"):
        from_tensor2tensor(fewer)


@pytest.fixture
def weights(variables, tmp_path):
    path = tmp_path / "variables.npz"
    np.savez(path, **{name.replace("/", "|"): array for name, array in variables.items()})
    return read_weights(path)


def test_a_file_of_variables_fits_the_network_of_its_sizes(weights):
    weights.give_vocabulary(Performance())
    weights.check(network_of(RELATIVE), 310)


def test_other_sizes_and_vocabularies_are_refused_with_what_to_set(weights):
    sizes = "width=16 .*depth=3 .*key_width=24 .*max_distance=32 .*heads=4"
    with pytest.raises(UserError, match=f"of other sizes: set model=music_transformer .*{sizes}"):
        weights.check(network_of("absolute_only"), 310)
    with pytest.raises(UserError, match="310 ids, the tokenizer one of 388: choose the transforms"):
        weights.check(network_of(RELATIVE), 388)
    with pytest.raises(UserError, match=r"other tokens: set transforms=\[performance_piano\]"):
        weights.give_vocabulary(AbcTokens())
