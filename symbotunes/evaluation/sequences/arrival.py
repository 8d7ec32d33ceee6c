"""Likelihoods of arrival times: per piece, and over blocks as their authors report them.

Thickstun et al. 2023, https://arxiv.org/abs/2306.08620, table 1 and ``eval-loss.py``.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.evaluation.metrics.blocks import BlockFigures, block_figures
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

HOP = 85  # triplets by which the window of a long piece moves; with rests, they last under 100 s


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
