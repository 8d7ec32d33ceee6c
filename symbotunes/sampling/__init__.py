"""One sampler for every autoregressive model."""

from symbotunes.sampling.filters import restrict
from symbotunes.sampling.generation import Constraint, Generated, generate
from symbotunes.sampling.settings import Settings

__all__ = ["Constraint", "Generated", "Settings", "generate", "restrict"]
