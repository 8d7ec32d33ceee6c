"""Pure functions on logits, with any number of leading axes before the vocabulary axis V."""

from collections.abc import Sequence

import torch
from torch import Tensor

NOTHING = float("-inf")


def tempered(logits: Tensor, temperature: float) -> Tensor:
    """Logits ``[..., V]`` divided by a temperature above 0, up to a constant."""
    peak = logits.amax(-1, keepdim=True)  # kept fixed, so that a tiny temperature cannot overflow
    return peak + (logits - peak) / temperature


def keep_top_k(logits: Tensor, count: int) -> Tensor:
    """Logits ``[..., V]`` of the `count` most likely tokens; minus infinity elsewhere."""
    if count >= logits.shape[-1]:
        return logits
    kept = torch.topk(logits, count, dim=-1).indices
    mask = torch.ones_like(logits, dtype=torch.bool).scatter(-1, kept, False)
    return logits.masked_fill(mask, NOTHING)


def keep_top_p(logits: Tensor, fraction: float) -> Tensor:
    """Logits ``[..., V]`` of the fewest top tokens that hold this fraction of the probability."""
    ordered, order = torch.sort(logits, dim=-1, descending=True, stable=True)
    probabilities = ordered.softmax(-1)
    # A token is dropped if the more likely ones already have the fraction.
    beyond = probabilities.cumsum(-1) - probabilities >= fraction
    mask = torch.zeros_like(beyond).scatter(-1, order, beyond)
    return logits.masked_fill(mask, NOTHING)


def keep_min_p(logits: Tensor, fraction: float) -> Tensor:
    """Logits ``[..., V]`` of tokens with at least this fraction of the top token's probability.

    Nguyen et al., "Turning up the heat: min-p sampling", https://arxiv.org/abs/2407.01082.
    """
    relative = (logits - logits.amax(-1, keepdim=True)).exp()
    return logits.masked_fill(relative < fraction, NOTHING)


def restrict(
    logits: Tensor, *, temperature: float, top_k: int, top_p: float, min_p: float = 0.0
) -> Tensor:
    """Logits ``[..., V]`` of the distribution to sample from.

    Temperature is applied first, then top-k, then top-p to what top-k keeps, then min-p. The most
    likely token is always kept; at temperature 0 it is the only one.
    """
    if temperature == 0:
        return keep_top_k(logits, 1)
    logits = tempered(logits, temperature)
    if top_k:
        logits = keep_top_k(logits, top_k)
    if top_p < 1:
        logits = keep_top_p(logits, top_p)
    return keep_min_p(logits, min_p) if min_p > 0 else logits


def penalize(logits: Tensor, seen: Sequence[Sequence[int]], penalty: float) -> Tensor:
    """Make tokens that were seen before less likely.

    Positive logits are divided by the penalty and negative ones multiplied, once regardless of how
    often a token was seen, as in Keskar et al., "CTRL", https://arxiv.org/abs/1909.05858.

    Args:
        logits: ``[B, V]``, as output by the network.
        seen: for each row, the ids that count as seen.
        penalty: above 1 makes them less likely, below 1 more likely.
    """
    mask = torch.zeros_like(logits, dtype=torch.bool)
    for row, ids in enumerate(seen):
        mask[row, list(ids)] = True
    return torch.where(mask, torch.where(logits > 0, logits / penalty, logits * penalty), logits)
