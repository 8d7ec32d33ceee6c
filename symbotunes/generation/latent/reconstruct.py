"""Windows of a file, and their reconstructions."""

from dataclasses import dataclass
from typing import Any, ClassVar

from symbotunes.generation.latent.inputs import Source, read_windows
from symbotunes.generation.latent.plan import LatentPlan, Training
from symbotunes.generation.latent.player import LatentPlayer
from symbotunes.generation.sample import Composition
from symbotunes.music.midi.tracks import TrackName
from symbotunes.tokenizers.base import Ids


@dataclass(frozen=True, kw_only=True)
class ReconstructPlan(LatentPlan):
    """Windows of a file, and their reconstructions, decoded from their posterior means.

    Attributes:
        input: MIDI or ABC file.
        track: name or number of the track that is read; ``None``: those that the model reads.
        bars: of `input` as engraved, such as ``5-8`` or ``[1-2,7]``; ``None``: all.
        window: the first window to use, counted from 1.
        num: maximum number of windows.
    """

    NAME: ClassVar[str] = "reconstruct"
    COUNTS: ClassVar[tuple[str, ...]] = ("window", "num")

    input: str
    window: int = 1
    num: int = 4
    track: TrackName | None = None
    bars: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self._source

    @property
    def _source(self) -> Source:
        return Source.of("sample.input", self.input, self.track, self.bars)

    def play(self, player: LatentPlayer, seed: int, training: Training | None) -> Composition:  # noqa: ARG002
        file = read_windows(self._source, player.tokenizer)
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
        inputs = file.describe("input", self.window, self.num)
        return Composition(samples, self.facts, inputs)


def agreement(given: Ids, written: Ids) -> str:
    """How many steps of a window were reconstructed, in words."""
    same = given == written
    right = int((same.all(-1) if same.ndim > 1 else same).sum())
    return f"{right} of {len(given)} steps as in the input"


def _file(kind: str, name: str) -> str:
    return f"{kind}_{int(name.split()[-1]):02d}"
