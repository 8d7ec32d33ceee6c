"""The interfaces of models, and the batch that they read.

Shapes use the same letters everywhere: B pieces, T tokens, V vocabulary, D width, L layers.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Protocol

import torch
from torch import Tensor, nn

from symbotunes.errors import UserError
from symbotunes.models.quantities import BOUND, NLL
from symbotunes.tokenizers.base import NO_ID, Vocabulary


@dataclass(frozen=True)
class Batch:
    """Pieces of unequal length, padded on the right.

    Attributes:
        tokens: ``[B, T]`` int64 ids, from ``bos`` to ``eos``, then padding with arbitrary values,
            which only `lengths` distinguishes from music. ``[B, T, F]`` if a time step has F
            values; windows of fixed length and excerpts have neither ``bos`` nor ``eos``.
        lengths: ``[B]`` int64 number of real tokens per row, including ``bos`` and ``eos``; on the
            CPU, since packing reads it there.
        segments: ``[B, T]`` int64, if rows hold several whole pieces: 1 for the tokens of the
            first piece, 2 for those of the second, 0 for padding; on the CPU. No piece may depend
            on the others in its row. ``None``: one piece per row.
        offsets: ``[N]`` int64, one for each piece in the order of rows: how many of its tokens lie
            before the first one here, for models that want to know where in a piece they read; on
            the CPU. ``None``: all begin at the beginning.
        repeated: whether another process of a distributed training has the same batch and counts
            it. All processes must validate in the same number of steps, for they wait for each
            other; this one had nothing else left.
    """

    tokens: Tensor
    lengths: Tensor
    segments: Tensor | None = None
    offsets: Tensor | None = None
    repeated: bool = False

    def to(self, *args: Any, **kwargs: Any) -> "Batch":
        """The batch with its tokens moved or cast; the rest stays on the CPU."""
        return replace(self, tokens=self.tokens.to(*args, **kwargs))

    def pin_memory(self) -> "Batch":
        """The batch in page-locked memory, for ``DataLoader(pin_memory=True)``."""
        return replace(self, tokens=self.tokens.pin_memory())

    @property
    def pieces(self) -> int:
        """Number of pieces in all rows."""
        if self.segments is None:
            return len(self.lengths)
        return int(self.segments.amax(1).sum())

    @property
    def targets(self) -> int:
        """Number of tokens to predict: every real token except the first of each piece."""
        return int(self.lengths.sum()) - self.pieces


@dataclass(frozen=True)
class Loss:
    """What a model computes for a batch.

    Attributes:
        objective: scalar to minimize, as the paper defines it (Folk-RNN: nats per tune).
        nll_nats: scalar, summed negative log-likelihood of all real targets, detached, or the
            upper bound on it that the model has (a VAE's reconstruction and KL divergence, both
            with weight 1); ``None`` where the model has neither.
        targets: number of real targets that `nll_nats` sums over; ``None`` with it.
        terms: further scalars to log, by name with their unit (``kl_nats``), detached.
    """

    objective: Tensor
    nll_nats: Tensor | None = None
    targets: int | None = None
    terms: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def nats_per_target(self) -> Tensor | None:
        """`nll_nats` per target; ``None`` where the model has no likelihood."""
        if self.nll_nats is None or self.targets is None:
            return None
        return self.nll_nats / self.targets


class Model(nn.Module, ABC):
    """A plain torch module that can be trained: no trainer, logger or config object inside.

    Attributes:
        READS_PACKED: whether `loss` keeps the pieces of a row apart where a batch has `segments`.
        STEADY_SIZES: whether the tensors of one training step have the sizes of the step before.
        MONITOR: logged metric that tells how good the model is: it chooses ``best.ckpt`` and is
            what a search optimizes. ``val/loss`` is in nats per target; a model without a
            likelihood names ``val/objective``, or a term of its own.
        MONITOR_MODE: ``min`` if less of it is better, ``max`` if more is.
        LOSS: the quantity that ``val/loss`` is, in words. Checkpoints record it, and values of
            different quantities are never compared.
        UNCOMPILED: methods that ``torch.compile`` must not trace. Decorating them with
            ``torch.compiler.disable`` would import the compiler with the model, 2 seconds.
    """

    READS_PACKED: ClassVar[bool] = False
    STEADY_SIZES: ClassVar[bool] = False
    MONITOR: ClassVar[str] = "val/loss"
    MONITOR_MODE: ClassVar[Literal["min", "max"]] = "min"
    LOSS: ClassVar[str] = NLL
    UNCOMPILED: ClassVar[tuple[str, ...]] = ()

    @property
    def clipped_together(self) -> Iterable[Sequence[nn.Parameter]]:
        """Parameters in the groups that ``model.clip_each`` clips; by default each alone."""
        return [[parameter] for parameter in self.parameters()]

    @property
    def sharded_parts(self) -> Sequence[nn.Module]:
        """Parts whose weights are used only while they themselves run, such as blocks.

        Where weights are sharded over devices (``trainer=fsdp``), those of such a part need to be
        gathered only then; all others are, for as long as the loss is computed.
        """
        return ()

    def check_vocabulary(self, vocabulary: Vocabulary) -> None:  # noqa: B027  (most read any)
        """See that the model can read what a tokenizer gives.

        Raises:
            UserError: if it cannot, saying what to choose instead.
        """

    @abstractmethod
    def loss(self, batch: Batch, step: int = 0) -> Loss:
        """The loss of a batch.

        Args:
            batch: pieces as `Batch` describes them.
            step: optimizer steps taken so far, for schedules such as KL annealing.
        """


class SequenceModel(Model):
    """An autoregressive model: it scores the next token, given all previous ones.

    Attributes:
        context: tokens that it reads at once, through a window that slides over longer pieces;
            ``None``: any number.
    """

    context: int | None = None

    def check_vocabulary(self, vocabulary: Vocabulary) -> None:
        if vocabulary.first == NO_ID:
            raise UserError(
                f"{type(self).__name__} continues pieces, and these transforms give windows, "
                "which have no beginning: choose others, such as [abc_tokens] or "
                "[remi,sample_subsequence], or model=music_vae"
            )

    def round_weights(self, name: str | None) -> None:
        """Write with rounded weights from now on, or with exact ones for ``None``.

        Args:
            name: ``bfloat16`` or ``int8``.

        Raises:
            UserError: if the model has none.
        """
        if name is not None:
            raise UserError(f"sample.weights={name}: {type(self).__name__} has no rounded weights")

    def knows(self, index: int) -> bool:  # noqa: ARG002  (most networks know all)
        """Whether the network has weights for an id of its vocabulary."""
        return True

    def set_conditions(self, conditions: Mapping[str, Any]) -> None:
        """Write what the user asks for from now on, such as how many notes per second.

        Args:
            conditions: by the name of their setting; conditions that are not given have defaults.

        Raises:
            UserError: if the model does not know one, or a value cannot be read.
        """
        for name in conditions:
            raise UserError(f"sample.{name}: {type(self).__name__} has no such condition")

    def score(self, tokens: Tensor, lengths: Sequence[int]) -> Tensor:  # noqa: ARG002
        """Logits ``[B, T - 1, V]`` of all tokens ``[B, T]`` of whole pieces but the first.

        Where a model reads more of a piece than its tokens, it reads that here and in `loss`.

        Args:
            tokens: of pieces, padded on the right.
            lengths: real tokens of each piece.
        """
        logits: Tensor = self(tokens[:, :-1])
        return logits

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
            state: the state from `start` or the previous `step`.

        Returns:
            Logits ``[B, V]`` of the next token, and the new state.
        """


class Posterior(Protocol):
    """Normal distributions over latent vectors with independent axes, one per piece."""

    @property
    def mean(self) -> Tensor:
        """``[B, Z]`` means."""

    @property
    def std(self) -> Tensor:
        """``[B, Z]`` standard deviations."""

    def sample(self) -> Tensor:
        """Latent vectors ``[B, Z]``."""

    def kl_nats(self) -> Tensor:
        """KL divergence from the standard normal prior in nats, ``[B]``."""


class WindowModel(Model):
    """Writes windows of one length from noise; it need not have a likelihood.

    A GAN or a diffusion model is one; `LatentModel` can read windows, too.

    Attributes:
        latent: Z, the number of standard normal numbers that a window is written from.
    """

    STEADY_SIZES = True

    latent: int

    def check_vocabulary(self, vocabulary: Vocabulary) -> None:
        if vocabulary.first != NO_ID:
            raise UserError(
                f"{type(self).__name__} writes windows of one length, and these transforms give "
                "pieces: choose others, such as [melody]"
            )

    @property
    @abstractmethod
    def tracks(self) -> tuple[str, ...]:
        """Names of the K tracks that are predicted at every step."""

    @abstractmethod
    def decode(
        self,
        z: Tensor,
        steps: int,
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
        uniforms: Tensor | None = None,
    ) -> Tensor:
        """Write windows from noise or latent vectors ``[B, Z]``, as a batch holds them.

        Args:
            z: ``[B, Z]``.
            steps: length of each window, T.
            temperature: divides the logits; 0 takes the likeliest at every step.
            generator: of random numbers; ``None``: torch's own.
            uniforms: random numbers in [0, 1) of the shape that `chances` tells, in place of a
                generator's, so that a window need not depend on what is written beside it.

        Returns:
            Tokens ``[B, T]``, or ``[B, T, F]`` where a step has F numbers.
        """

    @abstractmethod
    def chances(self, pieces: int, steps: int) -> tuple[int, int, int]:
        """Shape of the random numbers that `decode` needs, pieces first."""


class LatentModel(WindowModel):
    """Encodes windows of one length as latent vectors, from which it writes them again.

    Attributes:
        latent: Z; the prior is the standard normal.
    """

    LOSS = BOUND

    @abstractmethod
    def encode(self, tokens: Tensor, lengths: Tensor | None = None) -> Posterior:
        """The posterior of windows in the format of a batch."""

    @property
    def knows_windows(self) -> bool:
        """Whether `fitted_prior` follows the training windows; it may not before training."""
        return type(self).fitted_prior is not LatentModel.fitted_prior

    def fitted_prior(self, noise: Tensor) -> Tensor:
        """Map standard normal `noise` ``[B, Z]`` to latent vectors like those of training windows.

        By default this is the noise itself, that is, the standard normal prior.
        """
        return noise

    @abstractmethod
    def score(self, z: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Teacher-forced nats of windows, and where the most likely answer is correct.

        Both are ``[B, T, K]`` for K tracks.
        """
