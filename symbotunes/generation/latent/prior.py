"""New windows, from the prior of a latent model or from the noise that a GAN reads."""

from dataclasses import dataclass
from typing import ClassVar

from symbotunes.errors import UserError
from symbotunes.generation.latent.plan import LatentPlan, Training
from symbotunes.generation.latent.player import Player
from symbotunes.generation.sample import Composition

PRIORS = ("fitted", "normal")


@dataclass(frozen=True, kw_only=True)
class PriorPlan(LatentPlan):
    """New windows, decoded from random latent vectors.

    Attributes:
        num: how many; sample ``i`` depends on the seed and ``i`` alone. If `seeds` are given, their
            number counts.
        prior: ``fitted`` samples vectors where the training windows are, ``normal`` from the
            standard normal distribution.
    """

    NAME: ClassVar[str] = "prior"
    COUNTS: ClassVar[tuple[str, ...]] = ("num",)

    num: int = 4
    prior: str = "fitted"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.seeds is not None:
            object.__setattr__(self, "num", len(self.seeds))
        if self.prior not in PRIORS:
            raise UserError(f"sample.prior={self.prior}: choose {' or '.join(PRIORS)}")

    @property
    def from_noise(self) -> "PriorPlan":
        return self

    def play(self, player: Player, seed: int, training: Training | None) -> Composition:  # noqa: ARG002
        seeds = self.seeds_of(seed, self.num)
        z = player.prior(seeds, fitted=self.prior == "fitted")
        names = [(f"sample_{index:02d}", f"Sample {index}") for index in range(1, self.num + 1)]
        windows = player.write(z, seeds, self.temperature)
        facts = {**self.facts, **player.prior_facts(fitted=self.prior == "fitted")}
        return Composition(tuple(player.samples(z, windows, names, seeds)), facts)
