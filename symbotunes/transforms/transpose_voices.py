"""Augmentation: training chorales in other keys, within the ranges of their voices."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from symbotunes.errors import UserError
from symbotunes.music.chorale.grid import SILENT, VOICES
from symbotunes.music.chorale.layout import VoiceLayout
from symbotunes.tokenizers.base import Ids, Tokenizer


class TransposeVoices:
    """Transposes each example by an interval drawn from those that keep every voice in its range.

    All of them are equally likely. An example that no interval keeps in range stays as it is.

    Args:
        semitones: intervals to choose from; 0 keeps the key.
        ranges: lowest and highest MIDI pitch of soprano, alto, tenor and bass.

    Raises:
        UserError: if there is no interval, or not a range for each voice.
    """

    def __init__(self, semitones: Sequence[int], ranges: Sequence[Sequence[int]]) -> None:
        if not len(semitones):
            raise UserError("transforms.transpose_voices.semitones needs at least one interval")
        if len(ranges) != len(VOICES) or any(
            len(span) != 2 or span[0] > span[1] for span in ranges
        ):
            raise UserError(
                "transforms.transpose_voices.ranges needs the lowest and the highest pitch of each "
                f"of {len(VOICES)} voices, such as [[60,81],[52,74],[46,69],[36,66]]"
            )
        self.semitones = np.array(semitones, np.int64)
        self.lowest, self.highest = np.array(ranges, np.int64).T
        self.layout: VoiceLayout | None = None

    def bind(self, tokenizer: Tokenizer[Any]) -> None:
        """Look up which ids are pitches.

        Raises:
            UserError: if the tokenizer does not write note slots of four voices, or has no ids for
                all pitches of the ranges.
        """
        self.layout = tokenizer.voices
        if self.layout is None:
            raise UserError(
                "transpose_voices moves chorales; it needs transforms=[chorale_grid,...]"
            )
        if self.lowest.min() < self.layout.lowest or self.highest.max() > self.layout.highest:
            raise UserError(
                "transforms.transpose_voices.ranges exceed those of transforms.chorale_grid, "
                f"{self.layout.lowest} to {self.layout.highest}"
            )

    def __call__(self, ids: Ids, generator: torch.Generator) -> Ids:
        """The example in another key, or as it is."""
        if self.layout is None:
            raise RuntimeError("call bind before transpose_voices is used: it has no tokenizer")
        slots = np.asarray(ids).astype(np.int64)
        pitches = self.layout.decode(slots)[0].pitches
        sounding = pitches != SILENT
        least = np.where(sounding, pitches, 127).min(0)  # [4]; of a silent voice, any interval fits
        most = np.where(sounding, pitches, 0).max(0)
        shifts = self.semitones[:, None]
        fits = ((least + shifts >= self.lowest) & (most + shifts <= self.highest)) | ~sounding.any(
            0
        )
        fitting = self.semitones[fits.all(1)]
        if not len(fitting):
            return ids
        drawn = int(torch.randint(len(fitting), (), generator=generator))
        return self.layout.transpose(slots, int(fitting[drawn]))
