"""Stacked LSTMs with the reference's initialization, run over sequences or step by step."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symbotunes.models.layers.lstm import (
    State,
    activate,
    compute_dtype,
    driven_lstm,
    run_fused,
)

FORGET_BIAS = 1.0  # the reference adds it at every step; here it is part of the bias
SMALL = 0.001  # standard deviation of the linear maps to and from latent vectors


def lstm_layer(inputs: int, width: int, *, bidirectional: bool = False) -> nn.LSTM:
    """One layer with Glorot weights for inputs and units together, and one bias per gate."""
    layer = nn.LSTM(inputs, width, batch_first=True, bidirectional=bidirectional)
    bound = (6 / (inputs + width + 4 * width)) ** 0.5  # of the fused kernel [inputs + D, 4 D]
    for name, parameter in layer.named_parameters():
        if name.startswith("weight"):
            nn.init.uniform_(parameter, -bound, bound)
            continue
        nn.init.zeros_(parameter)
        if name.startswith("bias_hh"):
            parameter.requires_grad_(False)  # the reference has no second bias
        else:
            nn.init.constant_(parameter.detach().chunk(4)[1], FORGET_BIAS)
    return layer


def small_linear(inputs: int, outputs: int) -> nn.Linear:
    """A dense layer initialized close to zero."""
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=SMALL)
    nn.init.zeros_(layer.bias)
    return layer


class Stack(nn.Module):
    """Stacked LSTM layers whose initial states come from a code through a dense tanh layer.

    Args:
        code: width C of the code.
        inputs: width of the first layer's input.
        widths: units of every layer.
    """

    def __init__(self, code: int, inputs: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.widths = list(widths)
        self.state = small_linear(code, 2 * sum(widths))
        below = [inputs, *widths[:-1]]
        self.layers = nn.ModuleList(map(lstm_layer, below, widths))

    def start(self, code: Tensor) -> list[State]:
        """Initial hidden and cell state ``[N, D]`` of every layer, from codes ``[N, C]``."""
        sizes = [width for width in self.widths for _ in range(2)]
        parts = self.state(code).tanh().split(sizes, -1)  # c0, h0, c1, h1, ...
        return list(zip(parts[1::2], parts[::2], strict=True))

    def weights(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Per layer: input weights ``[4 D, I]``, recurrent weights ``[4 D, D]``, bias ``[4 D]``."""
        layers: list[nn.LSTM] = list(self.layers)  # type: ignore[arg-type]  # it is untyped
        return [(w_ih, w_hh, bias) for layer in layers for w_ih, w_hh, bias, _ in layer.all_weights]

    def fused(self, inputs: Tensor, code: Tensor) -> Tensor:
        """Last layer's hidden states ``[N, T, D]`` for inputs ``[N, T, I]``, with fused kernels."""
        hidden = inputs
        for layer, (h, c) in zip(self.layers, self.start(code), strict=True):
            assert isinstance(layer, nn.LSTM)
            hidden, _ = run_fused(layer, hidden, (h[None].contiguous(), c[None].contiguous()))
        return hidden

    def driven(self, drive: Tensor, code: Tensor) -> Tensor:
        """The same as `fused`, from the first layer's drive ``[T, N, 4 D]``, see `driven_lstm`.

        Faster than fused kernels on CPUs if inputs are wide and sequences short.
        """
        hidden, is_first = drive, True
        for (w_ih, w_hh, bias), state in zip(self.weights(), self.start(code), strict=True):
            if not is_first:
                drive = F.linear(hidden, w_ih, bias)
            hidden, _ = driven_lstm(drive, w_hh, state)
            is_first = False
        return hidden.transpose(0, 1)


class Walk:
    """A stack prepared for step-by-step use without gradients: weights are transposed only once.

    Args:
        stack: the stack, whose weights are copied now.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        weights = stack.weights()
        self.dtype = compute_dtype(weights[0][0])
        self.states: list[State] = []
        self.recurrent = self._turned(weights[0][1])
        self.upper = [  # input and recurrent weights together: one product per step, not two
            (self._turned(torch.cat([w_ih, w_hh], 1)), bias.to(self.dtype))
            for w_ih, w_hh, bias in weights[1:]
        ]

    def _turned(self, weight: Tensor) -> Tensor:
        return weight.detach().to(self.dtype).T.contiguous()

    def begin(self, code: Tensor) -> None:
        """Initialize the states from codes ``[N, C]``."""
        states = self.stack.start(code)
        self.states = [(h.to(self.dtype), c.to(self.dtype)) for h, c in states]

    def step(self, drive: Tensor) -> Tensor:
        """Hidden state of the last layer ``[N, D]``, given the first layer's drive ``[N, 4 D]``.

        `drive` is overwritten.
        """
        (h, c), *above = self.states
        hidden, cell = activate(drive.addmm_(h, self.recurrent), c)
        states = [(hidden, cell)]
        for (weight, bias), (h, c) in zip(self.upper, above, strict=True):
            gates = torch.addmm(bias, torch.cat([hidden, h], -1), weight)
            hidden, cell = activate(gates, c)
            states.append((hidden, cell))
        self.states = states
        return hidden
