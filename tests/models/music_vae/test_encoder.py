"""The encoder's two ways of running a layer."""

import torch

from symbotunes.models.music_vae import encoder as encoders
from symbotunes.models.music_vae.encoder import BidirectionalEncoder


def gradients(encoder, vectors):
    encoder.zero_grad()
    found = encoder(vectors, torch.full((len(vectors),), vectors.shape[1]))
    found.square().sum().backward()
    trained = {name: p.grad.clone() for name, p in encoder.named_parameters() if p.requires_grad}
    return found.detach(), trained


def test_written_out_layers_are_the_fused_ones(monkeypatch):
    torch.manual_seed(0)
    encoder = BidirectionalEncoder(7, [6, 5])
    vectors = torch.rand(3, 9, 7)
    fused = gradients(encoder, vectors)
    monkeypatch.setattr(encoders, "beats_fused", lambda width, inputs: True)
    torch.testing.assert_close(gradients(encoder, vectors), fused)


def test_wide_layers_in_bfloat16_are_written_out_and_close_to_those_in_float32(monkeypatch):
    torch.manual_seed(0)
    written_out = []

    def both_ways(layer, inputs):
        written_out.append(layer)
        return ours(layer, inputs)

    ours = encoders.both_ways
    monkeypatch.setattr(encoders, "both_ways", both_ways)
    encoder = BidirectionalEncoder(90, [1024])
    vectors = torch.rand(9, 4, 90)  # one more than are written out in float32
    lengths = torch.full((9,), 4)
    exact = encoder(vectors, lengths).detach()
    assert not written_out
    with torch.autocast("cpu", torch.bfloat16):
        found = encoder(vectors, lengths).detach()
    assert written_out == list(encoder.layers)
    assert (found - exact).norm() < 0.01 * exact.norm()
