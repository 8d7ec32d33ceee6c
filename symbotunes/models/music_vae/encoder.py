"""From a window of music to one vector."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from symbotunes.models.music_vae.stack import lstm_layer


class BidirectionalEncoder(nn.Module):
    """LSTMs in both directions; every layer reads both directions of the layer below.

    Args:
        inputs: width of one step's vector.
        widths: units of every layer in each direction.
    """

    def __init__(self, inputs: int, widths: Sequence[int]) -> None:
        super().__init__()
        below = [inputs, *(2 * width for width in widths[:-1])]
        layers = [lstm_layer(i, d, bidirectional=True) for i, d in zip(below, widths, strict=True)]
        self.layers = nn.ModuleList(layers)
        self.outputs = 2 * widths[-1]

    def forward(self, vectors: Tensor, lengths: Tensor) -> Tensor:
        """Last hidden states of the last layer, forward beside backward.

        Args:
            vectors: ``[B, T, inputs]``.
            lengths: ``[B]`` real steps of each piece, on the CPU; what follows is not read.

        Returns:
            ``[B, outputs]``.
        """
        hidden: Tensor | PackedSequence = vectors
        if int(lengths.min()) < vectors.shape[1]:  # packing costs the fast CPU kernel
            hidden = pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
        for layer in self.layers:
            hidden, (last, _) = layer(hidden)
        return torch.cat([last[0], last[1]], -1)
