"""The network that predicts one voice of a step."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

OUTPUT_STD = 0.02  # of the initial output layer: an untrained model is near uniform


class Voice(nn.Module):
    """``logits = output(relu(recurrent(hidden) + sum of a vector for each token read))``.

    The tokens that it reads are those of the step before and the voices of the same step that come
    first; a vector per token and place is what a first layer makes of one-hot inputs.

    Args:
        size: number of ids, V.
        width: units of the recurrent network, D.
        hidden: units of the hidden layer.
        reads: number of tokens, K.
        cycle: number of phases.
        dropout: fraction of hidden units zeroed in training.
    """

    def __init__(
        self, size: int, width: int, hidden: int, *, reads: int, cycle: int, dropout: float
    ) -> None:
        super().__init__()
        self.size, self.reads, self.dropout = size, reads, dropout
        self.recurrent = nn.Linear(width, hidden)
        self.tokens = nn.EmbeddingBag(reads * size + cycle, hidden, mode="sum")
        self.output = nn.Linear(hidden, size)
        nn.init.normal_(self.tokens.weight, std=0.3)
        nn.init.normal_(self.output.weight, std=OUTPUT_STD)
        nn.init.zeros_(self.output.bias)

    def forward(self, hidden: Tensor, read: Tensor, phases: Tensor) -> Tensor:
        """Logits ``[..., V]``.

        Args:
            hidden: ``[..., D]``.
            read: ``[..., K]`` ids.
            phases: ``[...]``.
        """
        places = torch.arange(self.reads, device=read.device) * self.size
        rows = torch.cat([read + places, phases[..., None] + self.reads * self.size], -1)
        summed = self.tokens(rows.flatten(0, -2)).view(*read.shape[:-1], -1)
        units = F.dropout(F.relu(self.recurrent(hidden) + summed), self.dropout, self.training)
        logits: Tensor = self.output(units)
        return logits
