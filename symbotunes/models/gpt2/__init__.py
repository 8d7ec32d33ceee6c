"""GPT-2, and the weights that others publish for it."""

from symbotunes.models.gpt2.network import GPT2

__all__ = ["GPT2"]
