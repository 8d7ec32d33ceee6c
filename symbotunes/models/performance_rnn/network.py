"""Performance RNN: a stacked LSTM over performance events.

Oore, Simon, Dieleman, Eck, Simonyan, "This time with feeling: learning expressive musical
performance", 2018, https://arxiv.org/abs/1808.03715; details follow the authors' code.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symbotunes.errors import UserError
from symbotunes.models.base import Batch, Loss, SequenceModel
from symbotunes.models.layers.lstm import run_fused, run_step
from symbotunes.models.performance_rnn.inputs import (
    TABLES,
    check_controls,
    given_controls,
    measured_controls,
)
from symbotunes.music.performance.events import ONE_SECOND, VELOCITY
from symbotunes.tokenizers.base import Vocabulary

FORGET_BIAS = 1.0  # added by the authors' cells when they run, part of the bias here
State = tuple[tuple[Tensor, Tensor], ...]  # hidden and cell state of each layer, each [1, B, D]


class PerformanceRNN(SequenceModel):
    """Predicts the next event of a performance from all previous ones.

    With controls, it also reads what the music is like from the next event on: in training and
    scoring as measured in the piece, in sampling as the user asks for. Its likelihood is then that
    of events given their controls, which tell something of the events to come.

    Args:
        vocabulary: the ids that the model reads and writes.
        widths: units of each layer.
        inputs: how events are read: ``one_hot``, or ``modulo``: as points on circles of pitch, time
            and velocity.
        controls: any of ``density``: notes per second in the next 3 s; ``pitches``: histogram of
            pitch classes in the next 5 s.
        dropout: fraction of units zeroed after every layer in training.

    Raises:
        UserError: if there is no such control or way to read events.
        ValueError: if `dropout` is not between 0 and 1.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        widths: Sequence[int] = (512, 512, 512),
        inputs: str = "one_hot",
        controls: Sequence[str] = (),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0 <= dropout <= 1:
            raise ValueError(f"dropout={dropout} must lie between 0 and 1")
        if inputs not in TABLES:
            raise UserError(f"model.net.inputs={inputs}: choose {' or '.join(TABLES)}")
        if not len(widths):
            raise UserError("model.net.widths needs at least one layer, such as [512]")
        self.size = vocabulary.size
        self.widths, self.dropout, self.inputs = list(widths), dropout, inputs
        self.controls = list(check_controls(controls))
        if inputs != "one_hot" or self.controls:
            _require_events(vocabulary)
        self.given = given_controls(self.controls, {})  # [C], read in sampling
        table = torch.tensor(TABLES[inputs](self.size), dtype=torch.float32)
        self.register_buffer("table", table, persistent=False)  # [V, I]
        before = [table.shape[1] + len(self.given), *self.widths]
        self.layers = nn.ModuleList(
            nn.LSTM(read, width, batch_first=True)
            for read, width in zip(before, self.widths, strict=False)
        )
        self.head = nn.Linear(self.widths[-1], self.size)
        self._initialize()

    table: Tensor

    @property
    def _lstms(self) -> list[nn.LSTM]:
        """The layers, whose kind `nn.ModuleList` does not tell."""
        return cast("list[nn.LSTM]", list(self.layers))

    def _initialize(self) -> None:
        for layer in self._lstms:
            read, width = layer.input_size, layer.hidden_size
            # The authors draw input and recurrent weights as one matrix, by Glorot's rule.
            bound = (6 / (read + 5 * width)) ** 0.5
            w_ih, w_hh, bias, second = _weights(layer)
            nn.init.uniform_(w_ih, -bound, bound)
            nn.init.uniform_(w_hh, -bound, bound)
            nn.init.zeros_(bias)
            nn.init.constant_(bias.detach().chunk(4)[1], FORGET_BIAS)
            # Their gates have one bias; PyTorch's second stays at zero.
            nn.init.zeros_(second)
            second.requires_grad_(False)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    @property
    def clipped_together(self) -> Iterator[list[nn.Parameter]]:
        """A layer's input and recurrent weights, one matrix there; every bias; the output layer."""
        for layer in self._lstms:
            w_ih, w_hh, bias, _ = _weights(layer)
            yield [w_ih, w_hh]
            yield [bias]
        yield from ([parameter] for parameter in self.head.parameters())

    def set_conditions(self, conditions: Mapping[str, Any]) -> None:
        for name in conditions:
            if name not in self.controls:
                raise UserError(
                    f"sample.{name}: the model was trained without this control; train one with "
                    f"model.net.controls=[{name}]"
                )
        self.given = given_controls(self.controls, conditions)

    def _inputs(self, tokens: Tensor, controls: Tensor | None) -> Tensor:
        """``[B, T, C + I]``: controls ``[B, T, C]``, by default the given ones, and events."""
        if self.inputs == "one_hot":
            events = F.one_hot(tokens, self.size).to(self.head.weight.dtype)
        else:
            events = self.table[tokens]
        if not self.controls:
            return events
        if controls is None:
            given = torch.as_tensor(self.given, dtype=events.dtype, device=events.device)
            controls = given.expand(*tokens.shape, -1)
        return torch.cat([controls, events], -1)

    def _hidden(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        hidden, ends = inputs, []
        for layer, begin in zip(self._lstms, state, strict=True):
            hidden, end = run_fused(layer, hidden, begin)
            hidden = F.dropout(hidden, self.dropout, self.training)
            ends.append(end)
        return hidden, tuple(ends)

    def forward(self, tokens: Tensor, controls: Tensor | None = None) -> Tensor:
        """Logits ``[B, T, V]`` of ``tokens`` ``[B, T]``; row ``t`` scores token ``t + 1``.

        Args:
            tokens: event ids.
            controls: ``[B, T, C]``, those of the next event beside each; ``None``: those that
                sampling reads.
        """
        inputs = self._inputs(tokens, controls)
        hidden, _ = self._hidden(inputs, self.start(len(tokens)))
        logits: Tensor = self.head(hidden)
        return logits

    def score(self, tokens: Tensor, lengths: Sequence[int]) -> Tensor:
        """As `SequenceModel.score`; with controls, those of the pieces themselves are read."""
        if not self.controls:
            return super().score(tokens, lengths)
        return self.forward(tokens[:, :-1], self._measured(tokens, lengths)[:, 1:])

    def _measured(self, tokens: Tensor, lengths: Sequence[int]) -> Tensor:
        """Controls ``[B, T, C]`` of pieces; 0 in their padding."""
        rows = np.zeros((*tokens.shape, len(self.given)), np.float32)
        for row, ids, length in zip(rows, tokens.cpu().numpy(), lengths, strict=True):
            row[:length] = measured_controls(self.controls, ids[:length])
        return torch.as_tensor(rows, device=tokens.device)

    def loss(self, batch: Batch, step: int = 0) -> Loss:  # noqa: ARG002
        """Nats per event, averaged over all events of the batch but the first of each piece."""
        lengths = batch.lengths.tolist()
        logits, targets = self.score(batch.tokens, lengths), batch.tokens[:, 1:]
        steps = torch.arange(targets.shape[1], device=targets.device)
        real = steps < (batch.lengths.to(targets.device) - 1)[:, None]  # [B, T - 1]
        nats = F.cross_entropy(logits[real].float(), targets[real], reduction="sum")
        return Loss(nats / batch.targets, nats.detach(), batch.targets)

    def start(self, batch_size: int) -> State:
        """Hidden and cell state of each layer, zeros."""
        zeros = self.head.weight.new_zeros
        return tuple(
            (zeros(1, batch_size, width), zeros(1, batch_size, width)) for width in self.widths
        )

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        if self.training or torch.is_grad_enabled():
            return self.read(tokens[:, None], state)
        hidden, ends = self._inputs(tokens, None), []
        for layer, begin in zip(self._lstms, state, strict=True):
            hidden, end = run_step(layer, hidden, begin)
            ends.append(end)
        return self.head(hidden), tuple(ends)

    def read(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Read one or more tokens per piece, ``[B, T]``; returns what the last `step` would."""
        hidden, state = self._hidden(self._inputs(tokens, None), state)
        return self.head(hidden[:, -1]), state

    def select(self, state: State, rows: Tensor) -> State:
        """The state of some of the pieces, whose indices are `rows` ``[B']``."""
        return tuple((hidden[:, rows], cell[:, rows]) for hidden, cell in state)


def _weights(layer: nn.LSTM) -> tuple[nn.Parameter, nn.Parameter, nn.Parameter, nn.Parameter]:
    """Input weights, recurrent weights and the two biases of one layer."""
    ((w_ih, w_hh, bias, second),) = layer.all_weights
    return w_ih, w_hh, bias, second


def _require_events(vocabulary: Vocabulary) -> None:
    """Raise `UserError` if ids are not performance events."""
    if vocabulary.opening != ONE_SECOND or vocabulary.size < VELOCITY:
        raise UserError(
            "model.net.inputs=modulo and model.net.controls need transforms=[performance]"
        )
