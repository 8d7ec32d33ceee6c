"""The Music Transformer: a decoder-only transformer that attends by distance.

Huang et al., "Music Transformer", ICLR 2019, https://arxiv.org/abs/1809.04281; details follow
Tensor2Tensor and Magenta's ``score2perf``.

Departures: positions start from 0 in each piece, and the first token of a piece is read and not
predicted, where Tensor2Tensor predicts it from zeros; the output layer begins near zero.
"""

import math
from typing import cast

import torch
from torch import Tensor, nn

from symbotunes.models.decoder_only import DecoderOnly
from symbotunes.models.layers.attention import Layout, causal_attention
from symbotunes.models.layers.relative_attention import (
    distance_table,
    packed_relative_attention,
    relative_attention,
)
from symbotunes.models.music_transformer.block import EPSILON, Block
from symbotunes.tokenizers.base import Vocabulary

LONGEST_WAVE = 10_000  # tokens per radian of the slowest sinusoid
PLACE_STD = 0.1  # of the initial embeddings of places, beside token vectors of unit variance
OUTPUT_STD = 0.02  # of the initial output layer: an untrained model is near uniform


class MusicTransformer(DecoderOnly):
    """Predicts the next token of a piece from previous ones and from how far back they are.

    Args:
        vocabulary: the ids that the model reads and writes.
        width: D; must be even.
        depth: number of blocks, L.
        heads: attention heads per block, H; must divide `width` and `key_width`.
        key_width: units of all heads of the queries, and of the keys.
        feedforward: units of the hidden layer of a block.
        context: maximum number of tokens attended to; may exceed the length of training examples,
            since no weight depends on it.
        max_distance: R, number of distances with an embedding, 0 to R - 1 tokens; the authors take
            half the length of training examples. 0: positions alone, without distances.
        cycle: tokens after which positions repeat; a token also has an embedding of its place in
            the cycle, such as its voice and beat in music on a grid. The context must hold an even
            number of cycles, so that a window that slides keeps the places. 0: none.
        clip_distance: whether farther keys have the embedding of distance R - 1, as in Shaw et
            al.; otherwise they have none, as in Tensor2Tensor.
        dropout: fraction of units zeroed after the embedding, the ReLU, and at the end of every
            branch.
        attention_dropout: fraction of attention weights zeroed; above 0 it disables the fast CPU
            kernel.

    Raises:
        ValueError: if the width is odd, `heads` does not divide the widths, `max_distance` is
            negative, or the context does not hold an even number of cycles.
    """

    sinusoids: Tensor

    def __init__(
        self,
        vocabulary: Vocabulary,
        width: int = 256,
        depth: int = 6,
        heads: int = 8,
        key_width: int = 512,
        feedforward: int = 2048,
        context: int = 4096,
        max_distance: int = 1024,
        clip_distance: bool = False,
        dropout: float = 0.1,
        attention_dropout: float = 0.1,
        cycle: int = 0,
    ) -> None:
        super().__init__(
            vocabulary,
            width=width,
            heads=heads,
            context=context,
            dropout=dropout,
            attention_dropout=attention_dropout,
        )
        if width % 2:
            raise ValueError(f"width={width} must be even")
        if max_distance < 0:
            raise ValueError(f"max_distance={max_distance} must be at least 0")
        if cycle < 0 or (cycle and context % (2 * cycle)):
            raise ValueError(f"context={context} must be a multiple of twice the cycle={cycle}")
        self.depth, self.key_width, self.feedforward = depth, key_width, feedforward
        self.max_distance, self.clip_distance = max_distance, clip_distance
        self.cycle = cycle
        self.places = nn.Embedding(cycle, width) if cycle else None
        self.embed = nn.Embedding(vocabulary.rows, width)
        self.register_buffer("sinusoids", sinusoids(context, width), persistent=False)
        self.blocks = nn.ModuleList(
            Block(
                width,
                heads,
                key_width=key_width,
                feedforward=feedforward,
                distances=max_distance,
                dropout=dropout,
            )
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width, EPSILON)
        self.head = nn.Linear(width, vocabulary.rows, bias=False)
        self._initialize()

    def _initialize(self) -> None:
        nn.init.normal_(self.embed.weight, std=self.width**-0.5)
        nn.init.normal_(self.head.weight, std=OUTPUT_STD)
        if self.places is not None:
            nn.init.normal_(self.places.weight, std=PLACE_STD)
        for layer in range(self.depth):
            self._block(layer).initialize()

    def _block(self, layer: int) -> Block:
        return cast("Block", self.blocks[layer])

    @property
    def head_width(self) -> int:
        return self._block(0).head_width

    def embed_tokens(self, ids: Tensor, positions: Tensor) -> Tensor:
        vectors: Tensor = self.embed(ids) * math.sqrt(self.width) + self.sinusoids[positions]
        if self.places is not None:
            vectors = vectors + self.places(positions % self.cycle)
        return vectors

    @property
    def output(self) -> tuple[Tensor, None]:
        return self.head.weight, None

    def _table(self, layer: int, longest: int, like: Tensor) -> Tensor | None:
        """Embeddings of the distances within `longest` tokens; ``None`` if there are none."""
        block = self._block(layer)
        if block.distances is None:
            return None
        table = distance_table(block.distances, longest, clip=self.clip_distance)
        return block.widened(table).to(like.dtype)

    def attend_pieces(self, qkv: Tensor, layout: Layout, layer: int) -> Tensor:
        dropout = self.attention_dropout if self.training else 0.0
        if not self.max_distance:
            return causal_attention(qkv, layout, dropout)
        table = self._table(layer, max(layout.lengths), qkv)
        if table is None or qkv.device.type != "cpu" or dropout:
            return super().attend_pieces(qkv, layout, layer)
        return packed_relative_attention(qkv, table, layout.lengths)

    def attend(
        self, query: Tensor, key: Tensor, value: Tensor, *, layer: int, dropout: float
    ) -> Tensor:
        table = self._table(layer, key.shape[2], query)
        if table is None:
            return super().attend(query, key, value, layer=layer, dropout=dropout)
        return relative_attention(query, key, value, table, dropout=dropout)


def sinusoids(context: int, width: int) -> Tensor:
    """Vectors ``[context, D]`` of positions: sines of all wavelengths, then their cosines.

    As in Tensor2Tensor: geometric from 1 to `LONGEST_WAVE` tokens per radian, both included.
    """
    exponents = torch.arange(width // 2) / max(1, width // 2 - 1)
    angles = torch.arange(context)[:, None] * LONGEST_WAVE**-exponents
    return torch.cat([angles.sin(), angles.cos()], 1)
