"""How surprised a network is by given pieces, token by token."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from symbotunes.models.base import SequenceModel

MOST_LOGITS = 2**25  # numbers held at once: 128 MiB in float32
MOST_PIECES = 64  # read at once: more only means more padding


def token_nats(
    net: SequenceModel,
    sequences: Sequence[Sequence[int] | NDArray[np.integer]],
    vocabulary_size: int,
) -> list[NDArray[np.float64]]:
    """Negative log-likelihood of every id except the first, per sequence.

    Args:
        net: in any mode; it is scored without dropout, and its mode is restored.
        sequences: ids from ``bos`` to ``eos``.
        vocabulary_size: V, which bounds how many pieces are read at once.
    """
    was_training = net.training
    net.eval()
    device = next(net.parameters()).device
    result: list[NDArray[np.float64]] = [np.empty(0)] * len(sequences)
    try:
        for batch in _batches([len(sequence) for sequence in sequences], vocabulary_size):
            for piece, nats in zip(batch, _score(net, sequences, batch, device), strict=True):
                result[piece] = nats
    finally:
        net.train(was_training)
    return result


def _batches(lengths: Sequence[int], vocabulary_size: int) -> Iterator[list[int]]:
    """Batches of pieces of similar length, as large as the limit on logits allows."""
    order = sorted(range(len(lengths)), key=lambda piece: -lengths[piece])
    while order:
        fitting = MOST_LOGITS // (lengths[order[0]] * vocabulary_size)
        count = max(1, min(MOST_PIECES, fitting))
        yield order[:count]
        order = order[count:]


@torch.inference_mode()
def _score(
    net: SequenceModel,
    sequences: Sequence[Sequence[int] | NDArray[np.integer]],
    batch: Sequence[int],
    device: torch.device,
) -> list[NDArray[np.float64]]:
    longest = len(sequences[batch[0]])
    tokens = torch.zeros(len(batch), longest, dtype=torch.int64)
    for row, piece in enumerate(batch):
        tokens[row, : len(sequences[piece])] = torch.tensor(sequences[piece])
    tokens = tokens.to(device)
    lengths = [len(sequences[piece]) for piece in batch]
    logits = net.score(tokens, lengths).float()  # [B, T - 1, V]
    chosen = logits.gather(-1, tokens[:, 1:, None])[..., 0]
    nats = (logits.logsumexp(-1) - chosen).cpu().double().numpy()  # [B, T - 1]
    return [nats[row, : len(sequences[piece]) - 1] for row, piece in enumerate(batch)]
