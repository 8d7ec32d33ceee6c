"""GPT-2, and the weights that others publish for it."""

from symbotunes.models.gpt2.network import GPT2
from symbotunes.models.gpt2.published import from_transformers

__all__ = ["GPT2", "from_transformers"]
