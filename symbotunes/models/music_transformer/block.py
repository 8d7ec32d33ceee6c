"""Tensor2Tensor's pre-norm transformer block, with embeddings of distances."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symbotunes.models.layers.decoding import packed
from symbotunes.models.layers.transformer import Attend

EPSILON = 1e-6  # of every layer norm, as in Tensor2Tensor


class Block(nn.Module):
    """``x += attention(norm1(x)); x += down(relu(up(norm2(x))))``.

    Projections of attention have no biases, and queries and keys may be wider or narrower than
    values, whose heads share the width of the network.

    Args:
        width: D.
        heads: H; must divide `width` and `key_width`.
        key_width: units of all heads of the queries, and of the keys, K.
        feedforward: units between `up` and `down`.
        distances: R, distances with an embedding per head; 0: none.
        dropout: fraction of units zeroed in the outputs of attention and feed-forward layers, and
            after the ReLU.

    Attributes:
        distances: ``[H, R, K / H]`` embeddings, the last one of distance 0; ``None`` without.

    Raises:
        ValueError: if `heads` does not divide the widths.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        *,
        key_width: int,
        feedforward: int,
        distances: int = 0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        for name, units in (("width", width), ("key_width", key_width)):
            if units % heads:
                raise ValueError(f"heads={heads} must divide {name}={units}")
        self.heads, self.dropout = heads, dropout
        self.widths = [key_width, key_width, width]  # of queries, keys and values
        self.norm1 = nn.LayerNorm(width, EPSILON)
        self.qkv = nn.Linear(width, sum(self.widths), bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.norm2 = nn.LayerNorm(width, EPSILON)
        self.up = nn.Linear(width, feedforward)
        self.relu = nn.ReLU()
        self.down = nn.Linear(feedforward, width)
        self.distances = (
            nn.Parameter(torch.empty(heads, distances, key_width // heads)) if distances else None
        )

    def initialize(self) -> None:
        """Glorot's uniform weights for each projection, as in Tensor2Tensor."""
        for weight in torch.split(self.qkv.weight, self.widths):
            nn.init.xavier_uniform_(weight)
        for linear in (self.out, self.up, self.down):
            nn.init.xavier_uniform_(linear.weight)
        for linear in (self.up, self.down):
            nn.init.zeros_(linear.bias)
        if self.distances is not None:
            nn.init.normal_(self.distances, std=self.distances.shape[-1] ** -0.5)

    @property
    def head_width(self) -> int:
        """C, the width of queries, keys and values as attention is given them."""
        return max(self.widths) // self.heads

    def forward(self, x: Tensor, attend: Attend) -> Tensor:
        """Apply the block.

        Args:
            x: ``[N, D]``, N tokens in any arrangement that `attend` expects.
            attend: maps ``[N, 3, H, C]`` queries, keys and values to ``[N, H, C]``, with scores
                divided by ``sqrt(C)``.
        """
        attended = attend(self._heads(self.qkv(self.norm1(x))))
        own = self.widths[2] // self.heads
        x = x + self._drop(self.out(attended[..., :own].flatten(1)))
        hidden = self._drop(self.relu(self.up(self.norm2(x))))
        return x + self._drop(self.down(hidden))

    def _heads(self, projected: Tensor) -> Tensor:
        """Queries, keys and values of every head side by side, ``[N, 3, H, C]``.

        Zeros fill up whichever is narrower, which changes no score and no value; queries make up
        for the division by the square root of the larger width.
        """
        if len(set(self.widths)) == 1:
            return projected.view(len(projected), 3, self.heads, -1)
        parts = [
            part.view(len(projected), self.heads, -1)
            for part in torch.split(projected, self.widths, -1)
        ]
        own = parts[0].shape[-1]
        if own < self.head_width:
            parts[0] = parts[0] * (self.head_width / own) ** 0.5
        return torch.stack([self.widened(part) for part in parts], 1)

    def widened(self, part: Tensor) -> Tensor:
        """The last axis filled up to C with zeros."""
        return F.pad(part, (0, self.head_width - part.shape[-1]))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training) if self.dropout else x

    def for_decoding(self, rows: int, dtype: torch.dtype | None) -> "Block":
        """A copy of the block with weights laid out for `rows` tokens at a time.

        See `packed` for `dtype`. Later changes to the weights do not affect the copy.
        """
        with torch.device("meta"):  # where weights take neither memory nor random numbers
            twin = Block(
                self.widths[2],
                self.heads,
                key_width=self.widths[0],
                feedforward=self.up.out_features,
            )
        twin.add_module("norm1", self.norm1)
        twin.add_module("norm2", self.norm2)
        for name in ("qkv", "out", "up", "down"):
            linear = getattr(self, name)
            laid_out = packed(linear.weight, linear.bias, rows=rows, dtype=dtype)
            twin.add_module(name, laid_out)
        return twin
