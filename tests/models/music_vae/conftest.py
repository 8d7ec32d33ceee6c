"""Small MusicVAEs of every published configuration."""

import pytest
import torch

from symbotunes.config.build import build
from symbotunes.models.base import Batch
from symbotunes.tokenizers.base import Vocabulary
from tests.composing import composed

SIZES = {
    "music_vae": 90,
    "music_vae_2bar_big": 90,
    "music_vae_16bar": 90,
    "music_vae_16bar_flat": 90,
    "music_vae_trio": 692,
    "music_vae_trio_flat": 692,
    "music_vae_drums": 512,
    "music_vae_drums_nade": 61,
}


def make_net(name, *overrides, encoder="[6]", widths="[8,8]", latent=5, size=None):
    settings = [f"encoder.widths={encoder}", f"decoder.widths={widths}", f"latent={latent}"]
    if name in ("music_vae_16bar", "music_vae_trio"):
        settings.append("decoder.conductor=[7,7]")
    settings = [f"model.net.{value}" for value in (*settings, *overrides)]
    cfg = composed(f"model={name}", *settings)
    torch.manual_seed(0)
    return build(cfg.model.net, vocabulary=Vocabulary(size or SIZES[name], bos=0, eos=0))


def make_windows(net, pieces=3, steps=32, seed=0):
    random = torch.Generator().manual_seed(seed)
    counts = getattr(net.symbols, "classes", [2] * net.symbols.numbers)
    tracks = [torch.randint(count, (pieces, steps), generator=random) for count in counts]
    return net.symbols.pack(torch.stack(tracks, -1))


def awaken(net):
    """Weights so large that everything matters: fresh maps of latent vectors are almost zero."""
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.requires_grad:
                parameter.normal_(std=0.5, generator=random)
    return net


@pytest.fixture
def make():
    return make_net


@pytest.fixture
def windows():
    return make_windows


@pytest.fixture(params=SIZES)
def net(request):
    return awaken(make_net(request.param)).eval()


@pytest.fixture
def batch_of():
    def batch(tokens, lengths=None):
        return Batch(tokens, torch.tensor(lengths or [tokens.shape[1]] * len(tokens)))

    return batch
