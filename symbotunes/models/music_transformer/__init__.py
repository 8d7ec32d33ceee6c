"""The Music Transformer, and the weights that Tensor2Tensor writes for it."""

from symbotunes.models.music_transformer.network import MusicTransformer
from symbotunes.models.music_transformer.published import from_tensor2tensor

__all__ = ["MusicTransformer", "from_tensor2tensor"]
