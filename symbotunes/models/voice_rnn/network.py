"""An LSTM over steps; the voices of a step are predicted one after another by small networks.

The factorization of the RNN-NADE (Boulanger-Lewandowski et al., "Modeling Temporal Dependencies in
High-Dimensional Sequences", ICML 2012, https://arxiv.org/abs/1206.6392), with a voice where theirs
has a key of the piano. The recurrent part, which dominates the cost, runs once for a step and not
once for a token, a quarter as often as an LSTM over tokens of four voices.
"""

from typing import TypedDict, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symbotunes.models.base import Batch, Loss, SequenceModel
from symbotunes.models.layers.lstm import run_fused, run_step
from symbotunes.models.voice_rnn.recall import Recall
from symbotunes.models.voice_rnn.voice import Voice
from symbotunes.tokenizers.base import Vocabulary

VOICES = 4  # tokens in a step
FORGET_BIAS = 1.0


class State(TypedDict):
    """What has been read.

    Attributes:
        hidden: ``[B, D]`` what the voices read of the steps that are complete.
        layers: hidden and cell state of each layer, stacked, ``[2, L, B, D]``.
        keys: ``[B, G, D]`` of the steps that may be recalled, none without `Recall`.
        values: of the same steps.
        recent: ``[B, 7]`` the last tokens, the newest at the end.
        length: ``[1]`` how many tokens were read.
    """

    hidden: Tensor
    layers: Tensor
    keys: Tensor
    values: Tensor
    recent: Tensor
    length: Tensor


class VoiceRNN(SequenceModel):
    """Predicts the next token of a piece: after ``bos``, four voices in turn, step after step.

    Args:
        vocabulary: the ids that the model reads and writes, with ``bos``.
        width: units of each LSTM layer, D.
        depth: number of stacked layers, L.
        embedding: size of the vectors as which the LSTM reads each voice.
        hidden: units of the hidden layer of each voice.
        heads: attention heads with which earlier steps are recalled; 0: none are.
        cycle: steps after which positions repeat, of which voices and LSTM know where they are.
        dropout: fraction of units zeroed after every layer in training.
        input_dropout: fraction of the units that the LSTM reads zeroed in training.

    Raises:
        ValueError: if a fraction is not between 0 and 1, or `heads` does not divide the width.
    """

    UNCOMPILED = ("_run",)  # the compiler would unroll every time step

    def __init__(
        self,
        vocabulary: Vocabulary,
        width: int = 256,
        depth: int = 2,
        embedding: int = 64,
        hidden: int = 512,
        heads: int = 0,
        cycle: int = 16,
        dropout: float = 0.25,
        input_dropout: float = 0.1,
    ) -> None:
        super().__init__()
        for name, fraction in (("dropout", dropout), ("input_dropout", input_dropout)):
            if not 0 <= fraction <= 1:
                raise ValueError(f"{name}={fraction} must lie between 0 and 1")
        self.bos = vocabulary.first
        self.width, self.depth, self.cycle = width, depth, cycle
        self.dropout, self.input_dropout = dropout, input_dropout
        self.embeds = nn.ModuleList(
            nn.Embedding(vocabulary.size, embedding) for _ in range(VOICES)
        )  # of the voices of a step
        self.phases = nn.Embedding(cycle, embedding)
        read = embedding * (VOICES + 1)
        self.lstms = nn.ModuleList(
            nn.LSTM(width if layer else read, width, batch_first=True) for layer in range(depth)
        )
        self.recall = Recall(width, heads, dropout) if heads else None
        self.voices = nn.ModuleList(
            Voice(
                vocabulary.size,
                width,
                hidden,
                reads=VOICES + voice,
                cycle=cycle,
                dropout=dropout,
            )
            for voice in range(VOICES)
        )
        self._initialize()

    def _initialize(self) -> None:
        for embedding in (*self.embeds, self.phases):
            nn.init.normal_(cast("nn.Embedding", embedding).weight, std=0.1)
        for layer in self._layers:
            ((_, _, bias, second),) = layer.all_weights
            nn.init.zeros_(bias)
            nn.init.constant_(bias.detach().chunk(4)[1], FORGET_BIAS)
            # The gates need one bias; PyTorch's second stays at zero.
            nn.init.zeros_(second)
            second.requires_grad_(False)

    @property
    def _layers(self) -> list[nn.LSTM]:
        """The layers, whose kind `nn.ModuleList` does not tell."""
        return cast("list[nn.LSTM]", list(self.lstms))

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits ``[B, T, V]`` of ``tokens`` ``[B, T]``; row ``t`` scores token ``t + 1``."""
        rows, length = tokens.shape
        steps = -(-length // VOICES)
        # In front, ``bos`` fills up the step before the first; what fills up the last is not read.
        filled = F.pad(tokens, (VOICES - 1, steps * VOICES - length), value=self.bos)
        before = filled[:, : 1 - VOICES].view(rows, steps, VOICES)  # the step before each
        # Row 4 g + v, voice v of step g, follows tokens 4 g + 1 to 4 g + v of the same step.
        now = F.pad(filled[:, VOICES:], (0, 1), value=self.bos).view(rows, steps, VOICES)
        phases = (torch.arange(steps, device=tokens.device) % self.cycle).expand(rows, -1)
        hidden = self._run(before, phases)
        read = torch.cat([before, now], -1)
        logits = [voice(hidden, read[..., : voice.reads], phases) for voice in self._heads]
        return torch.stack(logits, 2).flatten(1, 2)[:, :length]

    @property
    def _heads(self) -> list[Voice]:
        """The voices, whose kind `nn.ModuleList` does not tell."""
        return cast("list[Voice]", list(self.voices))

    def _inputs(self, before: Tensor, phases: Tensor) -> Tensor:
        """What the LSTM reads of steps ``[..., 4]`` at phases ``[...]``."""
        embedded = [embed(before[..., voice]) for voice, embed in enumerate(self.embeds)]
        vectors = torch.cat([*embedded, self.phases(phases)], -1)
        return F.dropout(vectors, self.input_dropout, self.training)

    def _run(self, before: Tensor, phases: Tensor) -> Tensor:
        """Hidden vectors ``[B, G, D]`` after each of the steps ``[B, G, 4]``."""
        hidden = self._inputs(before, phases)
        for layer in self._layers:
            # One layer at a time: on CUDA, the dropout of a stacked `nn.LSTM` has a random state
            # of its own, which cannot be stored in a checkpoint.
            hidden, _ = run_fused(layer, hidden)
            hidden = F.dropout(hidden, self.dropout, self.training)
        return hidden if self.recall is None else self.recall(hidden)

    def loss(self, batch: Batch, step: int = 0) -> Loss:  # noqa: ARG002
        """Nats per token, averaged over all tokens of the batch but the first of each piece."""
        logits, targets = self(batch.tokens[:, :-1]), batch.tokens[:, 1:]
        positions = torch.arange(targets.shape[1], device=targets.device)
        real = positions < (batch.lengths.to(targets.device) - 1)[:, None]  # [B, T - 1]
        nats = F.cross_entropy(logits[real].float(), targets[real], reduction="sum")
        return Loss(nats / batch.targets, nats.detach(), batch.targets)

    def start(self, batch_size: int) -> State:
        """The state before ``bos``."""
        zeros = self.phases.weight.new_zeros
        return State(
            hidden=zeros(batch_size, self.width),
            layers=zeros(2, self.depth, batch_size, self.width),
            keys=zeros(batch_size, 0, self.width),
            values=zeros(batch_size, 0, self.width),
            recent=torch.full((batch_size, 2 * VOICES - 1), self.bos, device=zeros(1).device),
            length=torch.zeros(1, dtype=torch.int64),
        )

    @torch.no_grad()
    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        recent = torch.cat([state["recent"][:, 1:], tokens[:, None]], 1)
        group, number = divmod(int(state["length"]), VOICES)
        phases = torch.full_like(tokens, group % self.cycle)
        if number == 0:  # the token completes a step
            state = self._complete(recent[:, -VOICES:], phases, state)
        voice = self._heads[number]
        logits = voice(state["hidden"], recent[:, -voice.reads :], phases)
        return logits, cast("State", {**state, "recent": recent, "length": state["length"] + 1})

    def _complete(self, before: Tensor, phases: Tensor, state: State) -> State:
        """The state after a whole step ``[B, 4]``."""
        hidden, last = self._inputs(before, phases), state["layers"][0, -1]
        ends = []
        for layer, begin in zip(self._layers, state["layers"].unbind(1), strict=True):
            hidden, end = run_step(layer, hidden, (begin[0][None], begin[1][None]))
            ends.append(torch.cat(end))
        keys, values = state["keys"], state["values"]
        if self.recall is not None:
            hidden, keys, values = self.recall.step(hidden, last, keys, values)
        return State(
            hidden=hidden,
            layers=torch.stack(ends, 1),
            keys=keys,
            values=values,
            recent=state["recent"],
            length=state["length"],
        )

    def select(self, state: State, rows: Tensor) -> State:
        """The state of some of the pieces, whose indices are `rows` ``[B']``."""
        return State(
            hidden=state["hidden"][rows],
            layers=state["layers"][:, :, rows],
            keys=state["keys"][rows],
            values=state["values"][rows],
            recent=state["recent"][rows],
            length=state["length"],
        )
