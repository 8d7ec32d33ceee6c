"""Windows of a file, and their reconstructions."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from symbotunes.generation.latent.inputs import read_windows
from symbotunes.generation.latent.plan import LatentPlan, Training
from symbotunes.generation.latent.player import LatentPlayer
from symbotunes.generation.sample import Composition
from symbotunes.tokenizers.base import Ids


@dataclass(frozen=True, kw_only=True)
class ReconstructPlan(LatentPlan):
    """Windows of a file, and their reconstructions, decoded from their posterior means.

    Attributes:
        input: MIDI or ABC file.
        window: the first window to use, counted from 1.
        num: maximum number of windows.
    """

    NAME: ClassVar[str] = "reconstruct"
    COUNTS: ClassVar[tuple[str, ...]] = ("window", "num")

    input: str
    window: int = 1
    num: int = 4

    def play(self, player: LatentPlayer, seed: int, training: Training | None) -> Composition:  # noqa: ARG002
        file = read_windows(Path(self.input), player.tokenizer, "sample.input")
        given = file.select(self.window, self.num)
        seeds = self.seeds_of(seed, len(given))
        z = player.means(given)
        written = player.write(z, seeds, self.temperature)
        names = [f"window {self.window + index}" for index in range(len(given))]
        originals = player.samples(
            z, given, [(_file("input", name), f"Input, {name}") for name in names], seeds
        )
        notes = [(agreement(*pair),) for pair in zip(given, written, strict=True)]
        titles = [(_file("reconstruction", name), f"Reconstruction, {name}") for name in names]
        copies = player.samples(z, written, titles, seeds, notes)
        samples = tuple(sample for pair in zip(originals, copies, strict=True) for sample in pair)
        inputs = {"input": file.describe(self.window, self.num)}
        return Composition(samples, self.facts, inputs)


def agreement(given: Ids, written: Ids) -> str:
    """How many steps of a window were reconstructed, in words."""
    same = given == written
    right = int((same.all(-1) if same.ndim > 1 else same).sum())
    return f"{right} of {len(given)} steps as in the input"


def _file(kind: str, name: str) -> str:
    return f"{kind}_{int(name.split()[-1]):02d}"
