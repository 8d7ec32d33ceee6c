"""Augmentation: training melodies in many keys."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from symbotunes.errors import UserError
from symbotunes.music.grid.melody import FIRST_PITCH
from symbotunes.tokenizers.base import Ids, Tokenizer


class TransposeMelody:
    """Transposes each window by an interval drawn from those that keep all its notes in range.

    The reference implementation transposes before it extracts windows, and loses the notes that
    leave the range; here no note is lost.

    Args:
        semitones: intervals to choose from; 0 leaves a window in its key.

    Raises:
        UserError: if there are none.
    """

    def __init__(self, semitones: Sequence[int]) -> None:
        if not semitones:
            raise UserError("transforms.transpose_melody.semitones needs at least one interval")
        self.semitones = np.array(semitones, np.int64)
        self.classes = 0

    def bind(self, tokenizer: Tokenizer[Any]) -> None:
        """Look up how many classes the vocabulary has.

        Raises:
            UserError: if the tokenizer does not write melodies.
        """
        classes = tokenizer.pitch_classes
        if classes is None:
            raise UserError("transpose_melody moves melodies; it needs transforms=[melody,...]")
        self.classes = classes.count

    def __call__(self, ids: Ids, generator: torch.Generator) -> Ids:
        """The window in another key, or as it is."""
        notes = ids >= FIRST_PITCH
        if not notes.any():
            return ids
        pitches = ids[notes].astype(np.int64)
        lowest, highest = FIRST_PITCH - pitches.min(), self.classes - 1 - pitches.max()
        fitting = self.semitones[(self.semitones >= lowest) & (self.semitones <= highest)]
        if not len(fitting):
            return ids
        shift = fitting[int(torch.randint(len(fitting), (), generator=generator))]
        return np.where(notes, ids + shift, ids)
