"""Likelihoods of arrival times: per piece, and over blocks as their authors report them.

Thickstun et al. 2023, https://arxiv.org/abs/2306.08620, table 1 and ``eval-loss.py``.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.evaluation.sequences.likelihood import token_nats
from symbotunes.models.base import SequenceModel
from symbotunes.music.arrival.anticipation import without_rests
from symbotunes.music.arrival.blocks import blocks_of
from symbotunes.music.arrival.clock import rebased, unwrapped
from symbotunes.music.arrival.vocabulary import (
    AUTOREGRESS,
    BLOCK,
    MAX_TIME,
    SIZE,
    TRIPLET,
    UNITS_PER_SECOND,
    Triplets,
    durations,
    times,
)

MAX_EXPONENT = 700.0  # nats; e raised to 710 is beyond a float
HOP = 85  # triplets by which the window of a long piece moves; with rests, they last under 100 s


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


def measure_blocks(net: SequenceModel, pieces: Sequence[NDArray[Any]]) -> BlockFigures | None:
    """Score a split in blocks, in the order of its pieces; ``None`` if it makes none.

    Args:
        net: the network.
        pieces: ids of each, without the flag.
    """
    whole = [_triplets(ids) for ids in pieces]
    blocks = blocks_of((AUTOREGRESS, triplets) for triplets in whole)
    nats = token_nats(net, list(blocks.tokens.astype(np.int64)), SIZE)
    return block_figures(
        np.array(nats).reshape(-1, TRIPLET * BLOCK), sum(map(_seconds, whole)), blocks.dropped
    )


def piece_nats(net: SequenceModel, ids: NDArray[Any]) -> NDArray[np.float64]:
    """``[T]`` negative log-likelihood of each id of a piece, through a window over its triplets.

    The first 341 triplets are read from the flag on; for each `HOP` of the others, the window moves
    on, its times count from its earliest one, and the new ones are scored. A window of 100 s or
    more begins later.

    Args:
        net: the network.
        ids: ``[T]`` of the piece, without the flag.
    """
    spans = list(_windows(_triplets(ids)))
    nats = token_nats(net, [window for window, _ in spans], SIZE)
    scored = [values[-new:] for values, (_, new) in zip(nats, spans, strict=True)]
    return np.concatenate([np.zeros(0), *scored])


def _windows(triplets: Triplets) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Ids of each window, and how many at its end are new."""
    onsets = times(triplets)
    end = 0
    while end < len(triplets):
        before = end
        if not before:
            end = min(BLOCK, int(np.searchsorted(onsets, MAX_TIME)))
        if end == before:
            end = min(before + HOP, len(triplets))
        begin = max(0, end - BLOCK, int(np.searchsorted(onsets, onsets[end - 1] - MAX_TIME + 1)))
        window = triplets[begin:end]
        if begin or onsets[end - 1] >= MAX_TIME:
            window = rebased(window)
        yield np.append(AUTOREGRESS, window.flatten()), TRIPLET * (end - before)


def _triplets(ids: NDArray[Any]) -> Triplets:
    return unwrapped(np.asarray(ids, np.int64).reshape(-1, TRIPLET))


def _seconds(triplets: Triplets) -> float:
    """When the last note of a piece ends."""
    last = without_rests(triplets)[-1:]
    return float((times(last) + durations(last)).sum()) / UNITS_PER_SECOND
