"""The distribution of latent vectors that a MusicVAE learns beside its weights."""

import torch

from symbotunes.models.music_vae.latent import FittedPrior, Posterior

STDS = torch.full((6, 2), 0.1)
MIDDLES = {(11, 0), (10, 1), (11, 1), (-31.5, 50), (-30, 51.5), (-31.5, 51.5)}
# Two groups of windows, far from each other and from zero.
MEANS = torch.tensor([[10.0, 0], [12, 0], [10, 2], [-30, 50], [-33, 50], [-30, 53]])


def drawn(prior, count=4000):
    return prior.draw(torch.randn(count, 2, generator=torch.Generator().manual_seed(0)))


def test_before_any_window_it_is_the_prior():
    noise = torch.randn(4, 2)
    assert torch.equal(FittedPrior(2).draw(noise), noise)


def test_of_a_network_that_has_diverged_it_is_the_prior_too():
    prior = FittedPrior(2)
    prior.observe(Posterior(MEANS * float("nan"), STDS))
    noise = torch.randn(4, 2)
    assert torch.equal(prior.draw(noise), noise)


def test_it_draws_half_way_between_windows_that_lie_near_each_other(monkeypatch):
    monkeypatch.setattr(FittedPrior, "NEAREST", 2)
    monkeypatch.setattr(FittedPrior, "TWINS", 0.0)
    prior = FittedPrior(2)
    prior.observe(Posterior(MEANS, STDS))
    found, counts = drawn(prior).unique(dim=0, return_counts=True)
    assert {tuple(row.tolist()) for row in found} == MIDDLES
    assert counts.min() > 4000 / 12


def test_a_window_that_came_by_often_counts_once(monkeypatch):
    monkeypatch.setattr(FittedPrior, "NEAREST", 2)
    monkeypatch.setattr(FittedPrior, "TWINS", 1e-3)
    prior = FittedPrior(2)
    for times in (1, 20, 3):
        prior.observe(Posterior(MEANS[:2].repeat(times, 1) + 1e-3, STDS))
        prior.observe(Posterior(MEANS, STDS))
    assert {tuple(row.tolist()) for row in drawn(prior).unique(dim=0)} == MIDDLES


def test_it_forgets_windows_that_are_long_gone():
    prior = FittedPrior(2)
    prior.observe(Posterior(MEANS - 1000, STDS))
    for _ in range(FittedPrior.KEPT // len(MEANS) + 1):
        prior.observe(Posterior(MEANS, STDS))
    assert prior.vectors.min() >= MEANS.min()


def test_a_batch_may_be_larger_than_what_is_kept():
    prior = FittedPrior(2)
    many = torch.randn(2 * FittedPrior.KEPT + 7, 2) + 9
    prior.observe(Posterior(many, many.abs()))
    assert {*map(tuple, prior.vectors.tolist())} == {
        *map(tuple, many[-FittedPrior.KEPT :].tolist())
    }


def test_it_draws_in_half_precision_too():
    prior = FittedPrior(2)
    prior.observe(Posterior(MEANS, STDS))
    assert prior.bfloat16().draw(torch.randn(4, 2).bfloat16()).dtype is torch.bfloat16


def test_each_vector_hangs_on_its_own_noise():
    prior = FittedPrior(2)
    prior.observe(Posterior(MEANS, STDS))
    noise = torch.randn(8, 2)
    torch.testing.assert_close(prior.draw(noise)[3:5], prior.draw(noise[3:5]))


def test_training_feeds_it_and_evaluation_does_not(make, windows, batch_of):
    net = make("music_vae")
    batch = batch_of(windows(net))
    net.eval().loss(batch)
    assert net.prior.windows == 0
    net.train().loss(batch)
    means = net.encode(batch.tokens).mean
    assert net.prior.windows == len(means)
    torch.testing.assert_close(net.prior.vectors[: len(means)], means)


def test_weights_that_know_nothing_of_it_leave_the_prior(make):
    weights = make("music_vae").state_dict()
    for name in [name for name in weights if name.startswith("prior.")]:
        del weights[name]
    net = make("music_vae")
    net.load_state_dict(weights)
    noise = torch.randn(2, 5)
    assert torch.equal(net.fitted_prior(noise), noise)


def test_windows_seen_after_the_first_draw_count_as_well():
    early, late = FittedPrior(2), FittedPrior(2)
    early.observe(Posterior(MEANS[:2], STDS[:2]))
    drawn(early)
    early.observe(Posterior(MEANS[2:], STDS[2:]))
    late.observe(Posterior(MEANS, STDS))
    assert torch.equal(drawn(early), drawn(late))
    late.load_state_dict({**late.state_dict(), "vectors": late.vectors + 100})
    assert torch.allclose(drawn(late), drawn(early) + 100)
