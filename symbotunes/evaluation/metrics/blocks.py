"""Perplexities of arrival times over blocks, as their authors report them.

Thickstun et al. 2023, https://arxiv.org/abs/2306.08620, table 1 and ``eval-loss.py``.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.arrival.vocabulary import TRIPLET

MAX_EXPONENT = 700.0  # nats; e raised to 710 is beyond a float


@dataclass(frozen=True)
class BlockFigures:
    """The figures that the authors report, over blocks of 341 triplets without controls.

    Attributes:
        blocks: how many were scored.
        dropped: how many more span 100 s and cannot be.
        seconds: of music, from the beginning of each piece to the end of its last note.
        event: perplexity of a triplet.
        onset: perplexity of the first token of a triplet.
        duration: of the second.
        note: of the third.
        bits_per_second: bits of all predicted tokens over `seconds`.
    """

    blocks: int
    dropped: int
    seconds: float
    event: float
    onset: float
    duration: float
    note: float
    bits_per_second: float

    def __str__(self) -> str:
        return (
            f"perplexity of event {self.event:.2f}, onset {self.onset:.3f}, "
            f"duration {self.duration:.3f}, note {self.note:.3f}; "
            f"{self.bits_per_second:.1f} bits per second "
            f"({self.blocks:,} blocks, {self.dropped:,} dropped)"
        )


def block_figures(
    nats: NDArray[np.float64], seconds: float, dropped: int = 0
) -> BlockFigures | None:
    """Figures from the loss of each predicted token.

    Args:
        nats: ``[B, 1023]`` negative log-likelihood of all ids of blocks but the flag.
        seconds: of music that the blocks are cut from.
        dropped: blocks that are not among them.

    Returns:
        ``None`` if there is no block.
    """
    if not len(nats):
        return None
    onset, duration, note = (
        float(mean) for mean in nats.reshape(-1, TRIPLET).mean(axis=0, dtype=np.float64)
    )
    return BlockFigures(
        blocks=len(nats),
        dropped=dropped,
        seconds=seconds,
        event=_perplexity(onset + duration + note),
        onset=_perplexity(onset),
        duration=_perplexity(duration),
        note=_perplexity(note),
        bits_per_second=float(nats.sum(dtype=np.float64)) / math.log(2) / seconds,
    )


def _perplexity(nats: float) -> float:
    """The exponential of nats; infinite where it is beyond a float, as after a divergence."""
    return math.exp(nats) if nats < MAX_EXPONENT else math.inf
