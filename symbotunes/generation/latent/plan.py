"""What all plans for a latent model share."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from symbotunes.data.cache.encoded import Encoded
from symbotunes.errors import UserError
from symbotunes.generation.latent.player import Player
from symbotunes.generation.sample import Composition
from symbotunes.tokenizers.base import Tokenizer

Training = Callable[[], Encoded]  # the data that a model was trained on, read when they are needed


@dataclass(frozen=True, kw_only=True)
class LatentPlan(ABC):
    """What all plans share.

    Attributes:
        temperature: above 1 more surprising, below 1 safer; 0 always takes the likeliest.
        batch_size: windows written side by side.
        weights: what the weights are rounded to while it writes, ``bfloat16``; ``None``: exact.
        out: folder for the files; ``None`` is the run's own.

    Raises:
        UserError: if a value is out of range.
    """

    NAME: ClassVar[str]
    COUNTS: ClassVar[tuple[str, ...]] = ()  # fields that are whole numbers of at least 1

    temperature: float = 0.5
    batch_size: int = 64
    weights: str | None = None
    out: str | None = None

    def __post_init__(self) -> None:
        for name in ("batch_size", *self.COUNTS):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise UserError(f"sample.{name}={value}: must be a whole number of at least 1")
        if not self.temperature >= 0:
            raise UserError(f"sample.temperature={self.temperature}: must be at least 0")
        if self.weights not in (None, "bfloat16"):
            raise UserError(f"sample.weights={self.weights}: a latent model has bfloat16, or null")

    def compose(
        self,
        net: object,
        tokenizer: Tokenizer[Any],
        seed: int,
        on_step: Callable[[int], None] | None = None,
        training: Training | None = None,
    ) -> Composition:
        """Write what the plan says; the same seed writes the same.

        Args:
            net: the trained network.
            tokenizer: the one that it was trained with.
            seed: of the first sample.
            on_step: called with the number of steps written so far.
            training: gives the data that the network was trained on.

        Raises:
            UserError: if the network has no latent space, or an input cannot be read.
        """
        purpose = f"sample={self.NAME}"
        player = Player(net, tokenizer, purpose, self.batch_size, on_step, self.weights)
        return self.play(player, seed, training)

    @abstractmethod
    def play(self, player: Player, seed: int, training: Training | None) -> Composition:
        """What `compose` does, once the model is known to be fit."""

    @property
    def facts(self) -> dict[str, str]:
        """How samples are drawn, for people."""
        facts = {"temperature": f"{self.temperature:g}"}
        return {**facts, "weights rounded to": self.weights} if self.weights else facts
