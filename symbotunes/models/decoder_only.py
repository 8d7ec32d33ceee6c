"""Decoder-only transformers: packing, sliding windows, cache and loss, whatever their attention.

A network derives from `DecoderOnly`, builds its layers, and answers three questions: how tokens and
positions become vectors (`embed_tokens`), how a block attends (`attend`; by default with scaled
dot products), and which output layer scores tokens (`output`). All else is the same for every
network.

Shapes: N tokens of all pieces together, stored end to end without padding; H heads, C width of a
head.
"""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symbotunes.models.base import Batch, Loss, SequenceModel
from symbotunes.models.layers.attention import Layout, attend_by_groups, causal_attention
from symbotunes.models.layers.cross_entropy import summed_nats
from symbotunes.models.layers.decoding import FIRST, Cache, Decodable, packed
from symbotunes.models.layers.rows import Rows
from symbotunes.tokenizers.base import Vocabulary

ROUNDED = {None: None, "bfloat16": torch.bfloat16, "int8": torch.int8}


class DecoderOnly(SequenceModel):
    """Predicts the next token of a piece from previous ones, within the context.

    No token sees another piece, and positions start from 0 in each. Pieces longer than the context
    are read through a sliding window, in training as in sampling: when the context is full, its
    last half is read again from position 0.

    A network assigns `blocks` and `norm` in its constructor, in the order in which it wants its
    parameters.

    Tables of the network have a row for each id that occurs (`Vocabulary.rows`), which are all V
    unless the tokenizer says otherwise. Tokens and logits are always those of all V ids.

    Args:
        vocabulary: the ids that the model reads and writes.
        width: D.
        heads: attention heads per block, H; must divide the width.
        context: maximum number of tokens attended to.
        dropout: fraction of units zeroed after the embedding.
        attention_dropout: fraction of attention weights zeroed in training.

    Attributes:
        blocks: one per layer, each called as `layers.transformer.Block` is.
        norm: module applied to the hidden vectors before the output layer.
        decoding_dtype: dtype to which `start` rounds weights on the CPU, where reading them
            dominates the cost of a token: ``torch.bfloat16`` (logits change in the third digit) or
            ``torch.int8`` (in the second); ``None`` is exact.
    """

    READS_PACKED = True

    context: int
    blocks: nn.ModuleList
    norm: nn.Module

    def __init__(
        self,
        vocabulary: Vocabulary,
        *,
        width: int,
        heads: int,
        context: int,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.rows = Rows(vocabulary)
        self.width, self.heads, self.context = width, heads, context
        self.dropout = dropout
        self.attention_dropout = attention_dropout
        self.decoding_dtype: torch.dtype | None = None

    @abstractmethod
    def embed_tokens(self, ids: Tensor, positions: Tensor) -> Tensor:
        """Vectors that enter the first block.

        Args:
            ids: ``[N]`` int64 rows of the embedding of the tokens: in training of all pieces, in
                sampling one per piece.
            positions: ``[N]`` int64 position of each token in its piece or window, from 0.

        Returns:
            ``[N, D]``.
        """

    @property
    @abstractmethod
    def output(self) -> tuple[Tensor, Tensor | None]:
        """Weight ``[V, D]`` and bias ``[V]``, if any, of the output layer; V is that of rows.

        The weight may be that of the embedding, or a parameter of its own.
        """

    def attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        *,
        layer: int,  # noqa: ARG002
        dropout: float,
    ) -> Tensor:
        """Causal attention of one block.

        Called with whole pieces (Q = T), padded on the right, and with the next token alone (Q = 1)
        after T - 1 cached ones: queries are always the last Q of the T tokens. A network that
        overrides this gives up the fused kernel for packed pieces.

        Args:
            query: ``[B, H, Q, C]``.
            key: ``[B, H, T, C]``.
            value: ``[B, H, T, C]``.
            layer: index of the block.
            dropout: fraction of attention weights to zero.

        Returns:
            ``[B, H, Q, C]``.
        """
        is_causal = query.shape[2] > 1
        return F.scaled_dot_product_attention(
            query, key, value, dropout_p=dropout, is_causal=is_causal
        )

    @property
    def head_width(self) -> int:
        """C, the width of the keys and values that a cache holds."""
        return self.width // self.heads

    @property
    def sharded_parts(self) -> Sequence[nn.Module]:
        return tuple(self.blocks)

    def knows(self, index: int) -> bool:
        return self.rows.occurs(index)

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
        logits = self.rows.spread(F.linear(hidden, *self.output))
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
        x = self.embed_tokens(self.rows(ids), layout.positions)  # [N, D]
        x = F.dropout(x, self.dropout, self.training)
        for index, block in enumerate(self.blocks):

            def attend(qkv: Tensor, layer: int = index) -> Tensor:
                if cache is not None:
                    _, keys, values = layout.pad(qkv).permute(2, 0, 3, 1, 4)  # [B, H, T, C]
                    cache.keys[layer][:, :, : keys.shape[2]] = keys
                    cache.values[layer][:, :, : keys.shape[2]] = values
                return self.attend_pieces(qkv, layout, layer)

            x = block(x, attend)
        hidden: Tensor = self.norm(x)
        return hidden

    def attend_pieces(self, qkv: Tensor, layout: Layout, layer: int) -> Tensor:
        """Causal attention within each piece; by default with `attend` on padded batches.

        A network may override this for a kernel that reads pieces without padding.

        Args:
            qkv: ``[N, 3, H, C]`` queries, keys and values.
            layout: layout of the pieces.
            layer: index of the block.

        Returns:
            ``[N, H, C]``.
        """
        dropout = self.attention_dropout if self.training else 0.0
        if type(self).attend is DecoderOnly.attend:  # the only attention that the kernel computes
            return causal_attention(qkv, layout, dropout)
        if qkv.device.type != "cpu" and not layout.is_even:
            return attend_by_groups(
                qkv, layout, lambda *parts: self.attend(*parts, layer=layer, dropout=dropout)
            )
        query, key, value = layout.pad(qkv).permute(2, 0, 3, 1, 4)  # each [B, H, T, C]
        attended = self.attend(query, key, value, layer=layer, dropout=dropout)
        return layout.pack(attended.transpose(1, 2))

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
        targets = self.rows(ids[1:][is_input[:-1]])
        weight, bias = self.output
        if bias is not None:  # as the weight of one more unit, which is always 1
            hidden = F.pad(hidden, (0, 1), value=1.0)
            weight = torch.cat([weight, bias[:, None]], 1)
        nats = summed_nats(hidden, weight, targets)
        return Loss(nats / len(targets), nats.detach(), len(targets))

    @torch.no_grad()
    def start(self, batch_size: int) -> Cache:
        """An empty cache, with the current weights laid out for `batch_size` rows.

        It can be used only once: `step` and `read` write into it.
        """
        weight, bias = self.output
        shape = (batch_size, self.heads, min(FIRST, self.context), self.head_width)
        dtype = self.decoding_dtype
        return Cache(
            tokens=torch.zeros(batch_size, self.context, dtype=torch.int64, device=weight.device),
            keys=tuple(weight.new_empty(shape) for _ in self.blocks),
            values=tuple(weight.new_empty(shape) for _ in self.blocks),
            length=0,
            layers=tuple(
                block.for_decoding(batch_size, dtype)
                for block in cast("Iterable[Decodable]", self.blocks)
            ),
            head=packed(weight, bias, rows=batch_size, dtype=dtype),
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
        x = self.embed_tokens(self.rows(tokens), torch.full_like(tokens, at))  # [B, D]
        for index, block in enumerate(state.layers):

            def attend(qkv: Tensor, layer: int = index) -> Tensor:
                keys, values = state.keys[layer], state.values[layer]
                query, key, value = qkv.to(keys.dtype).unbind(1)  # each [B, H, C]
                keys[:, :, at], values[:, :, at] = key, value
                seen = (keys[:, :, : at + 1], values[:, :, : at + 1])
                return self.attend(query[:, :, None], *seen, layer=layer, dropout=0.0)[:, :, 0]

            x = block(x, attend)
        logits = state.head(self.norm(x)).to(x.dtype)
        return self.rows.spread(logits), state._replace(length=at + 1)

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

    def rewound(self, state: Cache) -> Cache:
        """The cache as if nothing had been read, with the same buffers and laid-out weights."""
        return state._replace(length=0)

    def chosen(self, state: Cache, rows: list[int]) -> Cache:
        """The cache of some of the pieces alone."""
        return state.chosen(rows)

    def _prefill(self, tokens: Tensor, state: Cache) -> tuple[Tensor, Cache]:
        """Read ``[B, T]`` tokens within the context into an empty cache, in one pass."""
        rows, length = tokens.shape
        state = state.with_room(length)
        state.tokens[:, :length] = tokens
        layout = Layout.of([length] * rows, tokens.device)
        hidden = self._hidden(tokens.flatten(), layout, state)
        last = hidden.view(rows, length, -1)[:, -1]
        logits = state.head(last).to(last.dtype)
        return self.rows.spread(logits), state._replace(length=length)


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
