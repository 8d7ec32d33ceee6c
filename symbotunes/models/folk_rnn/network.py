"""Folk-RNN: a stacked LSTM over ABC tokens.

Sturm, Santos, Ben-Tal, Korshunova, "Music transcription modelling and composition using deep
learning", 2016, https://arxiv.org/abs/1604.08723; details follow the authors' code.

Departure, unless ``gate_clip=5``: the authors clip the gradient that flows back through the gates
to [-5, 5] at every time step, which fused LSTM kernels do not expose. It is left out, and not
replaced by clipping the parameters' gradients: RMSprop bounds its own steps, and its epsilon would
dominate small gradients.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symbotunes.models.base import Batch, Loss, SequenceModel
from symbotunes.models.layers.lstm import clipped_lstm, exact_fused, run_fused, run_step
from symbotunes.tokenizers.base import Vocabulary

FORGET_BIAS = 5.0  # remember by default: the gates start open
State = tuple[Tensor, Tensor]


class FolkRNN(SequenceModel):
    """Predicts the next token of a tune from all previous ones.

    Args:
        vocabulary: the ids that the model reads and writes.
        width: units per layer, D.
        depth: number of stacked layers, L.
        dropout: fraction of units zeroed after every layer, including the last, with a new mask
            for every token.
        embedding: size of a learned embedding; ``None`` reads one-hot vectors, as in the paper.
        gate_clip: bound on the gradient at every gate in training, 5 in the authors' code; ``None``
            for no bound, which runs on fused kernels. The weights are compatible either way.

    Raises:
        ValueError: if `gate_clip` is not above 0, or `dropout` is not between 0 and 1.
    """

    UNCOMPILED = ("_dropped",)  # the compiler would unroll every time step

    def __init__(
        self,
        vocabulary: Vocabulary,
        width: int = 512,
        depth: int = 3,
        dropout: float = 0.5,
        embedding: int | None = None,
        gate_clip: float | None = None,
    ) -> None:
        super().__init__()
        if gate_clip is not None and not gate_clip > 0:
            raise ValueError(f"gate_clip={gate_clip} must be above 0, or null")
        if not 0 <= dropout <= 1:
            raise ValueError(f"dropout={dropout} must lie between 0 and 1")
        self.size = vocabulary.size
        self.dropout = dropout
        self.gate_clip = gate_clip
        self.embed = nn.Embedding(vocabulary.size, embedding) if embedding else None
        inputs = embedding or vocabulary.size
        self.lstm = nn.LSTM(inputs, width, depth, batch_first=True)
        self.head = nn.Linear(width, vocabulary.size)
        # The initial states are trained too, as in the authors' code.
        self.h0 = nn.Parameter(torch.empty(depth, width))
        self.c0 = nn.Parameter(torch.zeros(depth, width))
        self._initialize()

    def _initialize(self) -> None:
        for name, parameter in self.lstm.named_parameters():
            gates = parameter.detach().chunk(4)  # input, forget, candidate, output
            if name.startswith("bias_hh"):
                # The paper's gates have one bias; PyTorch's second stays at zero.
                nn.init.zeros_(parameter)
                parameter.requires_grad_(False)
            elif name.startswith("bias_ih"):
                nn.init.zeros_(parameter)
                nn.init.constant_(gates[1], FORGET_BIAS)
            else:
                for gate in gates:
                    draw = nn.init.xavier_uniform_ if "_ih" in name else nn.init.orthogonal_
                    draw(gate)
        if self.embed is not None:
            nn.init.orthogonal_(self.embed.weight)
        nn.init.orthogonal_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        for row in self.h0.detach():
            nn.init.orthogonal_(row[None])  # one row: a random direction of unit length

    def forward(self, tokens: Tensor) -> Tensor:
        hidden, _ = self._hidden(tokens, self.start(len(tokens)))
        return self.head(hidden)  # type: ignore[no-any-return]  # torch's modules return Any

    def _inputs(self, tokens: Tensor) -> Tensor:
        """``[..., E]`` or, one-hot, ``[..., V]``."""
        if self.embed is not None:
            return self.embed(tokens)  # type: ignore[no-any-return]
        return F.one_hot(tokens, self.size).to(self.head.weight.dtype)

    def _hidden(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        inputs = self._inputs(tokens)
        if self.gate_clip is not None and torch.is_grad_enabled():
            return self._clipped(inputs, state, self.gate_clip)
        if self.training and self.dropout:
            dropped: tuple[Tensor, State] = self._dropped(inputs, state)
            return dropped
        return run_fused(self.lstm, inputs, state)  # [B, T, D]

    def _dropped(self, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Run the layers one by one, with dropout after each.

        On CUDA, the dropout of `nn.LSTM` uses its own random state, which cannot be stored in a
        checkpoint: a resumed training would drop different units.
        """
        hidden = inputs
        ends: list[State] = []
        with exact_fused(inputs) as cast:
            for h0, c0, weights in zip(*state, self.lstm.all_weights, strict=True):
                # One layer with biases, no dropout, in training mode, one direction, batch first.
                settings = (True, 1, 0.0, True, False, True)
                begin = (cast(h0[None]), cast(c0[None]))
                hidden, h, c = torch.lstm(cast(hidden), begin, tuple(weights), *settings)
                hidden = F.dropout(hidden, self.dropout)
                ends.append((h, c))
        h, c = (torch.cat(states) for states in zip(*ends, strict=True))
        return hidden, (h, c)

    def _clipped(self, inputs: Tensor, state: State, clip: float) -> tuple[Tensor, State]:
        """The same as `_dropped`, with clipped gate gradients in the backward pass."""
        hidden = inputs.transpose(0, 1)  # [T, B, V]
        ends: list[State] = []
        for h0, c0, (w_ih, w_hh, bias, _) in zip(*state, self.lstm.all_weights, strict=True):
            drive = F.linear(hidden, w_ih, bias)  # [T, B, 4 D]
            hidden, end = clipped_lstm(drive, w_hh, (h0, c0), clip)  # [T, B, D]
            hidden = F.dropout(hidden, self.dropout, self.training)
            ends.append(end)
        h, c = (torch.stack(states) for states in zip(*ends, strict=True))
        return hidden.transpose(0, 1), (h, c)

    def loss(self, batch: Batch, step: int = 0) -> Loss:  # noqa: ARG002
        """Nats per tune: summed over its tokens, averaged over the batch.

        The network is causal and padding is on the right, so padding does not affect real tokens;
        it is removed before the output layer. This is equivalent to the authors' masking. The LSTM
        runs over the padding, since packed sequences do not use its fast CPU kernel and batches
        have similar lengths.
        """
        inputs, targets = batch.tokens[:, :-1], batch.tokens[:, 1:]
        hidden, _ = self._hidden(inputs, self.start(len(inputs)))
        steps = torch.arange(targets.shape[1], device=targets.device)
        real = steps < (batch.lengths.to(targets.device) - 1)[:, None]  # [B, T - 1]
        logits = self.head(hidden[real])  # [real targets, V]
        nats = F.cross_entropy(logits.float(), targets[real], reduction="sum")
        return Loss(nats / len(inputs), nats.detach(), batch.targets)

    def start(self, batch_size: int) -> State:
        """Hidden and cell state, each ``[L, B, D]``."""
        h0, c0 = (state[:, None].expand(-1, batch_size, -1) for state in (self.h0, self.c0))
        return h0.contiguous(), c0.contiguous()

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        if self.training or torch.is_grad_enabled():
            return self.read(tokens[:, None], state)
        hidden, state = run_step(self.lstm, self._inputs(tokens), state)
        return self.head(hidden), state

    def read(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Read one or more tokens per piece, ``[B, T]``; returns what the last `step` would."""
        hidden, state = self._hidden(tokens, state)
        return self.head(hidden[:, -1]), state

    def select(self, state: State, rows: Tensor) -> State:
        """The state of some of the pieces, whose indices are `rows` ``[B']``."""
        hidden, cell = state
        return hidden[:, rows], cell[:, rows]
