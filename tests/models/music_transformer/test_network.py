"""The Music Transformer: distances within pieces, under the cache and beyond the context."""

import math

import pytest
import torch

from symbotunes.models.base import Batch
from symbotunes.models.music_transformer import MusicTransformer
from symbotunes.models.music_transformer.network import sinusoids
from symbotunes.tokenizers.base import Vocabulary

VOCABULARY = Vocabulary(11, bos=0, eos=1)
# Keys narrower than values, wider, and as wide; distances beyond R, none, and with clipping.
KINDS = [
    {"key_width": 8},
    {"key_width": 32, "clip_distance": True},
    {"key_width": 16, "max_distance": 50},
    {"key_width": 8, "max_distance": 0},
]


def small(**changes):
    torch.manual_seed(0)
    sizes = {
        "width": 16, "depth": 2, "heads": 2, "key_width": 16, "feedforward": 24, "context": 10,
        "max_distance": 4, "dropout": 0.0, "attention_dropout": 0.0,
    } | changes  # fmt: skip
    net = MusicTransformer(VOCABULARY, **sizes)
    torch.nn.init.normal_(net.head.weight)  # so that logits differ
    return net


def ids(rows, length):
    return torch.randint(2, 11, (rows, length), generator=torch.Generator().manual_seed(3))


def test_sinusoids_are_all_sines_and_then_all_cosines():
    """Wavelengths of 4 units: 1 and 10,000 tokens per radian."""
    table = sinusoids(200, 4)
    expected = [math.sin(120), math.sin(0.012), math.cos(120), math.cos(0.012)]
    assert table[120].tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("context", [9, 10, 40])
def test_beyond_the_context_reading_token_by_token_is_the_forward_pass(kind, context):
    net, tokens = small(context=context, **kind).eval(), ids(3, 27)
    expected = net(tokens)
    state = net.start(3)
    for step in range(27):
        logits, state = net.step(tokens[:, step], state)
        torch.testing.assert_close(logits, expected[:, step], rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("cut", [0, 1, 7, 10, 14])
def test_a_prompt_read_at_once_is_one_read_token_by_token(kind, cut):
    net, tokens = small(**kind).eval(), ids(2, 17)
    state = net.start(2)
    if cut:
        _, state = net.read(tokens[:, :cut], state)
    logits, _ = net.read(tokens[:, cut:], state)
    torch.testing.assert_close(logits, net(tokens)[:, -1], rtol=0, atol=1e-5)


def test_weights_do_not_depend_on_the_context():
    """So that samples can be longer than what was trained on, up to a larger context."""
    trained, sampled = small(context=10).eval(), small(context=20).eval()
    sampled.load_state_dict(trained.state_dict())
    tokens = ids(1, 20)
    assert torch.equal(sampled(tokens[:, :10]), trained(tokens[:, :10]))
    state, rows = sampled.start(1), []
    for column in tokens.unbind(1):
        logits, state = sampled.step(column, state)
        rows.append(logits)
    torch.testing.assert_close(torch.stack(rows, 1), sampled(tokens), rtol=0, atol=1e-5)
    # The first token is still attended to, which a window of 10 would have left behind.
    changed = tokens.clone()
    changed[0, 0] = 2 + (tokens[0, 0] - 1) % 9
    assert not torch.equal(sampled(changed)[0, 19], sampled(tokens)[0, 19])


def test_without_its_embedding_a_distance_is_not_scored():
    """In a network of one block, keys at distances of R and more are scored by position alone."""
    net, tokens = small(depth=1, context=20, max_distance=3).eval(), ids(1, 9)
    before = net(tokens)
    with torch.no_grad():
        net.blocks[0].distances[:, 0] += 1.0  # of distance 2
    changed = (net(tokens) - before).abs().amax(-1)[0] > 0
    assert changed.tolist() == [False, False] + [True] * 7


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_attention_dropout_that_drops_nothing_leaves_outputs_and_gradients(kind):
    """It takes the padded batch in place of the kernel for packed pieces."""
    net = small(context=12, **kind).train()
    batch = Batch(ids(2, 12), torch.tensor([12, 7]))
    gradients = []
    for net.attention_dropout in (0.0, 1e-12):
        net.zero_grad()
        net.loss(batch).objective.backward()
        gradients.append([parameter.grad.clone() for parameter in net.parameters()])
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-6)


def test_a_packed_row_costs_what_its_pieces_cost_one_by_one():
    net = small(key_width=8)
    rows = torch.tensor([[0, 5, 6, 1, 0, 7, 1, 9], [0, 4, 4, 4, 1, 9, 9, 9]])
    segments = torch.tensor([[1, 1, 1, 1, 2, 2, 2, 0], [1, 1, 1, 1, 1, 0, 0, 0]])
    pieces = [[0, 5, 6, 1], [0, 7, 1], [0, 4, 4, 4, 1]]
    alone = [net.loss(Batch(torch.tensor([p]), torch.tensor([len(p)]))) for p in pieces]
    together = net.loss(Batch(rows, (segments != 0).sum(1), segments))
    torch.testing.assert_close(together.nll_nats, sum(loss.nll_nats for loss in alone))


def test_bfloat16_autocast_comes_near_float32():
    net, batch = small(key_width=8), Batch(ids(4, 10), torch.tensor([10, 7, 5, 3]))
    exact = net.loss(batch).objective
    with torch.autocast("cpu", torch.bfloat16):
        rounded = net.loss(batch).objective
    rounded.backward()
    assert rounded.dtype == torch.float32
    assert rounded.item() == pytest.approx(exact.item(), rel=2e-2)
    assert all(parameter.grad.isfinite().all() for parameter in net.parameters())


@pytest.mark.parametrize(("dtype", "error"), [(torch.bfloat16, 0.02), (torch.int8, 0.05)])
def test_rounded_weights_change_logits_a_little(dtype, error):
    net, tokens = small(width=64, key_width=32).eval(), ids(3, 8)
    exact = net(tokens)[:, -1]
    net.decoding_dtype = dtype
    state = net.start(3)
    for column in tokens.unbind(1):
        rounded, state = net.step(column, state)
    assert 0 < (rounded - exact).norm() / exact.norm() < error


def test_first_weights_are_those_of_tensor2tensor():
    net = small(width=256, heads=4, key_width=512, feedforward=128, max_distance=40)
    block = net.blocks[0]
    query, key, value = block.qkv.weight.split([512, 512, 256])
    for weight, inputs, outputs in ((query, 256, 512), (key, 256, 512), (value, 256, 256)):
        assert weight.abs().max().item() == pytest.approx(
            math.sqrt(6 / (inputs + outputs)), rel=0.01
        )
    assert block.distances.shape == (4, 40, 128)
    assert block.distances.std().item() == pytest.approx(128**-0.5, rel=0.05)
    assert net.embed.weight.std().item() == pytest.approx(256**-0.5, rel=0.05)
    assert not block.up.bias.any()
    assert not torch.equal(net.blocks[0].distances, net.blocks[1].distances)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"width": 18, "heads": 4}, "heads=4 must divide width=18"),
        ({"key_width": 15}, "must divide key_width=15"),
        ({"width": 3, "heads": 1}, "width=3 must be even"),
        ({"max_distance": -1}, "max_distance=-1 must be at least 0"),
        ({"cycle": 3}, "context=10 must be a multiple of twice the cycle=3"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        small(**sizes)


def test_places_of_a_cycle_are_kept_by_a_window_that_slides():
    """Only the place is embedded: without sinusoids and attention, logits repeat in every cycle."""
    net = small(context=8, cycle=4).eval()
    torch.nn.init.zeros_(net.sinusoids)
    torch.nn.init.zeros_(net.embed.weight)
    torch.nn.init.normal_(net.places.weight)
    for block in net.blocks:
        torch.nn.init.zeros_(block.out.weight)
    logits = net(ids(1, 20))[0]
    torch.testing.assert_close(logits[4:], logits[:-4])
    assert not torch.allclose(logits[0], logits[1], atol=1e-2)
