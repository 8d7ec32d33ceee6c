"""The hierarchical decoder: a conductor outputs a code for every bar, cores decode the bars."""

from collections.abc import Sequence

from torch import Tensor, nn

from symbotunes.models.music_vae.core import Core
from symbotunes.models.music_vae.decoder import Decoder
from symbotunes.models.music_vae.stack import Stack
from symbotunes.models.music_vae.symbols import Symbols


class HierarchicalDecoder(Decoder):
    """Decodes bars of fixed length; states are not carried over from one bar to the next.

    The conductor depends only on the latent vector it starts from: its input is zero, as in the
    reference, so the weights of that input are not trained. Every track has its own core, which
    reads the steps of this track and the codes that all tracks share.

    Args:
        latent: Z.
        symbols: the symbols that it reads and writes.
        widths: units of every layer of a core.
        conductor: units of every layer of the conductor.
        bar_steps: steps per bar.
    """

    def __init__(
        self,
        latent: int,
        symbols: Symbols,
        widths: Sequence[int],
        conductor: Sequence[int],
        bar_steps: int = 16,
    ) -> None:
        super().__init__()
        self.symbols = symbols
        self.bar_steps = bar_steps
        self.conductor = Stack(latent, 1, conductor)
        self.conductor.weights()[0][0].requires_grad_(False)
        cores = [Core(conductor[-1], widths, track) for track in symbols.split()]
        self.cores = nn.ModuleList(cores)

    def bar(self, steps: int) -> int:
        if steps % self.bar_steps or steps == 0:
            raise ValueError(
                f"{steps} steps are not a whole number of bars of {self.bar_steps} steps"
            )
        return self.bar_steps

    def codes(self, z: Tensor, bars: int) -> Tensor:
        if z.device.type != "cpu":
            return self.conductor.fused(z.new_zeros(len(z), bars, 1), z)
        _, _, bias = self.conductor.weights()[0]
        drive = bias.expand(bars, len(z), -1)  # [U, B, 4 D]
        return self.conductor.driven(drive, z)

    def extra_repr(self) -> str:
        return f"bar_steps={self.bar_steps}"
