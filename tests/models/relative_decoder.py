"""A toy Music Transformer, which decides otherwise than GPT-2 what `DecoderOnly` lets it decide.

Attention adds a learned score for the distance between query and key (Shaw et al. 2018, Huang et
al. 2018); positions are sinusoids (Vaswani et al. 2017); the output layer is not the embedding.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from symbotunes.models.decoder_only import DecoderOnly
from symbotunes.models.layers.transformer import Block


class RelativeDecoder(DecoderOnly):
    def __init__(self, vocabulary, *, width=16, depth=2, heads=2, context=8):
        super().__init__(vocabulary, width=width, heads=heads, context=context)
        self.embed = nn.Embedding(vocabulary.rows, width)
        self.register_buffer("sinusoids", sinusoids(context, width))
        self.blocks = nn.ModuleList(Block(width, heads, dropout=0.0) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.distances = nn.Parameter(torch.randn(depth, heads, context, width // heads))
        self.head = nn.Linear(width, vocabulary.rows)
        nn.init.normal_(self.head.weight, std=0.02)

    def embed_tokens(self, ids, positions):
        return self.embed(ids) + self.sinusoids[positions]

    @property
    def output(self):
        return self.head.weight, self.head.bias

    def attend(self, query, key, value, *, layer, dropout):
        queries, keys, width = query.shape[2], key.shape[2], query.shape[3]
        distance = torch.arange(keys - queries, keys)[:, None] - torch.arange(keys)  # [Q, T]
        relative = self.distances[layer][:, distance.clamp_min(0)]  # [H, Q, T, C]
        scores = query @ key.transpose(2, 3) + torch.einsum("bhqc,hqtc->bhqt", query, relative)
        scores = (scores / math.sqrt(width)).masked_fill(distance < 0, -math.inf)
        return F.dropout(scores.softmax(-1), dropout) @ value


def sinusoids(context, width):
    angles = torch.arange(context)[:, None] * 10_000 ** (-torch.arange(0, width, 2) / width)
    return torch.cat([angles.sin(), angles.cos()], 1)
