"""Attention to earlier steps, by which a recurrent network repeats what it has forgotten."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Recall(nn.Module):
    """``hidden + output(attention to earlier steps)``: how music went on where it was like this.

    A query is made of the recurrent state now, the key of a step of the state *before* that step,
    and its value of the state after it. So a query finds steps that followed something like what
    came just now, and reads what they were, from which literal repeats can be predicted. (Two
    layers of a transformer learn the same; the recurrent state has done the work of the first.)

    Args:
        width: D.
        heads: H; must divide the width.
        dropout: fraction of what is recalled zeroed in training.

    Raises:
        ValueError: if `heads` does not divide the width.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"heads={heads} must divide width={width}")
        self.heads, self.dropout = heads, dropout
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.output = nn.Linear(width, width, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        """The hidden vectors ``[B, G, D]`` of whole pieces, with what is recalled at each step."""
        keys = self.key(F.pad(hidden[:, :-1], (0, 0, 1, 0)))
        attended = self._attended(self.query(hidden), keys, self.value(hidden), is_causal=True)
        return self._joined(hidden, attended)

    def step(
        self, hidden: Tensor, before: Tensor, keys: Tensor, values: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The same after one more step.

        Args:
            hidden: ``[B, D]`` state after the step.
            before: ``[B, D]`` state before it.
            keys: ``[B, G, D]`` of earlier steps.
            values: ``[B, G, D]`` of earlier steps.

        Returns:
            The hidden vectors ``[B, D]``, and keys and values with those of the step.
        """
        keys = torch.cat([keys, self.key(before)[:, None]], 1)
        values = torch.cat([values, self.value(hidden)[:, None]], 1)
        now = hidden[:, None]
        joined = self._joined(now, self._attended(self.query(now), keys, values))
        return joined[:, 0], keys, values

    def _attended(
        self, queries: Tensor, keys: Tensor, values: Tensor, *, is_causal: bool = False
    ) -> Tensor:
        """What every head finds, side by side, ``[B, Q, D]`` for queries of the same shape."""
        rows, _, width = queries.shape
        query, key, value = (
            vectors.view(rows, -1, self.heads, width // self.heads).transpose(1, 2)
            for vectors in (queries, keys, values)
        )  # each [B, H, G, D / H]
        found = F.scaled_dot_product_attention(query, key, value, is_causal=is_causal)
        return found.transpose(1, 2).flatten(2)

    def _joined(self, hidden: Tensor, attended: Tensor) -> Tensor:
        recalled = self.output(attended)
        return hidden + F.dropout(recalled, self.dropout, self.training)
