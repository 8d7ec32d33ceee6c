"""Small MusicVAEs and windows, as the tests of the networks have them."""

from tests.models.music_vae.conftest import batch_of, make, net, windows

__all__ = ["batch_of", "make", "net", "windows"]
