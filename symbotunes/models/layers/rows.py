"""Ids of tokens as rows of tables that hold only the ids that occur."""

import numpy as np
import torch
from torch import Tensor, nn

from symbotunes.tokenizers.base import Vocabulary

ABSENT = -1  # the row of ids that never occur; an embedding rejects it
NEVER = float("-inf")  # their logit


class Rows(nn.Module):
    """Maps ids to rows of an embedding, and logits of these to logits of all ids.

    It has no weights, and does nothing if all ids occur.

    Args:
        vocabulary: which ids do.
    """

    row_of: Tensor | None
    ids: Tensor

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.size = vocabulary.size
        row_of = ids = None
        if vocabulary.used is not None:
            ids = torch.from_numpy(np.concatenate([np.array(part) for part in vocabulary.used]))
            row_of = torch.full((self.size,), ABSENT)
            row_of[ids] = torch.arange(len(ids))
        self.register_buffer("row_of", row_of, persistent=False)
        self.register_buffer("ids", ids, persistent=False)

    def occurs(self, index: int) -> bool:
        """Whether an id does."""
        return self.row_of is None or int(self.row_of[index]) != ABSENT

    def forward(self, ids: Tensor) -> Tensor:
        """The rows of ids, of the same shape; `ABSENT` for those that never occur."""
        return ids if self.row_of is None else self.row_of[ids]

    def spread(self, logits: Tensor) -> Tensor:
        """Logits ``[..., V]`` of all ids from those ``[..., R]`` of all rows."""
        if self.row_of is None:
            return logits
        spread = logits.new_full((*logits.shape[:-1], self.size), NEVER)
        spread[..., self.ids] = logits
        return spread
