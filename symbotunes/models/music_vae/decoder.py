"""The base class of flat and hierarchical decoders, and the flat decoder."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from symbotunes.models.music_vae.core import Core, CoreWalk
from symbotunes.models.music_vae.symbols import Symbols


class Decoder(nn.Module):
    """Decodes a piece in bars, each of which starts from its own code.

    A bar depends on other bars only through its code and the last step of the previous bar.

    Attributes:
        cores: the cores, each for its own tracks, in the order of `symbols`.
        symbols: the symbols of all tracks together.
    """

    cores: nn.ModuleList
    symbols: Symbols

    @abstractmethod
    def bar(self, steps: int) -> int:
        """Steps per bar in a piece of this many steps.

        Raises:
            ValueError: if the piece does not consist of whole bars.
        """

    @abstractmethod
    def codes(self, z: Tensor, bars: int) -> Tensor:
        """The code of every bar ``[B, U, C]``, from latent vectors ``[B, Z]``."""

    def forward(self, z: Tensor, inputs: Tensor) -> Tensor:
        """Logits ``[B, T, O]``, tracks concatenated; row t scores step t.

        All bars run in parallel.

        Args:
            z: latent vectors ``[B, Z]``.
            inputs: ``[B, T, S]`` the previous step of each step, see `previous`.
        """
        pieces, steps, _ = inputs.shape
        bar = self.bar(steps)
        codes = self.codes(z, steps // bar).flatten(0, 1)  # [B U, C]
        rows = inputs.reshape(len(codes), bar, -1)  # [B U, bar, S]
        logits = [core(codes, part) for core, part in self._by_core(rows)]
        return torch.cat(logits, -1).reshape(pieces, steps, -1)

    def previous(self, steps: Tensor) -> Tensor:
        """The inputs at the steps ``[B, T, S]``: the start symbol, then the previous steps."""
        first = torch.full_like(steps[:, :1], self.symbols.start)
        return torch.cat([first, steps[:, :-1]], 1)

    def score(self, logits: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        """Nats and correctness of steps ``[B, T, S]``, both ``[B, T, K]`` for K tracks."""
        sizes = [core.head.project.out_features for core in self._cores()]
        parts = zip(self._by_core(steps), torch.split(logits, sizes, -1), strict=True)
        scores = [core.head.score(part, truth) for (core, truth), part in parts]
        nats, right = zip(*scores, strict=True)
        return torch.cat(nats, -1), torch.cat(right, -1)

    @torch.no_grad()
    def write(
        self,
        z: Tensor,
        uniforms: Tensor,
        temperature: float = 1.0,
        given: Tensor | None = None,
        own: Tensor | None = None,
    ) -> Tensor:
        """Sample steps one after the other, all pieces in parallel.

        Args:
            z: latent vectors ``[B, Z]``.
            uniforms: ``[B, T, S]`` random numbers in [0, 1), the only source of randomness.
            temperature: divides the logits; 0 takes the most likely answer.
            given: true steps ``[B, T, S]``, which are used wherever `own` is false.
            own: ``[B, T]`` bool, where the decoder's own sample is kept; ``None``: everywhere.

        Returns:
            Steps ``[B, T, S]``.
        """
        bar = self.bar(uniforms.shape[1])
        codes = self.codes(z, uniforms.shape[1] // bar)
        walks = [CoreWalk(core) for core in self._cores()]
        last = torch.full_like(uniforms[:, 0], self.symbols.start, dtype=torch.int64)
        written = []
        for t, chances in enumerate(uniforms.unbind(1)):
            if t % bar == 0:
                for walk in walks:
                    walk.begin(codes[:, t // bar])
            last = self._next(walks, last, chances, temperature)
            if given is not None and own is not None:
                last = torch.where(own[:, t, None], last, given[:, t])
            written.append(last)
        return torch.stack(written, 1)

    def _next(
        self, walks: list[CoreWalk], last: Tensor, chances: Tensor, temperature: float
    ) -> Tensor:
        """The step ``[B, S]`` that the cores sample after the step `last`."""
        widths = self._widths()
        parts = zip(
            walks, torch.split(last, widths, -1), torch.split(chances, widths, -1), strict=True
        )
        drawn = [
            walk.core.head.draw(walk.step(before), temperature, chance)
            for walk, before, chance in parts
        ]
        return torch.cat(drawn, -1)

    def _cores(self) -> list[Core]:
        return list(self.cores)  # type: ignore[arg-type]  # ModuleList is untyped

    def _by_core(self, steps: Tensor) -> Iterator[tuple[Core, Tensor]]:
        """Each core with its numbers of the steps ``[..., S]``."""
        return zip(self._cores(), torch.split(steps, self._widths(), -1), strict=True)

    def _widths(self) -> list[int]:
        """How many numbers of a step each core outputs."""
        return [core.symbols.numbers for core in self._cores()]


class FlatDecoder(Decoder):
    """A single core over the whole piece, whose code is the latent vector.

    Args:
        latent: Z.
        symbols: the symbols that it reads and writes.
        widths: units of every layer.
    """

    def __init__(self, latent: int, symbols: Symbols, widths: Sequence[int]) -> None:
        super().__init__()
        self.symbols = symbols
        self.cores = nn.ModuleList([Core(latent, widths, symbols)])

    def bar(self, steps: int) -> int:
        return steps

    def codes(self, z: Tensor, bars: int) -> Tensor:  # noqa: ARG002
        return z[:, None]
