"""Pure functions on logits, any number of leading axes before the vocabulary V."""

from collections.abc import Sequence

import torch
from torch import Tensor

NOTHING = float("-inf")


def tempered(logits: Tensor, temperature: float) -> Tensor:
    """Logits ``[..., V]`` divided by a temperature above 0, but for a constant."""
    peak = logits.amax(-1, keepdim=True)  # held fixed: a tiny temperature must not overflow it
    return peak + (logits - peak) / temperature


def keep_top_k(logits: Tensor, count: int) -> Tensor:
    """Logits ``[..., V]`` of the likeliest tokens, `count` of them."""
    if count >= logits.shape[-1]:
        return logits
    kept = torch.topk(logits, count, dim=-1).indices
    mask = torch.ones_like(logits, dtype=torch.bool).scatter(-1, kept, False)
    return logits.masked_fill(mask, NOTHING)


def keep_top_p(logits: Tensor, share: float) -> Tensor:
    """Logits ``[..., V]`` of the fewest likeliest tokens that together hold a share."""
    ordered, order = torch.sort(logits, dim=-1, descending=True, stable=True)
    shares = ordered.softmax(-1)
    # A token goes once the likelier ones already hold the share.
    beyond = shares.cumsum(-1) - shares >= share
    mask = torch.zeros_like(beyond).scatter(-1, order, beyond)
    return logits.masked_fill(mask, NOTHING)


def keep_min_p(logits: Tensor, share: float) -> Tensor:
    """Logits ``[..., V]`` of tokens with at least this share of the likeliest one's probability.

    Nguyen et al., "Turning up the heat: min-p sampling", https://arxiv.org/abs/2407.01082.
    """
    shares = (logits - logits.amax(-1, keepdim=True)).exp()
    return logits.masked_fill(shares < share, NOTHING)


def restrict(
    logits: Tensor, *, temperature: float, top_k: int, top_p: float, min_p: float = 0.0
) -> Tensor:
    """Logits ``[..., V]`` of the distribution to draw from.

    Temperature comes first, then top-k, then top-p on what top-k left, then min-p; the likeliest
    token always stays. Temperature 0 leaves it alone.
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
    """Make tokens less likely that were seen before.

    Positive logits are divided by the penalty and negative ones multiplied, once however often a
    token was seen, as in Keskar et al., "CTRL", https://arxiv.org/abs/1909.05858.

    Args:
        logits: ``[B, V]``, as the network gives them.
        seen: for each row the ids that count as seen.
        penalty: above 1 holds them back, below 1 favors them.
    """
    mask = torch.zeros_like(logits, dtype=torch.bool)
    for row, ids in enumerate(seen):
        mask[row, list(ids)] = True
    return torch.where(mask, torch.where(logits > 0, logits / penalty, logits * penalty), logits)
