"""GPT-2: a decoder-only transformer over tokens.

Radford et al., "Language Models are Unsupervised Multitask Learners", 2019; details follow OpenAI's
code. On ABC notation: Geerlings and Merono-Penuela, "Interacting with GPT-2 to Generate Controlled
and Believable Musical Sequences in ABC Notation", NLP4MusA 2020.

Departures: pieces are stored end to end without padding, and no token sees another piece; positions
start from 0 in each. Pieces longer than the context are read through a sliding window, in training
as in sampling: when the context is full, its last half is read again from position 0.
"""

import math
from collections.abc import Sequence
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symbotunes.models.base import Batch, Loss, SequenceModel
from symbotunes.models.layers.attention import Layout, causal_attention
from symbotunes.models.layers.cross_entropy import summed_nats
from symbotunes.models.layers.decoding import FIRST, Cache, packed
from symbotunes.models.layers.transformer import EPSILON, Block
from symbotunes.tokenizers.base import Vocabulary

ROUNDED = {None: None, "bfloat16": torch.bfloat16, "int8": torch.int8}
STD, POSITION_STD = 0.02, 0.01  # of the initial weights, as OpenAI's code


class GPT2(SequenceModel):
    """Predicts the next token of a piece from previous ones, within the context.

    Args:
        vocabulary: the ids that the model reads and writes.
        width: D.
        depth: number of blocks, L.
        heads: attention heads per block; must divide the width.
        context: maximum number of tokens attended to, and the number of learned positions.
        dropout: fraction of units zeroed after the embedding and at the end of every branch.
        attention_dropout: fraction of attention weights zeroed; above 0 it disables the fast CPU
            kernel.
        residual_scaling: whether to divide the initial weights that write into the residual stream
            by ``sqrt(2 L)``, as the paper says and the released code does not.

    Attributes:
        decoding_dtype: dtype to which `start` rounds weights on the CPU, where reading them
            dominates the cost of a token: ``torch.bfloat16`` (logits change in the third digit) or
            ``torch.int8`` (in the second); ``None`` is exact.
    """

    READS_PACKED = True

    def __init__(
        self,
        vocabulary: Vocabulary,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        context: int = 1024,
        dropout: float = 0.1,
        attention_dropout: float = 0.0,
        residual_scaling: bool = True,
    ) -> None:
        super().__init__()
        self.width, self.depth, self.heads, self.context = width, depth, heads, context
        self.dropout = dropout
        self.attention_dropout = attention_dropout
        self.residual_scaling = residual_scaling
        self.decoding_dtype: torch.dtype | None = None
        self.embed = nn.Embedding(vocabulary.size, width)  # also the output layer
        self.positions = nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width, EPSILON)
        self._initialize()

    def _initialize(self) -> None:
        nn.init.normal_(self.embed.weight, std=STD)
        nn.init.normal_(self.positions.weight, std=POSITION_STD)
        branches = 2 * len(self.blocks)
        for block in self.blocks:
            assert isinstance(block, Block)
            block.initialize(STD, STD / math.sqrt(branches) if self.residual_scaling else STD)

    def round_weights(self, name: str | None) -> None:
        self.decoding_dtype = ROUNDED[name]

    def forward(self, tokens: Tensor, segments: Tensor | None = None) -> Tensor:
        """Logits ``[B, T, V]`` of ``tokens`` ``[B, T]``; row ``t`` scores token ``t + 1``.

        Args:
            tokens: ids.
            segments: ``[B, T]`` int64 number of the piece that a token belongs to, 0 for padding,
                which may be anywhere; ``None``: every row is one piece. Positions count from
                the first token of a piece. Logits of padding are 0.
        """
        if segments is None:
            segments = torch.ones_like(tokens)
        real = segments != 0
        hidden = self._windowed(tokens[real], piece_lengths(segments))
        logits = F.linear(hidden, self.embed.weight)
        scores = logits.new_zeros(*tokens.shape, logits.shape[-1])
        scores[real] = logits
        return scores

    def _windowed(self, ids: Tensor, lengths: Sequence[int]) -> Tensor:
        """Hidden vectors ``[N, D]`` before the output layer, for pieces of any length."""
        if max(lengths) <= self.context:
            return self._hidden(ids, Layout.of(lengths, ids.device))
        spans = [
            (first + start, first + end, first + new)
            for first, length in zip(accumulate(lengths, initial=0), lengths, strict=False)
            for start, end, new in windows(length, self.context)
        ]
        index = torch.cat([torch.arange(start, end) for start, end, _ in spans])
        is_new = torch.cat([torch.arange(start, end) >= new for start, end, new in spans])
        layout = Layout.of([end - start for start, end, _ in spans], ids.device)
        return self._hidden(ids[index.to(ids.device)], layout)[is_new.to(ids.device)]

    def _hidden(self, ids: Tensor, layout: Layout, cache: Cache | None = None) -> Tensor:
        """The same for pieces within the context; a `cache` stores their keys and values."""
        x = self.embed(ids) + self.positions(layout.positions)  # [N, D]
        x = F.dropout(x, self.dropout, self.training)
        dropout = self.attention_dropout if self.training else 0.0
        for index, block in enumerate(self.blocks):

            def attend(qkv: Tensor, layer: int = index) -> Tensor:
                if cache is not None:
                    _, keys, values = layout.pad(qkv).permute(2, 0, 3, 1, 4)  # [B, H, T, C]
                    cache.keys[layer][:, :, : keys.shape[2]] = keys
                    cache.values[layer][:, :, : keys.shape[2]] = values
                return causal_attention(qkv, layout, dropout)

            x = block(x, attend)
        hidden: Tensor = self.norm(x)
        return hidden

    def loss(self, batch: Batch, step: int = 0) -> Loss:  # noqa: ARG002
        """Nats per token, averaged over the real targets of the batch.

        The first token of a piece is not a target, and the last is not an input.
        """
        if batch.segments is not None:
            real, lengths = batch.segments != 0, piece_lengths(batch.segments)
        else:
            real = torch.arange(batch.tokens.shape[1]) < batch.lengths[:, None]
            lengths = batch.lengths.tolist()
        return self._loss(batch.tokens[real.to(batch.tokens.device)], lengths)

    def _loss(self, ids: Tensor, lengths: Sequence[int]) -> Loss:
        is_last = torch.zeros(len(ids), dtype=torch.bool)
        is_last[torch.tensor(lengths).cumsum(0) - 1] = True
        is_input = ~is_last.to(ids.device)
        hidden = self._windowed(ids[is_input], [length - 1 for length in lengths if length > 1])
        targets = ids[1:][is_input[:-1]]
        nats = summed_nats(hidden, self.embed.weight, targets)
        return Loss(nats / len(targets), nats.detach(), len(targets))

    @torch.no_grad()
    def start(self, batch_size: int) -> Cache:
        """An empty cache, with the current weights laid out for `batch_size` rows.

        It can be used only once: `step` and `read` write into it.
        """
        weight = self.embed.weight
        blocks = [block for block in self.blocks if isinstance(block, Block)]
        shape = (batch_size, self.heads, min(FIRST, self.context), self.width // self.heads)
        dtype = self.decoding_dtype
        return Cache(
            tokens=torch.zeros(batch_size, self.context, dtype=torch.int64, device=weight.device),
            keys=tuple(weight.new_empty(shape) for _ in blocks),
            values=tuple(weight.new_empty(shape) for _ in blocks),
            length=0,
            layers=tuple(block.for_decoding(batch_size, dtype) for block in blocks),
            head=packed(weight, None, rows=batch_size, dtype=dtype),
        )

    @torch.no_grad()
    def step(self, tokens: Tensor, state: Cache) -> tuple[Tensor, Cache]:
        """Read one token per piece; see `SequenceModel.step`."""
        if state.length == self.context:
            kept = self.context // 2
            state = state._replace(length=0)
            if kept:
                _, state = self._prefill(state.tokens[:, -kept:].clone(), state)
        state = state.with_room(state.length + 1)
        at = state.length
        state.tokens[:, at] = tokens
        x = self.embed(tokens) + self.positions.weight[at]  # [B, D]
        for layer, keys, values in zip(state.layers, state.keys, state.values, strict=True):

            def attend(qkv: Tensor, keys: Tensor = keys, values: Tensor = values) -> Tensor:
                query, key, value = qkv.to(keys.dtype).unbind(1)  # each [B, H, C]
                keys[:, :, at], values[:, :, at] = key, value
                seen = (keys[:, :, : at + 1], values[:, :, : at + 1])
                return F.scaled_dot_product_attention(query[:, :, None], *seen)[:, :, 0]

            x = layer(x, attend)
        return state.head(self.norm(x)).to(x.dtype), state._replace(length=at + 1)

    @torch.no_grad()
    def read(self, tokens: Tensor, state: Cache) -> tuple[Tensor, Cache]:
        """Read several tokens per piece, as repeated calls of `step` would, but in a single pass.

        Args:
            tokens: ``[B, T]`` int64 ids, at least one per piece.
            state: the state from `start`, `step` or `read`.

        Returns:
            Logits ``[B, V]`` of the token after them, and the new state.
        """
        rest = tokens
        logits: Tensor | None = None
        if state.length == 0:
            head, rest = tokens[:, : self.context], tokens[:, self.context :]
            logits, state = self._prefill(head, state)
        for column in rest.unbind(1):
            logits, state = self.step(column, state)
        if logits is None:
            raise ValueError("there are no tokens to read")
        return logits, state

    def _prefill(self, tokens: Tensor, state: Cache) -> tuple[Tensor, Cache]:
        """Read ``[B, T]`` tokens within the context into an empty cache, in one pass."""
        rows, length = tokens.shape
        state = state.with_room(length)
        state.tokens[:, :length] = tokens
        layout = Layout.of([length] * rows, tokens.device)
        hidden = self._hidden(tokens.flatten(), layout, state)
        last = hidden.view(rows, length, -1)[:, -1]
        return state.head(last).to(last.dtype), state._replace(length=length)


def piece_lengths(segments: Tensor) -> list[int]:
    """Lengths of the pieces in ``[B, T]`` segment numbers, row by row; 0 is padding."""
    rows = torch.arange(len(segments), device=segments.device)[:, None]
    names = rows * (segments.max() + 1) + segments
    counts = torch.unique_consecutive(names[segments != 0], return_counts=True)[1]
    return [int(count) for count in counts]


def windows(length: int, context: int) -> list[tuple[int, int, int]]:
    """The windows through which a piece longer than the context is read.

    Consecutive windows overlap by half a context, so that tokens after the first window see at
    least that much.

    Returns:
        For each window: its start, its end, and the first token that is not in an earlier window.
    """
    kept = context // 2
    spans = [(0, min(length, context), 0)]
    while spans[-1][1] < length:
        end = spans[-1][1]
        start = end - kept
        spans.append((start, min(length, start + context), end))
    return spans
