"""The encoder, from a window of music to a vector."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from symbotunes.models.layers.lstm import beats_fused, driven_lstm, run_fused
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
        """The last hidden states of the last layer, forward and backward concatenated.

        Args:
            vectors: ``[B, T, inputs]``.
            lengths: ``[B]`` number of real steps of each piece, on the CPU; later steps are not
                read.

        Returns:
            ``[B, outputs]``.
        """
        hidden: Tensor | PackedSequence = vectors
        if int(lengths.min()) < vectors.shape[1]:  # packing disables the fast CPU kernel
            hidden = pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
        for layer in self.layers:
            assert isinstance(layer, nn.LSTM)
            if isinstance(hidden, Tensor) and beats_fused(layer.hidden_size, hidden):
                hidden, last = both_ways(layer, hidden)
            else:
                hidden, (last, _) = run_fused(layer, hidden)
        return torch.cat([last[0], last[1]], -1)


def both_ways(layer: nn.LSTM, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Run a bidirectional layer with one bias per gate without fused kernels.

    Args:
        layer: the layer whose weights are used.
        inputs: ``[B, T, I]``.

    Returns:
        Hidden states ``[B, T, 2 D]``, and the last of each direction ``[2, B, D]``.
    """
    steps = inputs.transpose(0, 1)
    state = inputs.new_zeros(len(inputs), layer.hidden_size)
    (w_ih, w_hh, bias, _), (back_ih, back_hh, back_bias, _) = layer.all_weights
    forward, _ = driven_lstm(F.linear(steps, w_ih, bias), w_hh, (state, state))
    backward, _ = driven_lstm(F.linear(steps.flip(0), back_ih, back_bias), back_hh, (state, state))
    hidden = torch.cat([forward, backward.flip(0)], -1)  # [T, B, 2 D]
    return hidden.transpose(0, 1), torch.stack([forward[-1], backward[-1]])
