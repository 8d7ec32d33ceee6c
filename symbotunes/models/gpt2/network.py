"""GPT-2: a decoder-only transformer over tokens.

Radford et al., "Language Models are Unsupervised Multitask Learners", 2019; details follow OpenAI's
code. On ABC notation: Geerlings and Merono-Penuela, "Interacting with GPT-2 to Generate Controlled
and Believable Musical Sequences in ABC Notation", NLP4MusA 2020.

Departures: pieces are stored end to end without padding, and no token sees another piece; positions
start from 0 in each. Pieces longer than the context are read through a sliding window, in training
as in sampling: when the context is full, its last half is read again from position 0.
"""

import math

import torch
from torch import Tensor, nn

from symbotunes.models.decoder_only import DecoderOnly
from symbotunes.models.layers.transformer import EPSILON, Block
from symbotunes.tokenizers.base import Vocabulary

STD, POSITION_STD = 0.02, 0.01  # of the initial weights, as in OpenAI's code


class GPT2(DecoderOnly):
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
        layer_scaled_attention: whether the attention scores of layer ``l``, counted from 0, are
            divided by ``l + 1``. Only queries see that factor, so it is part of their weights: new
            ones are divided by it, and published ones when they are read.
    """

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
        layer_scaled_attention: bool = False,
    ) -> None:
        super().__init__(
            vocabulary,
            width=width,
            heads=heads,
            context=context,
            dropout=dropout,
            attention_dropout=attention_dropout,
        )
        self.depth = depth
        self.residual_scaling = residual_scaling
        self.layer_scaled_attention = layer_scaled_attention
        self.embed = nn.Embedding(vocabulary.rows, width)  # also the output layer
        self.positions = nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width, EPSILON)
        self._initialize()

    def _initialize(self) -> None:
        nn.init.normal_(self.embed.weight, std=STD)
        nn.init.normal_(self.positions.weight, std=POSITION_STD)
        branches = 2 * len(self.blocks)
        for layer, block in enumerate(self.blocks):
            assert isinstance(block, Block)
            block.initialize(STD, STD / math.sqrt(branches) if self.residual_scaling else STD)
            if self.layer_scaled_attention:
                with torch.no_grad():
                    block.qkv.weight[: self.width] /= layer + 1

    def embed_tokens(self, ids: Tensor, positions: Tensor) -> Tensor:
        vectors: Tensor = self.embed(ids) + self.positions(positions)
        return vectors

    @property
    def output(self) -> tuple[Tensor, None]:
        return self.embed.weight, None
