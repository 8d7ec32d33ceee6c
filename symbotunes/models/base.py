"""What every model is, and the batch that it reads.

Shapes use one alphabet everywhere: B pieces, T tokens, V vocabulary, D width, L layers.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True)
class Batch:
    """Pieces of unequal length, padded on the right.

    Attributes:
        tokens: ``[B, T]`` int64 ids, from ``bos`` to ``eos``; what follows ``eos`` is padding of
            no meaning, told from music by `lengths` alone.
        lengths: ``[B]`` int64 count of real tokens per piece, ``bos`` and ``eos`` included; on the
            CPU, since packing reads it there.
    """

    tokens: Tensor
    lengths: Tensor

    def to(self, *args: Any, **kwargs: Any) -> "Batch":
        """The batch with its tokens moved; lengths stay on the CPU."""
        return Batch(self.tokens.to(*args, **kwargs), self.lengths)

    def pin_memory(self) -> "Batch":
        """The batch in page-locked memory, as ``DataLoader(pin_memory=True)`` asks."""
        return Batch(self.tokens.pin_memory(), self.lengths)

    @property
    def targets(self) -> int:
        """Number of tokens to predict: every real token but ``bos``."""
        return int(self.lengths.sum()) - len(self.lengths)


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
    """A pure torch module that can be trained: no trainer, no logger, no config object inside."""

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
