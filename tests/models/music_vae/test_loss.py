"""What a batch costs, and how that changes while training."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from symbotunes.evaluation.latent.active_units import active_units
from symbotunes.models.music_vae.latent import Posterior, kl_cost
from symbotunes.models.music_vae.schedules import kl_weight, sampling_probability


def test_the_divergence_is_that_of_normal_distributions():
    mean, std = torch.randn(4, 6), torch.rand(4, 6) + 0.1
    expected = kl_divergence(Normal(mean, std), Normal(0.0, 1.0)).sum(-1)
    torch.testing.assert_close(Posterior(mean, std).kl_nats(), expected)


def test_samples_have_the_posteriors_moments():
    torch.manual_seed(0)
    z = Posterior(torch.full((20000, 1), 2.0), torch.full((20000, 1), 0.3)).sample()
    assert z.mean().item() == pytest.approx(2.0, abs=0.01)
    assert z.std().item() == pytest.approx(0.3, abs=0.01)


def test_free_bits_are_taken_off_each_pieces_total():
    cost = kl_cost(torch.tensor([10.0, 33.0, 40.0]), free_bits=48)
    assert cost.tolist() == pytest.approx([0, 0, 40 - 48 * math.log(2)])


def test_axes_that_vary_between_pieces_are_active():
    means = torch.tensor([[0.0, 1.0, 0.01], [0.0, -1.0, -0.01]])
    assert active_units(means) == 1


@pytest.mark.parametrize(
    ("step", "rate", "expected"),
    [(0, 0.99999, 0), (100_000, 0.99999, 0.2 * 0.63212), (0, 0.0, 0), (1, 0.0, 0.2), (9, 0.0, 0.2)],
)
def test_the_weight_of_the_divergence_rises(step, rate, expected):
    assert kl_weight(step, 0.2, rate) == pytest.approx(expected, rel=1e-4)


def test_own_samples_replace_true_inputs_by_an_inverse_sigmoid():
    assert sampling_probability(0, 1000) == pytest.approx(1 / 1001)
    assert sampling_probability(6908, 1000) == pytest.approx(0.5, abs=1e-3)
    assert sampling_probability(15202, 2000) == pytest.approx(0.5, abs=1e-3)
    assert sampling_probability(10**7, 1000) == 1


def test_the_objective_is_reconstruction_and_weighed_divergence(make, windows, batch_of):
    net = make("music_vae_16bar", "free_bits=1").eval()
    torch.nn.init.constant_(net.posterior.mean.bias, 1.0)
    loss = net.loss(batch_of(windows(net)), step=1)
    terms = loss.terms
    assert terms["beta"] == pytest.approx(0.2)
    assert terms["kl_bits"].item() == pytest.approx(terms["kl_nats"].item() / math.log(2))
    charged = 0.2 * (terms["kl_nats"].item() - math.log(2))
    expected = terms["reconstruction_nats"].item() + charged
    assert loss.objective.item() == pytest.approx(expected, rel=1e-5)


def test_the_loss_that_is_reported_is_the_bound_whatever_training_makes_of_the_divergence(
    net, windows, batch_of
):
    """Derived by torch's own distributions, from the latent vectors that the same seed draws."""
    tokens = windows(net)
    net.free_bits, net.max_beta = 4.0, 0.1
    torch.manual_seed(3)
    loss = net.loss(batch_of(tokens), step=1)
    torch.manual_seed(3)
    posterior = net.encode(tokens)
    z = posterior.mean + posterior.std * torch.randn_like(posterior.mean)
    nats, _ = net.score(z, tokens)
    normal = Normal(posterior.mean, posterior.std)
    kl_nats = kl_divergence(normal, Normal(0.0, 1.0)).sum()
    assert kl_nats > 1
    torch.testing.assert_close(loss.nll_nats, (nats.sum() + kl_nats).detach())
    assert loss.nats_per_target.item() == pytest.approx(
        (nats.sum() + kl_nats).item() / (3 * 32 * len(net.symbols.tracks)), rel=1e-5
    )
    parts = loss.terms["reconstruction_nats"] + loss.terms["kl_nats"]
    torch.testing.assert_close(loss.nll_nats, 3 * parts)


def test_an_untrained_model_is_near_uniform(make, windows, batch_of):
    expected = {"music_vae": math.log(90), "music_vae_trio": (2 * math.log(90) + math.log(512)) / 3}
    for name, nats in expected.items():
        net = make(name)
        loss = net.loss(batch_of(windows(net)))
        assert loss.targets == 3 * 32 * len(net.symbols.tracks)
        assert loss.nll_nats.item() / loss.targets == pytest.approx(nats, rel=0.05)


def test_what_follows_a_piece_costs_nothing(net, windows, batch_of):
    long, short = windows(net, 2, 32), windows(net, 2, 32)
    short[:, 16:] = 1

    def nats(tokens):
        torch.manual_seed(0)
        return net.loss(batch_of(tokens, [16, 16])).nll_nats

    short[:, :16] = long[:, :16]
    torch.testing.assert_close(nats(long), nats(short))


def test_every_track_has_an_accuracy(make, windows, batch_of):
    net = make("music_vae_trio").eval()
    terms = net.loss(batch_of(windows(net))).terms
    tracks = [terms[f"accuracy_{name}"].item() for name in ("melody", "bass", "drums")]
    assert terms["accuracy"].item() == pytest.approx(sum(tracks) / 3)
    assert not any("free" in name for name in terms)


def test_evaluation_measures_free_running_where_training_samples(net, windows, batch_of):
    terms = net.loss(batch_of(windows(net))).terms
    assert ("accuracy_free" in terms) == (net.sampling_rate is not None)
    assert "accuracy_free" not in net.train().loss(batch_of(windows(net))).terms


def test_sampled_inputs_cost_what_the_written_sequence_costs(make, windows, batch_of):
    """Late in training all inputs are the model's own; the loss is that of these inputs."""
    net = make("music_vae").train()
    tokens = windows(net)
    steps = net.symbols.unpack(tokens)
    torch.manual_seed(5)
    loss = net.loss(batch_of(tokens), step=10**7)
    torch.manual_seed(5)
    z = net.encode(tokens).sample()
    torch.rand(steps.shape[:2])
    written = net.decoder.write(z, torch.rand(steps.shape))
    nats, _ = net.decoder.score(net.decoder(z, net.decoder.previous(written)), steps)
    torch.testing.assert_close(3 * loss.terms["reconstruction_nats"], nats.sum().detach())


def test_true_steps_stand_where_nothing_is_sampled(net, windows):
    steps = net.symbols.unpack(windows(net))
    own = torch.zeros(3, 32, dtype=torch.bool)
    own[:, 7] = True
    z = torch.randn(3, net.latent)
    written = net.decoder.write(z, torch.rand(steps.shape), 1.0, steps, own)
    assert torch.equal(written[~own], steps[~own])


def test_every_trained_weight_gets_a_gradient(net, windows, batch_of):
    net.train().loss(batch_of(windows(net)), step=1).objective.backward()
    for name, parameter in net.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


again = pytest.mark.slow("trains one more network")


@pytest.mark.parametrize(
    "name",
    [
        "music_vae",
        pytest.param("music_vae_16bar", marks=again),
        pytest.param("music_vae_trio", marks=again),
        pytest.param("music_vae_drums_nade", marks=again),
    ],
)
def test_a_handful_of_windows_is_memorized(make, windows, batch_of, name):
    settings = ["free_bits=100", "max_beta=0.01"]
    if name in ("music_vae_16bar", "music_vae_trio"):
        settings.append("decoder.conductor=[32]")
    size = None
    if name == "music_vae_drums_nade":
        settings, size = [*settings, "symbols.bits=6"], 6
    net = make(name, *settings, encoder="[32]", widths="[48]", latent=16, size=size).train()
    tokens = windows(net, pieces=3, steps=16)
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=0.02)
    for _ in range(100):
        optimizer.zero_grad()
        loss = net.loss(batch_of(tokens))
        if loss.terms["accuracy"] > 0.99 and rewritten(net, tokens) > 0.9:
            break
        loss.objective.backward()
        optimizer.step()
    assert net.loss(batch_of(tokens)).terms["accuracy"] > 0.95
    assert rewritten(net, tokens) > 0.9


def rewritten(net, tokens):
    """Which share of steps is right when windows are decoded from their means."""
    written = net.decode(net.encode(tokens).mean, tokens.shape[1], temperature=0)
    return (written == tokens).float().mean()
