"""One sampler for every autoregressive model."""

from symbotunes.sampling.filters import draw, restrict
from symbotunes.sampling.generation import Constraint, Generated, generate
from symbotunes.sampling.settings import Settings

__all__ = ["Constraint", "Generated", "Settings", "draw", "generate", "restrict"]
