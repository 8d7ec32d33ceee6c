"""GPT-2: its geometry, its window and its packing."""

import math

import pytest
import torch

from symbotunes.models.base import Batch
from symbotunes.models.decoder_only import windows
from symbotunes.models.gpt2 import GPT2
from symbotunes.tokenizers.base import Vocabulary

VOCABULARY = Vocabulary(11, bos=0, eos=1)


def small(**changes):
    torch.manual_seed(0)
    sizes = {"width": 16, "depth": 2, "heads": 2, "context": 10, "dropout": 0.0} | changes
    return GPT2(VOCABULARY, **sizes)


def ids(rows, length):
    return torch.randint(2, 11, (rows, length), generator=torch.Generator().manual_seed(3))


def test_the_released_geometry_has_124439808_parameters():
    with torch.device("meta"):
        net = GPT2(Vocabulary(50257, bos=50256, eos=50256))
    assert sum(parameter.numel() for parameter in net.parameters()) == 124_439_808


def test_first_weights_are_those_of_openai():
    net = small(width=256, heads=4, depth=8, context=200)
    block = net.blocks[3]
    assert net.embed.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert net.positions.weight.std().item() == pytest.approx(0.01, rel=0.05)
    assert block.qkv.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert block.down.weight.std().item() == pytest.approx(0.02 / 4, rel=0.05)  # sqrt(2 x 8) = 4
    assert not block.up.bias.any()
    assert not torch.equal(net.blocks[0].qkv.weight, net.blocks[1].qkv.weight)
    plain = small(width=256, heads=4, residual_scaling=False)
    assert plain.blocks[0].down.weight.std().item() == pytest.approx(0.02, rel=0.05)


def test_the_window_moves_by_half_a_context():
    assert windows(10, 10) == [(0, 10, 0)]
    assert windows(17, 10) == [(0, 10, 0), (5, 15, 10), (10, 17, 15)]
    assert windows(4, 1) == [(0, 1, 0), (1, 2, 1), (2, 3, 2), (3, 4, 3)]


@pytest.mark.parametrize("context", [1, 9, 10])
def test_beyond_the_context_reading_token_by_token_is_the_forward_pass(context):
    net, tokens = small(context=context).eval(), ids(3, 27)
    expected = net(tokens)
    state = net.start(3)
    for step in range(27):
        logits, state = net.step(tokens[:, step], state)
        torch.testing.assert_close(logits, expected[:, step], rtol=0, atol=1e-6)


def test_when_the_context_is_full_its_last_half_is_read_again_from_position_0():
    net, tokens = small().eval(), ids(1, 11)
    torch.testing.assert_close(net(tokens)[:, 10], net(tokens[:, 5:])[:, 5])


@pytest.mark.parametrize("cut", [0, 1, 7, 10, 14])
def test_reading_at_once_is_reading_token_by_token(cut):
    net, tokens = small().eval(), ids(2, 17)
    state = net.start(2)
    if cut:
        _, state = net.read(tokens[:, :cut], state)
    logits, _ = net.read(tokens[:, cut:], state)
    torch.testing.assert_close(logits, net(tokens)[:, -1], rtol=0, atol=1e-6)


def test_a_cache_that_outgrows_its_room_keeps_what_it_holds():
    net, tokens = small(context=600).eval(), ids(1, 300)
    _, state = net.read(tokens[:, :255], net.start(1))
    assert state.keys[0].shape[2] == 256
    logits, state = net.read(tokens[:, 255:], state)
    assert state.keys[0].shape[2] == 512
    torch.testing.assert_close(logits, net(tokens)[:, -1], rtol=0, atol=1e-5)


def test_a_packed_row_costs_what_its_pieces_cost_one_by_one():
    net = small()
    rows = torch.tensor([[0, 5, 6, 1, 0, 7, 1, 9], [0, 4, 4, 4, 1, 9, 9, 9]])
    segments = torch.tensor([[1, 1, 1, 1, 2, 2, 2, 0], [1, 1, 1, 1, 1, 0, 0, 0]])
    pieces = [[0, 5, 6, 1], [0, 7, 1], [0, 4, 4, 4, 1]]
    alone = [net.loss(Batch(torch.tensor([p]), torch.tensor([len(p)]))) for p in pieces]
    together = net.loss(Batch(rows, (segments != 0).sum(1), segments))
    assert together.targets == 3 + 2 + 4
    torch.testing.assert_close(together.nll_nats, sum(loss.nll_nats for loss in alone))
    torch.testing.assert_close(together.objective, together.nll_nats / 9)


@pytest.mark.parametrize("context", [10, 700])  # many windows; more than one block of queries
def test_fused_loss_and_attention_have_the_gradients_of_plain_ones(context):
    net, tokens = small(context=context), ids(2, 600)
    lengths = torch.tensor([600, 300])
    net.loss(Batch(tokens, lengths)).objective.backward()
    fused = [parameter.grad.clone() for parameter in net.parameters()]
    net.zero_grad()
    net.train().attention_dropout = 1e-12  # takes torch's own kernel
    net.dropout = 0.0
    nats = 0
    for row, length in enumerate(lengths.tolist()):
        logits = net(tokens[row : row + 1, :length])[0, :-1]
        targets = tokens[row, 1:length]
        nats = nats - logits.log_softmax(-1).gather(1, targets[:, None]).sum()
    (nats / 898).backward()
    torch.testing.assert_close([p.grad for p in net.parameters()], fused, rtol=1e-3, atol=1e-6)


def test_bfloat16_autocast_comes_near_float32():
    net, tokens = small(), ids(4, 10)
    batch = Batch(tokens, torch.tensor([10, 7, 5, 3]))
    exact = net.loss(batch).objective
    with torch.autocast("cpu", torch.bfloat16):
        rounded = net.loss(batch).objective
    rounded.backward()
    assert rounded.dtype == torch.float32
    assert rounded.item() == pytest.approx(exact.item(), rel=1e-2)
    assert all(parameter.grad.isfinite().all() for parameter in net.parameters())


@pytest.mark.parametrize(("dtype", "error"), [(torch.bfloat16, 0.02), (torch.int8, 0.05)])
@pytest.mark.parametrize("width", [48, 64])
@pytest.mark.parametrize("count", [3, 12])
def test_rounded_weights_change_logits_a_little_and_each_row_by_itself(dtype, error, width, count):
    net, tokens = small(width=width).eval(), ids(count, 8)
    exact = net(tokens)[:, -1]
    net.decoding_dtype = dtype

    def read(rows):
        state = net.start(len(rows))
        for column in rows.unbind(1):
            logits, state = net.step(column, state)
        return logits

    rounded = read(tokens)
    assert 0 < (rounded - exact).norm() / exact.norm() < error
    torch.testing.assert_close(read(tokens[:2]), rounded[:2])


def test_an_untrained_model_costs_ln_v_per_token():
    loss = small(width=64).loss(Batch(ids(2, 9), torch.tensor([9, 9])))
    assert loss.objective.item() == pytest.approx(math.log(11), rel=0.05)


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="heads=3 must divide width=16"):
        small(heads=3)
