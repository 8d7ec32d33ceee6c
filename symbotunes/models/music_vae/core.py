"""The recurrent core of decoders: from the previous step and a code to the next step's logits."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symbotunes.models.music_vae.stack import Stack, Walk
from symbotunes.models.music_vae.symbols import Symbols


class Core(nn.Module):
    """An LSTM that starts from a code and reads it, with the previous step, at every step.

    The weights are those of a plain LSTM over ``[previous step, code]``. Since the code is constant
    within a row, it is projected once per row, and since steps are one-hot, their projections are
    looked up; the full input is built only for fused kernels.

    Args:
        code: width C of the code.
        widths: units of every layer.
        symbols: the symbols that it reads and writes.
    """

    def __init__(self, code: int, widths: Sequence[int], symbols: Symbols) -> None:
        super().__init__()
        self.symbols = symbols
        self.stack = Stack(code, symbols.depth + code, widths)
        self.head = symbols.head(widths[-1])

    def forward(self, code: Tensor, inputs: Tensor) -> Tensor:
        """Logits ``[N, T, O]``; row t scores step t.

        Args:
            code: ``[N, C]``.
            inputs: ``[N, T, S]`` the previous step of each step, first the start symbol.
        """
        if code.device.type == "cpu":
            weight, constant = self._split(code)
            tables = self.symbols.tables(weight)
            drive = self.symbols.drive(inputs.transpose(0, 1), tables) + constant  # [T, N, 4 D]
            hidden = self.stack.driven(drive, code)
        else:
            repeated = code[:, None].expand(-1, inputs.shape[1], -1)
            vectors = torch.cat([self.symbols.vectors(inputs), repeated], -1)
            hidden = self.stack.fused(vectors, code)
        return self.head(hidden)  # type: ignore[no-any-return]  # torch's modules return Any

    def _split(self, code: Tensor) -> tuple[Tensor, Tensor]:
        """Input weights of a step ``[4 D, depth]``, and the code's part of the gates ``[N, 4 D]``.

        The latter includes the bias.
        """
        weight, _, bias = self.stack.weights()[0]
        depth = self.symbols.depth
        return weight[:, :depth], F.linear(code, weight[:, depth:], bias)


class CoreWalk:
    """A core prepared for generating step by step, without gradients.

    Args:
        core: the core, whose weights are copied now.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.walk = Walk(core.stack)
        self.tables: list[Tensor] = []
        self.constant = torch.empty(0)

    def begin(self, code: Tensor) -> None:
        """Initialize the rows from codes ``[N, C]``."""
        weight, constant = self.core._split(code)
        if not self.tables:
            tables = self.core.symbols.tables(weight)
            self.tables = [table.to(self.walk.dtype).contiguous() for table in tables]
        self.constant = constant.to(self.walk.dtype)
        self.walk.begin(code)

    def step(self, previous: Tensor) -> Tensor:
        """Logits ``[N, O]`` after the steps ``[N, S]``."""
        drive = self.core.symbols.drive(previous, self.tables) + self.constant
        return self.core.head(self.walk.step(drive))  # type: ignore[no-any-return]
