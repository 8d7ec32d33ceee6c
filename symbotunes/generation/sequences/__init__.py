"""One sampler for every autoregressive model."""

from symbotunes.generation.sequences.filters import restrict
from symbotunes.generation.sequences.generate import Constraint, Generated, generate
from symbotunes.generation.sequences.settings import Settings
from symbotunes.models.layers.drawing import draw

__all__ = ["Constraint", "Generated", "Settings", "draw", "generate", "restrict"]
