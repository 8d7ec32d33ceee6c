"""Packing, windows and cache of a decoder whose embedding, attention and output are its own."""

import pytest
import torch

from symbotunes.models.base import Batch
from symbotunes.tokenizers.base import Vocabulary
from tests.models.relative_decoder import RelativeDecoder

VOCABULARY = Vocabulary(11, bos=0, eos=1)


def decoder(**sizes):
    torch.manual_seed(0)
    return RelativeDecoder(VOCABULARY, **sizes).eval()


def ids(rows, length):
    return torch.randint(2, 11, (rows, length), generator=torch.Generator().manual_seed(3))


def test_its_own_attention_is_used_in_every_block():
    net, tokens = decoder(), ids(1, 6)
    before = net(tokens)
    for layer in range(2):
        changed = decoder()
        with torch.no_grad():
            changed.distances[layer] = 0.0
        assert not torch.allclose(changed(tokens), before)


def test_a_packed_row_costs_what_its_pieces_cost_one_by_one():
    net = decoder()
    rows = torch.tensor([[0, 5, 6, 1, 0, 7, 1, 9], [0, 4, 4, 4, 1, 9, 9, 9]])
    segments = torch.tensor([[1, 1, 1, 1, 2, 2, 2, 0], [1, 1, 1, 1, 1, 0, 0, 0]])
    pieces = [[0, 5, 6, 1], [0, 7, 1], [0, 4, 4, 4, 1]]
    alone = [net.loss(Batch(torch.tensor([p]), torch.tensor([len(p)]))) for p in pieces]
    together = net.loss(Batch(rows, (segments != 0).sum(1), segments))
    assert together.targets == 3 + 2 + 4
    torch.testing.assert_close(together.nll_nats, sum(loss.nll_nats for loss in alone))


def test_the_bias_of_its_output_layer_learns():
    net, tokens = decoder(), ids(2, 8)
    net.loss(Batch(tokens, torch.tensor([8, 5]))).objective.backward()
    fused = net.head.bias.grad.clone(), net.head.weight.grad.clone()
    net.zero_grad()
    nats = 0.0
    for row, length in enumerate([8, 5]):
        logits = net(tokens[row : row + 1, : length - 1])[0]
        nats = nats + torch.nn.functional.cross_entropy(
            logits, tokens[row, 1:length], reduction="sum"
        )
    (nats / 11).backward()
    torch.testing.assert_close((net.head.bias.grad, net.head.weight.grad), fused)


@pytest.mark.parametrize("context", [1, 7, 8])
def test_beyond_the_context_reading_token_by_token_is_the_forward_pass(context):
    net, tokens = decoder(context=context), ids(3, 21)
    expected = net(tokens)
    state = net.start(3)
    for step in range(21):
        logits, state = net.step(tokens[:, step], state)
        torch.testing.assert_close(logits, expected[:, step], rtol=0, atol=1e-5)


@pytest.mark.parametrize("cut", [1, 6, 8, 11])
def test_reading_at_once_is_reading_token_by_token(cut):
    net, tokens = decoder(), ids(2, 15)
    _, state = net.read(tokens[:, :cut], net.start(2))
    logits, _ = net.read(tokens[:, cut:], state)
    torch.testing.assert_close(logits, net(tokens)[:, -1], rtol=0, atol=1e-5)


@pytest.mark.parametrize(("dtype", "error"), [(torch.bfloat16, 0.02), (torch.int8, 0.05)])
def test_rounded_weights_change_logits_a_little(dtype, error):
    net, tokens = decoder(width=32), ids(3, 8)
    exact = net(tokens)[:, -1]
    net.decoding_dtype = dtype
    state = net.start(3)
    for column in tokens.unbind(1):
        rounded, state = net.step(column, state)
    assert 0 < (rounded - exact).norm() / exact.norm() < error
