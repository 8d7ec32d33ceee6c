"""MusicVAE: encoder, posterior, decoder, and what a batch costs."""

from collections.abc import Callable

import torch
from torch import Tensor

from symbotunes.models.base import Batch, LatentModel, Loss
from symbotunes.models.music_vae.decoder import Decoder
from symbotunes.models.music_vae.encoder import BidirectionalEncoder
from symbotunes.models.music_vae.latent import BIT, FittedPrior, Posterior, PosteriorHead, kl_cost
from symbotunes.models.music_vae.schedules import kl_weight, sampling_probability
from symbotunes.models.music_vae.symbols import Symbols
from symbotunes.tokenizers.base import Vocabulary


class MusicVAE(LatentModel):
    """Encodes windows of music as latent vectors, from which it writes them again.

    Tokens have no opening and no closing id; what precedes the first step is the zero vector.

    Args:
        vocabulary: of the data; its size is checked against `symbols`.
        symbols: what sounds at a step.
        encoder: makes the encoder, given the width of its input.
        decoder: makes the decoder, given Z and the symbols.
        latent: Z.
        free_bits: bits of each piece's divergence that cost nothing.
        max_beta: final weight of the divergence.
        beta_rate: how slowly that weight rises, per step; 0: at once.
        sampling_rate: how slowly the decoder's own samples replace the true steps that it reads in
            training; ``None``: never.

    Raises:
        ValueError: if the vocabulary is of another size than the symbols.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        symbols: Symbols,
        encoder: Callable[[int], BidirectionalEncoder],
        decoder: Callable[[int, Symbols], Decoder],
        latent: int = 256,
        free_bits: float = 0.0,
        max_beta: float = 1.0,
        beta_rate: float = 0.0,
        sampling_rate: float | None = None,
    ) -> None:
        super().__init__()
        if not symbols.fits(vocabulary.size):
            tracks = ", ".join(symbols.tracks)
            raise ValueError(
                f"this model reads {symbols.depth} classes ({tracks}), but the transforms give "
                f"{vocabulary.size}: change model.net.symbols, or leave out transforms=..., as the "
                "model brings its own"
            )
        self.symbols = symbols
        self.latent = latent
        self.free_bits = free_bits
        self.max_beta = max_beta
        self.beta_rate = beta_rate
        self.sampling_rate = sampling_rate
        self.encoder = encoder(symbols.reads)
        self.posterior = PosteriorHead(self.encoder.outputs, latent)
        self.decoder = decoder(latent, symbols)
        self.prior = FittedPrior(latent)

    @property
    def tracks(self) -> tuple[str, ...]:
        return self.symbols.tracks

    def encode(self, tokens: Tensor, lengths: Tensor | None = None) -> Posterior:
        """The posterior of windows ``[B, T]`` or ``[B, T, S]``, of `lengths` steps (default: T)."""
        steps = self.symbols.unpack(tokens)
        if lengths is None:
            lengths = torch.full((len(steps),), steps.shape[1])
        heard: Posterior = self.posterior(self.encoder(self.symbols.heard(steps), lengths))
        return heard

    @property
    def knows_windows(self) -> bool:
        return self.prior.knows_windows

    def fitted_prior(self, noise: Tensor) -> Tensor:
        return self.prior.draw(noise)

    def logits(self, z: Tensor, tokens: Tensor) -> Tensor:
        """Teacher-forced outputs ``[B, T, O]``, track beside track; row t scores step t.

        Args:
            z: latent vectors ``[B, Z]``.
            tokens: the true steps; step t and those after it do not reach row t.
        """
        logits: Tensor = self.decoder(z, self.decoder.previous(self.symbols.unpack(tokens)))
        return logits

    @torch.no_grad()
    def decode(
        self,
        z: Tensor,
        steps: int,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
        uniforms: Tensor | None = None,
    ) -> Tensor:
        """Write pieces from latent vectors, all of them side by side.

        Args:
            z: ``[B, Z]``.
            steps: length of each piece, T.
            temperature: divides the logits; 0 takes the likeliest at every step.
            generator: of random numbers, on the CPU; ``None``: torch's own.
            uniforms: ``[B, T, S]`` random numbers in [0, 1) in place of a generator's, so that a
                piece need not depend on what is written beside it.

        Returns:
            Tokens ``[B, T]`` or ``[B, T, S]``, as a batch holds them.
        """
        if uniforms is None:
            uniforms = torch.rand(self.chances(len(z), steps), generator=generator)
        return self.symbols.pack(self.decoder.write(z, uniforms.to(z.device), temperature))

    def chances(self, pieces: int, steps: int) -> tuple[int, int, int]:
        """How many random numbers `decode` needs: the shape ``[B, T, S]``."""
        return pieces, steps, self.symbols.numbers

    def loss(self, batch: Batch, step: int = 0) -> Loss:
        """Nats per window: reconstruction plus the weighed divergence, averaged over the batch.

        Latent vectors are sampled in training and in evaluation, as in the reference. Where a
        schedule of sampled inputs is set, training reads the mixture that it asks for, and
        evaluation also measures the accuracy on nothing but the model's own samples.
        """
        steps = self.symbols.unpack(batch.tokens)
        real = _real(steps, batch.lengths)
        posterior = self.encode(batch.tokens, batch.lengths)
        if self.training:
            self.prior.observe(posterior)
        z = posterior.sample()
        nats, right = self._score(z, steps, self._inputs(z, steps, step))
        reconstruction = (nats.sum(-1) * real).sum() / len(steps)
        kl_nats = posterior.kl_nats()
        beta = kl_weight(step, self.max_beta, self.beta_rate)
        objective = reconstruction + beta * kl_cost(kl_nats, self.free_bits).mean()
        kl = kl_nats.detach().mean()
        terms = {
            "reconstruction_nats": reconstruction.detach(),
            "kl_nats": kl,
            "kl_bits": kl / BIT,
            "beta": torch.tensor(beta),
            **self._accuracies(right, real, "accuracy"),
            **self._free_running(z.detach(), steps, real),
        }
        targets = int(batch.lengths.sum()) * len(self.symbols.tracks)
        return Loss(objective, reconstruction.detach() * len(steps), targets, terms)

    def score(self, z: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        steps = self.symbols.unpack(tokens)
        return self._score(z, steps, self.decoder.previous(steps))

    def _score(self, z: Tensor, steps: Tensor, inputs: Tensor) -> tuple[Tensor, Tensor]:
        return self.decoder.score(self.decoder(z, inputs), steps)

    def _inputs(self, z: Tensor, steps: Tensor, step: int) -> Tensor:
        """What the decoder reads: the steps before, in training partly of its own making.

        No gradient flows through samples, so they are drawn first; then one pass over all steps
        gives what a loop with gradients would give.
        """
        if not self.training or self.sampling_rate is None:
            return self.decoder.previous(steps)
        share = sampling_probability(step, self.sampling_rate)
        own = torch.rand(steps.shape[:2], device=steps.device) < share
        rows = own.any(1).nonzero()[:, 0]  # at first there are few
        if not len(rows):
            return self.decoder.previous(steps)
        uniforms = torch.rand(steps.shape, device=steps.device)
        temperature = self.symbols.feedback_temperature
        mixed = steps.clone()
        mixed[rows] = self.decoder.write(
            z[rows], uniforms[rows], temperature, steps[rows], own[rows]
        )
        return self.decoder.previous(mixed)

    @torch.no_grad()
    def _free_running(self, z: Tensor, steps: Tensor, real: Tensor) -> dict[str, Tensor]:
        if self.training or self.sampling_rate is None:
            return {}
        uniforms = torch.rand(steps.shape, device=steps.device)
        written = self.decoder.write(z, uniforms, self.symbols.feedback_temperature)
        _, right = self._score(z, steps, self.decoder.previous(written))
        return self._accuracies(right, real, "accuracy_free")

    def _accuracies(self, right: Tensor, real: Tensor, name: str) -> dict[str, Tensor]:
        """Share of real steps whose likeliest answer is right: the mean of tracks, and each."""
        shares = (right * real[..., None]).sum((0, 1)) / real.sum()  # [K]
        found = {name: shares.mean()}
        if len(shares) > 1:
            tracks = zip(self.symbols.tracks, shares.unbind(), strict=True)
            found |= {f"{name}_{track}": share for track, share in tracks}
        return found


def _real(steps: Tensor, lengths: Tensor) -> Tensor:
    """``[B, T]`` bool: which steps are music and no padding."""
    places = torch.arange(steps.shape[1], device=steps.device)
    return places < lengths.to(steps.device)[:, None]
