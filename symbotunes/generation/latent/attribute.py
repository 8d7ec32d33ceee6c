"""Windows moved along the direction of an attribute in latent space."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from symbotunes.errors import UserError
from symbotunes.generation.latent.attributes import attribute_values, attribute_vector
from symbotunes.generation.latent.inputs import Source, read_windows
from symbotunes.generation.latent.plan import LatentPlan, Training
from symbotunes.generation.latent.player import LatentPlayer
from symbotunes.generation.sample import Composition
from symbotunes.music.midi.tracks import TrackName


@dataclass(frozen=True, kw_only=True)
class AttributePlan(LatentPlan):
    """Change an attribute of windows, by moving their latent vectors along its direction.

    Attributes:
        attribute: a name in `symbotunes.music.grid.attributes.ATTRIBUTES`.
        strengths: how far to move, in multiples of the difference between windows rich and poor in
            the attribute.
        input: MIDI or ABC file whose windows are moved; ``None``: new windows from the prior.
        track: name or number of the track that is read; ``None``: those that the model reads.
        bars: of `input` as engraved, such as ``5-8`` or ``[1-2,7]``; ``None``: all.
        window: the first window of `input` to use, counted from 1.
        num: number of windows to move.
        most: maximum number of training windows from which the direction is computed.
    """

    NAME: ClassVar[str] = "attribute"
    READS_DATASET: ClassVar[bool] = True
    COUNTS: ClassVar[tuple[str, ...]] = ("window", "num", "most")

    attribute: str = "note_density"
    strengths: Sequence[float] = (-2, -1, 0, 1, 2)
    input: str | None = None
    window: int = 1
    num: int = 1
    most: int = 20_000
    track: TrackName | None = None
    bars: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not len(self.strengths):
            raise UserError("sample.strengths needs at least one number, such as [-1,0,1]")
        _ = self._source

    @property
    def _source(self) -> Source:
        return Source.of("sample.input", self.input or "", self.track, self.bars)

    def play(self, player: LatentPlayer, seed: int, training: Training | None) -> Composition:
        inputs, start, bases = self._start(player, seed)
        attribute_values([np.zeros(1, int)], player.tokenizer, self.attribute)  # fail early
        if training is None:
            raise UserError("sample=attribute needs the training data, which are not available")
        vector = attribute_vector(player, training(), self.attribute, self.most, seed)
        strengths = torch.tensor(self.strengths, dtype=start.dtype, device=start.device)
        z = (start[:, None] + strengths[:, None] * vector).flatten(0, 1)  # [num * strengths, Z]
        seeds = [base for base in bases for _ in self.strengths]
        windows = player.write(z, seeds, self.temperature)
        labels = [
            (index, strength) for index in range(1, len(bases) + 1) for strength in self.strengths
        ]
        word = self.attribute.replace("_", " ")
        names = [
            (
                f"sample_{index:02d}_{1 + position % len(self.strengths)}",
                f"Sample {index}, {word} {strength:+g}",
            )
            for position, (index, strength) in enumerate(labels)
        ]
        values = attribute_values(windows, player.tokenizer, self.attribute)
        notes = [(f"{word} of this window: {value:.2f}",) for value in values]
        samples = tuple(player.samples(z, windows, names, seeds, notes))
        strip = tuple(
            (f"{strength:+g}", sample.score)
            for (_, strength), sample in zip(labels, samples, strict=True)
        )
        return Composition(samples, {**self.facts, "attribute": word}, inputs, strip)

    def _start(self, player: LatentPlayer, seed: int) -> tuple[dict[str, str], Tensor, list[int]]:
        """A description of the input, the vectors ``[num, Z]`` to move, and their seeds."""
        if self.input is None:
            count = self.num if self.seeds is None else len(self.seeds)
            seeds = self.seeds_of(seed, count)
            return {}, player.prior(seeds, fitted=True), seeds
        file = read_windows(self._source, player.tokenizer)
        windows = file.select(self.window, self.num)
        seeds = self.seeds_of(seed, len(windows))
        return file.describe("input", self.window, self.num), player.means(windows), seeds
