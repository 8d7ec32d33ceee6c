"""The distribution of latent vectors that a MusicVAE learns beside its weights."""

import torch

from symbotunes.models.music_vae.latent import FittedPrior, Posterior

MEANS = torch.tensor([[3.0, -1.0], [5.0, 1.0]])  # the axes go together
STDS = torch.tensor([[0.1, 0.2], [0.1, 0.2]])


def test_before_any_window_it_is_the_prior():
    noise = torch.randn(4, 2)
    assert torch.equal(FittedPrior(2).draw(noise), noise)


def test_of_a_network_that_has_diverged_it_is_the_prior_too():
    prior = FittedPrior(2)
    prior.observe(Posterior(MEANS * float("nan"), STDS))
    noise = torch.randn(4, 2)
    assert torch.equal(prior.draw(noise), noise)


def test_it_draws_with_the_mean_and_covariance_of_the_posteriors_it_saw():
    prior = FittedPrior(2)
    for _ in range(3):
        prior.observe(Posterior(MEANS, STDS))
    drawn = prior.draw(torch.randn(200_000, 2, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(drawn.mean(0), torch.tensor([4.0, 0.0]), atol=0.02, rtol=0)
    expected = torch.tensor([[1.01, 1.0], [1.0, 1.04]])
    torch.testing.assert_close(torch.cov(drawn.T), expected, atol=0.02, rtol=0)


def test_it_forgets_windows_that_are_long_gone():
    prior = FittedPrior(2)
    prior.observe(Posterior(MEANS - 100, STDS))
    for _ in range(20 * FittedPrior.BATCHES):
        prior.observe(Posterior(MEANS, STDS))
    assert (prior.first - MEANS.mean(0)).abs().max() < 0.01


def test_training_feeds_it_and_evaluation_does_not(make, windows, batch_of):
    net = make("music_vae")
    batch = batch_of(windows(net))
    net.eval().loss(batch)
    assert net.prior.batches == 0
    net.train().loss(batch)
    torch.testing.assert_close(net.prior.first, net.encode(batch.tokens).mean.mean(0))


def test_weights_that_know_nothing_of_it_leave_the_prior(make):
    weights = make("music_vae").state_dict()
    for name in [name for name in weights if name.startswith("prior.")]:
        del weights[name]
    net = make("music_vae")
    net.load_state_dict(weights)
    noise = torch.randn(2, 5)
    assert torch.equal(net.fitted_prior(noise), noise)
