"""Directions in the latent space along which an attribute of melodies grows."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symbotunes.data.cache.encoded import Encoded
from symbotunes.errors import UserError
from symbotunes.generation.latent.player import LatentPlayer
from symbotunes.music.grid.attributes import ATTRIBUTES
from symbotunes.tokenizers.base import Ids
from symbotunes.tokenizers.windows import Windows


def attribute_values(
    windows: NDArray[np.integer] | list[Ids], tokenizer: Windows, name: str
) -> NDArray[np.float64]:
    """The attribute of windows ``[N, T]``, or of the melodies of trios ``[N, T, 3]``.

    Raises:
        UserError: if there is no such attribute, or the windows have no melody.
    """
    if name not in ATTRIBUTES:
        raise UserError(f"sample.attribute={name}: choose one of {', '.join(ATTRIBUTES)}")
    classes = tokenizer.melody_classes
    if classes is None:
        raise UserError(
            f"sample=attribute moves melodies; the model writes {type(tokenizer).__name__.lower()}"
        )
    ids = np.asarray(windows)
    melodies = ids[..., 0] if ids.ndim == 3 else ids
    return ATTRIBUTES[name](melodies, classes.lowest)


def attribute_vector(
    player: LatentPlayer, encoded: Encoded, name: str, most: int, seed: int
) -> Tensor:
    """Mean latent vector ``[Z]`` of training windows rich in an attribute minus that of poor ones.

    Rich and poor are the top and the bottom quarter. Roberts et al. 2018, section 5.3.

    Args:
        player: the model.
        encoded: the prepared corpus.
        name: of the attribute.
        most: maximum number of windows to use, chosen at random if there are more.
        seed: for that choice.

    Raises:
        UserError: if the attribute does not vary.
    """
    examples = encoded.examples("train")
    if len(examples) > most:
        examples = np.sort(np.random.default_rng(seed).choice(examples, most, replace=False))
    ids, lengths = encoded.gather(examples)
    windows = ids.reshape(len(lengths), player.tokenizer.steps, *ids.shape[1:])
    values = attribute_values(windows, player.tokenizer, name)
    rich, poor = quarters(values)
    if not rich.any() or not poor.any():
        raise UserError(f"sample.attribute={name} is the same in all training windows")
    means = player.means(windows)
    return means[torch.from_numpy(rich)].mean(0) - means[torch.from_numpy(poor)].mean(0)


def quarters(values: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which values are in the top quarter, and which in the bottom quarter.

    If more than half of the values are equal, all values above or below them are used instead.
    """
    low, high = np.quantile(values, [0.25, 0.75])
    if high > low:
        return values >= high, values <= low
    above = values > high
    return (above, values <= low) if above.any() else (values >= high, values < low)
