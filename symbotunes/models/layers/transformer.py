"""The pre-norm transformer block of GPT-2, independent of how its attention is computed."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symbotunes.models.layers.decoding import packed

EPSILON = 1e-5  # of every layer norm, as in OpenAI's code
Attend = Callable[[Tensor], Tensor]


class Block(nn.Module):
    """``x += attention(norm1(x)); x += mlp(norm2(x))``.

    Args:
        width: D.
        heads: H; must divide D.
        dropout: fraction of units zeroed in the outputs of attention and MLP.

    Raises:
        ValueError: if `heads` does not divide `width`.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"heads={heads} must divide width={width}")
        self.heads = heads
        self.dropout = dropout
        self.norm1 = nn.LayerNorm(width, EPSILON)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, EPSILON)
        self.up = nn.Linear(width, 4 * width)
        self.gelu = nn.GELU(approximate="tanh")
        self.down = nn.Linear(4 * width, width)

    def initialize(self, std: float, residual_std: float) -> None:
        """Initialize the weights; `residual_std` is for the layers that write to the residual."""
        for linear in (self.qkv, self.up, self.out, self.down):
            is_residual = linear is self.out or linear is self.down
            nn.init.normal_(linear.weight, std=residual_std if is_residual else std)
            nn.init.zeros_(linear.bias)

    def forward(self, x: Tensor, attend: Attend) -> Tensor:
        """Apply the block.

        Args:
            x: ``[N, D]``, N tokens in any arrangement that `attend` expects.
            attend: maps ``[N, 3, H, C]`` queries, keys and values to ``[N, H, C]``.
        """
        qkv = self.qkv(self.norm1(x)).unflatten(-1, (3, self.heads, -1))
        x = x + self._drop(self.out(attend(qkv).flatten(1)))
        hidden = self.gelu(self.up(self.norm2(x)))
        return x + self._drop(self.down(hidden))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training) if self.dropout else x

    def for_decoding(self, rows: int, dtype: torch.dtype | None) -> "Block":
        """A copy of the block with weights laid out for `rows` tokens at a time.

        See `packed` for `dtype`. Later changes to the weights do not affect the copy.
        """

        def laid_out(linear: nn.Linear, *, gelu: bool = False) -> nn.Module:
            return packed(linear.weight, linear.bias, rows=rows, dtype=dtype, gelu=gelu)

        with torch.device("meta"):  # where weights take neither memory nor random numbers
            twin = Block(self.qkv.in_features, self.heads, dropout=0.0)
        twin.add_module("norm1", self.norm1)
        twin.add_module("qkv", laid_out(self.qkv))
        twin.add_module("out", laid_out(self.out))
        twin.add_module("norm2", self.norm2)
        twin.add_module("up", laid_out(self.up, gelu=True))
        twin.add_module("gelu", nn.Identity())
        twin.add_module("down", laid_out(self.down))
        return twin
