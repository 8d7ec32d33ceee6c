"""The base class of plans for latent models."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from symbotunes.data.cache.encoded import Encoded
from symbotunes.errors import UserError, require_whole_number
from symbotunes.generation.latent.player import LatentPlayer, Player
from symbotunes.generation.output import Output
from symbotunes.generation.sample import Composition
from symbotunes.generation.seeds import check_seeds, sample_seeds

Training = Callable[[], Encoded]  # reads the data that a model was trained on, when called


class NoisePlan(Protocol):
    """A plan that any model of windows can follow."""

    def play(self, player: Player, seed: int, training: Training | None) -> Composition:
        """See `LatentPlan.play`."""


@dataclass(frozen=True, kw_only=True)
class LatentPlan(Output, ABC):
    """Base class of plans for latent models.

    Attributes:
        temperature: above 1 is more surprising, below 1 is safer; 0 always takes the most likely
            value.
        batch_size: windows decoded in parallel.
        weights: ``bfloat16`` rounds the weights during decoding; ``None``: exact.
        out: folder for the files; ``None``: that of the run.
        seeds: of the windows, as shown on pages and in ``samples.json``, to repeat exactly these.
            ``None``: derived from the command's seed.

    For the other attributes, see `Output`.

    Raises:
        UserError: if a value is out of range.
    """

    NAME: ClassVar[str]
    READS_DATASET: ClassVar[bool] = False  # whether it reads the training data
    COUNTS: ClassVar[tuple[str, ...]] = ()  # fields that are whole numbers of at least 1

    temperature: float = 0.5
    batch_size: int = 64
    weights: str | None = None
    out: str | None = None
    seeds: Sequence[int] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("batch_size", *self.COUNTS):
            require_whole_number(f"sample.{name}", getattr(self, name))
        if not self.temperature >= 0:
            raise UserError(f"sample.temperature={self.temperature}: must be at least 0")
        if self.weights not in (None, "bfloat16"):
            raise UserError(f"sample.weights={self.weights}: must be bfloat16 or null here")
        if self.seeds is not None:
            check_seeds(self.seeds)

    def seeds_of(self, seed: int, count: int) -> list[int]:
        """The seed of every window, given that of the command.

        Raises:
            UserError: if their number is not the number of windows.
        """
        if self.seeds is None:
            return sample_seeds(seed, count)
        if len(self.seeds) != count:
            raise UserError(f"sample.seeds has {len(self.seeds)} numbers; {count} are drawn from")
        return list(self.seeds)

    @property
    def plain(self) -> None:
        """The plan for a sequence model; ``None``, since these plans need a model of windows."""
        return None

    def for_sequences(self) -> None:
        """The plan that a sequence model can carry out; there is none."""
        return

    def for_windows(self) -> "LatentPlan":
        """The plan for a model of windows."""
        return self

    @property
    def from_noise(self) -> "NoisePlan | None":
        """The plan for a model without an encoder; ``None`` if it needs one."""
        return None

    @abstractmethod
    def play(self, player: LatentPlayer, seed: int, training: Training | None) -> Composition:
        """Carry out the plan; the same seed gives the same result.

        Args:
            player: the model.
            seed: from which that of every sample is made, unless the plan gives them.
            training: reads the data that the network was trained on.

        Raises:
            UserError: if an input cannot be read.
        """

    @property
    def facts(self) -> dict[str, str]:
        """How samples are drawn, for people."""
        facts = {"temperature": f"{self.temperature:g}"}
        return {**facts, "weights rounded to": self.weights} if self.weights else facts
