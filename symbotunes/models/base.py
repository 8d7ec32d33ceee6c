"""What every model is, and the batch that it reads.

Shapes use one alphabet everywhere: B pieces, T tokens, V vocabulary, D width, L layers.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Batch:
    """Pieces of unequal length, padded on the right.

    Attributes:
        tokens: ``[B, T]`` int64 ids, from ``bos`` to ``eos``; what follows ``eos`` is padding of
            no meaning, told from music by `lengths` alone. ``[B, T, F]`` where a time step has F
            numbers; windows of fixed length have neither ``bos`` nor ``eos``.
        lengths: ``[B]`` int64 count of real tokens per row, ``bos`` and ``eos`` included; on the
            CPU, since packing reads it there.
        segments: ``[B, T]`` int64, where rows hold several whole pieces: 1 for the tokens of the
            first piece, 2 for those of the second, 0 for padding; on the CPU. No piece may know of
            the others in its row. ``None``: one piece per row.
    """

    tokens: Tensor
    lengths: Tensor
    segments: Tensor | None = None

    def to(self, *args: Any, **kwargs: Any) -> "Batch":
        """The batch with its tokens moved; lengths and segments stay on the CPU."""
        return Batch(self.tokens.to(*args, **kwargs), self.lengths, self.segments)

    def pin_memory(self) -> "Batch":
        """The batch in page-locked memory, as ``DataLoader(pin_memory=True)`` asks."""
        return Batch(self.tokens.pin_memory(), self.lengths, self.segments)

    @property
    def pieces(self) -> int:
        """Number of pieces in all rows."""
        if self.segments is None:
            return len(self.lengths)
        return int(self.segments.amax(1).sum())

    @property
    def targets(self) -> int:
        """Number of tokens to predict: every real token but the first of each piece."""
        return int(self.lengths.sum()) - self.pieces


@dataclass(frozen=True)
class Loss:
    """What a model reports of one batch.

    Attributes:
        objective: scalar to minimize, as the paper defines it (Folk-RNN: nats per tune).
        nll_nats: scalar, summed negative log-likelihood of all real targets, detached.
        targets: number of real targets that `nll_nats` sums over.
        terms: further scalars to log, by name with their unit (``kl_nats``), detached.
    """

    objective: Tensor
    nll_nats: Tensor
    targets: int
    terms: Mapping[str, Tensor] = field(default_factory=dict)


class Model(nn.Module, ABC):
    """A pure torch module that can be trained: no trainer, no logger, no config object inside.

    Attributes:
        READS_PACKED: whether `loss` keeps the pieces of a row apart where a batch has `segments`.
    """

    READS_PACKED: ClassVar[bool] = False

    @abstractmethod
    def loss(self, batch: Batch, step: int = 0) -> Loss:
        """What a batch costs.

        Args:
            batch: pieces as `Batch` describes them.
            step: optimizer steps taken so far, for schedules such as KL annealing.
        """


class SequenceModel(Model):
    """An autoregressive model: it scores the next token, given all those before it."""

    @abstractmethod
    def forward(self, tokens: Tensor) -> Tensor:
        """Logits ``[B, T, V]`` of ``tokens`` ``[B, T]``; row ``t`` scores token ``t + 1``."""

    @abstractmethod
    def start(self, batch_size: int) -> Any:
        """The state before any token, for `batch_size` pieces, on the model's device."""

    @abstractmethod
    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Read one token per piece.

        Args:
            tokens: ``[B]`` int64 ids.
            state: what `start` or the previous `step` returned.

        Returns:
            Logits ``[B, V]`` of the next token, and the new state.
        """


class Posterior(Protocol):
    """Normal distributions with independent axes over latent vectors, one per piece."""

    @property
    def mean(self) -> Tensor:
        """``[B, Z]``."""

    @property
    def std(self) -> Tensor:
        """``[B, Z]`` standard deviations."""

    def sample(self) -> Tensor:
        """Latent vectors ``[B, Z]``."""

    def kl_nats(self) -> Tensor:
        """Divergence from the standard normal prior in nats, ``[B]``."""


class LatentModel(Model):
    """Encodes windows of one length as latent vectors, from which it writes them again.

    Attributes:
        latent: Z; the prior is the standard normal.
    """

    latent: int

    @property
    @abstractmethod
    def tracks(self) -> tuple[str, ...]:
        """Names of what is predicted at every step, K of them."""

    @abstractmethod
    def encode(self, tokens: Tensor, lengths: Tensor | None = None) -> Posterior:
        """The posterior of windows, as a batch holds them."""

    @property
    def knows_windows(self) -> bool:
        """Whether `fitted_prior` draws as training windows lie; it may not before a training."""
        return type(self).fitted_prior is not LatentModel.fitted_prior

    def fitted_prior(self, noise: Tensor) -> Tensor:
        """Latent vectors ``[B, Z]`` as training windows have them, of standard normal ``[B, Z]``.

        A model that knows no better takes the noise itself, as the prior says.
        """
        return noise

    @abstractmethod
    def decode(
        self,
        z: Tensor,
        steps: int,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
        uniforms: Tensor | None = None,
    ) -> Tensor:
        """Write windows from latent vectors ``[B, Z]``, as a batch holds them.

        Args:
            z: ``[B, Z]``.
            steps: length of each window, T.
            temperature: divides the logits; 0 takes the likeliest at every step.
            generator: of random numbers; ``None``: torch's own.
            uniforms: random numbers in [0, 1) of the shape that `chances` tells, in place of a
                generator's, so that a window need not depend on what is written beside it.
        """

    @abstractmethod
    def chances(self, pieces: int, steps: int) -> tuple[int, int, int]:
        """Shape of the random numbers that `decode` needs, pieces first."""

    @abstractmethod
    def score(self, z: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Teacher-forced nats of windows, and where the likeliest answer is right.

        Each is ``[B, T, K]`` for K tracks.
        """
