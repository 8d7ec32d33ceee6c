"""What holds for every configuration: causality, shapes, writing step by step."""

import pytest
import torch

from symbotunes.models.music_vae.core import CoreWalk
from symbotunes.models.music_vae.symbols import Bits, Classes
from symbotunes.tokenizers.base import Vocabulary

CLOSE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.mark.parametrize("place", [0, 5, 15, 16, 31])
def test_a_step_reaches_no_output_at_or_before_it(net, windows, place):
    tokens = windows(net)
    changed = tokens.clone()
    changed[:, place] = 1 - changed[:, place].clamp(0, 1)
    z = torch.randn(3, net.latent)
    before, after = net.logits(z, tokens), net.logits(z, changed)
    assert torch.equal(before[:, : place + 1], after[:, : place + 1])
    if place < 31:
        assert not torch.allclose(before[:, place + 1], after[:, place + 1])


@pytest.mark.slow("trains for 60 steps on windows of 16 bars")
def test_without_a_leak_random_steps_cannot_be_foretold(make, windows, batch_of):
    net = make("music_vae_16bar", latent=2).train()
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=0.02)
    for seed in range(60):
        optimizer.zero_grad()
        net.loss(batch_of(windows(net, 8, seed=seed))).objective.backward()
        optimizer.step()
    assert net.loss(batch_of(windows(net, 16, seed=99))).terms["accuracy"] < 0.1


def test_bars_hear_only_the_last_step_of_the_bar_before(make, windows):
    net = make("music_vae_16bar")
    tokens, z = windows(net, steps=48), torch.randn(3, net.latent)
    changed = tokens.clone()
    changed[:, 3] = (tokens[:, 3] + 1) % 90
    torch.testing.assert_close(
        net.logits(z, tokens)[:, 16:], net.logits(z, changed)[:, 16:], rtol=0, atol=0
    )
    changed[:, 15] = (tokens[:, 15] + 1) % 90
    assert not torch.equal(net.logits(z, tokens)[:, 16], net.logits(z, changed)[:, 16])


def test_tracks_of_the_hierarchical_trio_do_not_hear_each_other(make, windows):
    net = make("music_vae_trio")
    tokens, z = windows(net), torch.randn(3, net.latent)
    changed = tokens.clone()
    changed[..., 2] = (tokens[..., 2] + 1) % 512
    assert torch.equal(net.logits(z, tokens)[..., :180], net.logits(z, changed)[..., :180])


@pytest.mark.parametrize("steps", [16, 48])
def test_any_number_of_bars_is_encoded_and_decoded(net, windows, steps):
    tokens = windows(net, pieces=2, steps=steps)
    posterior = net.encode(tokens)
    assert posterior.mean.shape == posterior.std.shape == (2, net.latent)
    assert (posterior.std > 0).all()
    assert net.logits(posterior.mean, tokens).shape[:2] == (2, steps)
    assert net.decode(posterior.mean, steps).shape == tokens.shape


def test_half_a_bar_is_refused(make):
    net = make("music_vae_16bar")
    with pytest.raises(ValueError, match="24 steps are not a whole number of bars of 16"):
        net.decode(torch.zeros(1, net.latent), 24)


def test_writing_draws_from_the_logits_of_what_is_written(net):
    """At temperature 0 each step is the likeliest answer to the steps before it."""
    z = torch.randn(4, net.latent)
    written = net.symbols.unpack(net.decode(z, 32, temperature=0))
    _, right = net.decoder.score(net.decoder(z, net.decoder.previous(written)), written)
    assert right.all()


def test_the_logits_on_the_way_are_those_of_teacher_forcing(net, windows):
    steps, z = net.symbols.unpack(windows(net)), torch.randn(3, net.latent)
    inputs, codes = net.decoder.previous(steps), net.decoder.codes(z, 2)
    expected = net.decoder(z, inputs)
    at = 0
    for track, core in enumerate(net.decoder.cores):
        own = inputs[..., track : track + 1] if len(net.decoder.cores) > 1 else inputs
        walk, bar = CoreWalk(core), net.decoder.bar(32)
        for t in range(32):
            if t % bar == 0:
                walk.begin(codes[:, t // bar])
            logits = walk.step(own[:, t])
            width = logits.shape[-1]
            torch.testing.assert_close(logits, expected[:, t, at : at + width], **CLOSE)
        at += width


def test_the_fused_kernels_compute_the_same(net, windows):
    steps = net.symbols.unpack(windows(net, steps=16))
    core = net.decoder.cores[0]
    inputs = net.decoder.previous(steps)[..., : core.symbols.numbers]
    code = net.decoder.codes(torch.randn(3, net.latent), 1)[:, 0]
    vectors = torch.cat([core.symbols.vectors(inputs), code[:, None].expand(-1, 16, -1)], -1)
    fused = core.head(core.stack.fused(vectors, code))
    torch.testing.assert_close(fused, core(code, inputs), **CLOSE)


def test_a_piece_does_not_depend_on_what_is_written_beside_it(net):
    z, uniforms = torch.randn(5, net.latent), torch.rand(net.chances(5, 16))
    together = net.decode(z, 16, uniforms=uniforms)
    alone = net.decode(z[3:4], 16, uniforms=uniforms[3:4])
    assert torch.equal(together[3:4], alone)


def test_a_generator_decides_what_is_written(net):
    z = torch.randn(2, net.latent)
    first, second = (
        net.decode(z, 16, generator=torch.Generator().manual_seed(seed)) for seed in (7, 7)
    )
    assert torch.equal(first, second)


def test_a_high_temperature_writes_almost_uniformly(make):
    net = make("music_vae")
    written = net.decode(torch.zeros(64, net.latent), 32, temperature=1e6)
    counts = written.flatten().bincount(minlength=90)
    assert counts.min() > 5  # 22.8 on average


def test_another_vocabulary_is_refused(make):
    with pytest.raises(
        ValueError, match=r"this model reads 90 classes \(melody\), but the transforms give 137"
    ):
        type(make("music_vae"))(Vocabulary(137, 0, 1), Classes({"melody": 90}), None, None)


def test_drums_are_heard_as_a_roll_with_a_bit_for_silence():
    heard = Classes({"drums": 512}, roll=True).heard(torch.tensor([[0], [5], [256]]))
    assert heard.tolist() == [
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        [1, 0, 1, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 1, 0],
    ]


def test_sets_of_drums_may_be_given_as_whole_numbers():
    symbols = Bits("drums", 61)
    steps = symbols.unpack(torch.tensor([[0, 1 << 60 | 1]]))
    assert steps.shape == (1, 2, 61)
    assert steps[0].sum(-1).tolist() == [0, 2]
    assert steps[0, 1, 0] == steps[0, 1, 60] == 1


def test_the_bits_probabilities_sum_to_one():
    """Over all 8 sets of 3 instruments, but for the floor of the logarithm."""
    head = Bits("drums", 3, hidden=4).head(2)
    sets = torch.tensor([[n >> bit & 1 for bit in range(3)] for n in range(8)])
    logits = head(torch.randn(1, 2)).expand(8, -1)
    nats, _ = head.score(logits, sets)
    assert (-nats).exp().sum().item() == pytest.approx(1, abs=2e-5)


def test_bits_are_drawn_as_often_as_scored():
    torch.manual_seed(0)
    head = Bits("drums", 3, hidden=4).head(2)
    logits = head(torch.randn(1, 2)).expand(20000, -1)
    drawn = head.draw(logits, 1.0, torch.rand(20000, 3))
    shares = (drawn * torch.tensor([1, 2, 4])).sum(-1).bincount(minlength=8) / 20000
    sets = torch.tensor([[n >> bit & 1 for bit in range(3)] for n in range(8)])
    nats, _ = head.score(logits[:8], sets)
    torch.testing.assert_close(shares, (-nats[:, 0]).exp().detach(), rtol=0, atol=0.015)


def test_weights_start_as_in_the_reference(make):
    net = make("music_vae", encoder="[64]", widths="[64,64]", latent=64)
    layer = net.decoder.cores[0].stack.layers[0]
    bound = (6 / (90 + 64 + 64 + 4 * 64)) ** 0.5  # Glorot over the fused kernel
    for weight in (layer.weight_ih_l0, layer.weight_hh_l0):
        assert bound * 0.98 < weight.abs().max() <= bound
    assert layer.bias_ih_l0.tolist() == [0] * 64 + [1] * 64 + [0] * 128
    assert not layer.bias_hh_l0.any()
    for linear in (net.posterior.mean, net.posterior.std, net.decoder.cores[0].stack.state):
        assert linear.weight.std().item() == pytest.approx(0.001, rel=0.1)
        assert not linear.bias.any()
