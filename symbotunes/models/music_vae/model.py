"""MusicVAE: encoder, posterior, decoder, and the loss."""

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
    """Encodes windows of music as latent vectors and reconstructs windows from them.

    There are no ``bos`` and ``eos`` tokens; the input before the first step is the zero vector.

    Args:
        vocabulary: vocabulary of the data; its size is checked against `symbols`.
        symbols: the symbols of a step.
        encoder: builds the encoder, given the width of its input.
        decoder: builds the decoder, given Z and the symbols.
        latent: Z.
        free_bits: bits of each piece's KL divergence that are free of cost.
        max_beta: final weight of the KL divergence.
        beta_rate: factor per step of the difference between that weight and its final value; 0:
            the final value from step 1 on.
        sampling_rate: how slowly the decoder's own samples replace the true steps as inputs in
            training (scheduled sampling); ``None``: never.

    Raises:
        ValueError: if the size of the vocabulary does not match the symbols.
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
                f"{vocabulary.size}: change model.net.symbols, or remove transforms=..., since the "
                "model sets its own"
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
        """Teacher-forced outputs ``[B, T, O]``, tracks concatenated; row t scores step t.

        Args:
            z: latent vectors ``[B, Z]``.
            tokens: the true steps; row t depends only on steps before t.
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
        """Generate pieces from latent vectors, all of them in parallel.

        Args:
            z: latent vectors ``[B, Z]``.
            steps: length of each piece, T.
            temperature: divides the logits; 0 takes the most likely answer at every step.
            generator: random number generator on the CPU; ``None``: torch's own.
            uniforms: ``[B, T, S]`` random numbers in [0, 1) used instead of a generator, so that a
                piece does not depend on the others in its batch.

        Returns:
            Tokens ``[B, T]`` or ``[B, T, S]``, in the format of a batch.
        """
        if uniforms is None:
            uniforms = torch.rand(self.chances(len(z), steps), generator=generator)
        return self.symbols.pack(self.decoder.write(z, uniforms.to(z.device), temperature))

    def chances(self, pieces: int, steps: int) -> tuple[int, int, int]:
        """The shape ``[B, T, S]`` of the random numbers that `decode` needs."""
        return pieces, steps, self.symbols.numbers

    def loss(self, batch: Batch, step: int = 0) -> Loss:
        """Nats per window: reconstruction plus weighted KL divergence, averaged over the batch.

        `Loss.nll_nats` is the negative evidence lower bound: reconstruction plus all of the KL
        divergence, whatever its weight in training and however many of its bits are free. It is
        comparable between settings of both, and with models that have an exact likelihood.

        Latent vectors are sampled in training and in evaluation, as in the reference. With
        scheduled sampling, training reads the scheduled mixture of true and sampled inputs, and
        evaluation also measures the accuracy with only the model's own samples as inputs.
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
        bound = (reconstruction.detach() + kl) * len(steps)
        return Loss(objective, bound, targets, terms)

    def score(self, z: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        steps = self.symbols.unpack(tokens)
        return self._score(z, steps, self.decoder.previous(steps))

    def _score(self, z: Tensor, steps: Tensor, inputs: Tensor) -> tuple[Tensor, Tensor]:
        return self.decoder.score(self.decoder(z, inputs), steps)

    def _inputs(self, z: Tensor, steps: Tensor, step: int) -> Tensor:
        """The decoder's inputs: the previous steps, in training partly its own samples.

        No gradient flows through samples, so they are drawn first; a single pass over all steps
        then gives the same result as a loop with gradients.
        """
        if not self.training or self.sampling_rate is None:
            return self.decoder.previous(steps)
        probability = sampling_probability(step, self.sampling_rate)
        own = torch.rand(steps.shape[:2], device=steps.device) < probability
        rows = own.any(1).nonzero()[:, 0]  # few at first, so only these are generated
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
        """Fraction of real steps whose most likely answer is correct: the mean, and per track."""
        shares = (right * real[..., None]).sum((0, 1)) / real.sum()  # [K]
        accuracies = {name: shares.mean()}
        if len(shares) > 1:
            tracks = zip(self.symbols.tracks, shares.unbind(), strict=True)
            accuracies |= {f"{name}_{track}": share for track, share in tracks}
        return accuracies


def _real(steps: Tensor, lengths: Tensor) -> Tensor:
    """``[B, T]`` bool: which steps are music and not padding."""
    positions = torch.arange(steps.shape[1], device=steps.device)
    return positions < lengths.to(steps.device)[:, None]
