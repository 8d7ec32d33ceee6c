"""What all plans for a latent model share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from symbotunes.data.cache.encoded import Encoded
from symbotunes.errors import UserError, require_whole_number
from symbotunes.generation.latent.player import LatentPlayer, Player
from symbotunes.generation.sample import Composition
from symbotunes.generation.seeds import check_seeds, sample_seeds

Training = Callable[[], Encoded]  # the data that a model was trained on, read when they are needed


class NoisePlan(Protocol):
    """A plan that any model of windows can follow."""

    def play(self, player: Player, seed: int, training: Training | None) -> Composition:
        """See `LatentPlan.play`."""


@dataclass(frozen=True, kw_only=True)
class LatentPlan(ABC):
    """What all plans share.

    Attributes:
        temperature: above 1 more surprising, below 1 safer; 0 always takes the likeliest.
        batch_size: windows written side by side.
        weights: what the weights are rounded to while it writes, ``bfloat16``; ``None``: exact.
        out: folder for the files; ``None`` is the run's own.
        seeds: of every window, as pages and ``samples.json`` show them, to draw exactly those once
            more. ``None``: made of the seed of the command.

    Raises:
        UserError: if a value is out of range.
    """

    NAME: ClassVar[str]
    READS_DATASET: ClassVar[bool] = False  # whether it looks at the training data
    COUNTS: ClassVar[tuple[str, ...]] = ()  # fields that are whole numbers of at least 1

    temperature: float = 0.5
    batch_size: int = 64
    weights: str | None = None
    out: str | None = None
    seeds: Sequence[int] | None = None

    def __post_init__(self) -> None:
        for name in ("batch_size", *self.COUNTS):
            require_whole_number(f"sample.{name}", getattr(self, name))
        if not self.temperature >= 0:
            raise UserError(f"sample.temperature={self.temperature}: must be at least 0")
        if self.weights not in (None, "bfloat16"):
            raise UserError(f"sample.weights={self.weights}: a latent model has bfloat16, or null")
        if self.seeds is not None:
            check_seeds(self.seeds)

    def seeds_of(self, seed: int, count: int) -> list[int]:
        """The seed of every window, given that of the command.

        Raises:
            UserError: if the plan gives more or fewer than there are windows.
        """
        if self.seeds is None:
            return sample_seeds(seed, count)
        if len(self.seeds) != count:
            raise UserError(f"sample.seeds has {len(self.seeds)} numbers; {count} are drawn from")
        return list(self.seeds)

    @property
    def plain(self) -> None:
        """The plan as one of a model of sequences, which none of these can be."""
        return None

    def for_windows(self) -> "LatentPlan":
        """The plan as a model of windows follows it."""
        return self

    @property
    def from_noise(self) -> "NoisePlan | None":
        """The plan as a model without an encoder can follow it, if it can."""
        return None

    @abstractmethod
    def play(self, player: LatentPlayer, seed: int, training: Training | None) -> Composition:
        """Write what the plan says; the same seed writes the same.

        Args:
            player: the model.
            seed: from which that of every sample is made, unless the plan gives them.
            training: gives the data that the network was trained on.

        Raises:
            UserError: if an input cannot be read.
        """

    @property
    def facts(self) -> dict[str, str]:
        """How samples are drawn, for people."""
        facts = {"temperature": f"{self.temperature:g}"}
        return {**facts, "weights rounded to": self.weights} if self.weights else facts
