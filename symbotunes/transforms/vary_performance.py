"""Augmentation: training performances at other speeds and in other keys."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from symbotunes.errors import UserError
from symbotunes.music.performance.events import OPEN, EventLayout, EventNotes
from symbotunes.tokenizers.base import Ids, Tokenizer

LEAST, MOST = 0.25, 4.0


class VaryPerformance:
    """Stretches each example by a factor and transposes it by an interval, both drawn at random.

    The authors keep one copy for each pair of a factor and an interval, which ``time_stretch`` and
    ``transpose_midi`` before the tokenizer make. Drawn anew each time, they take no space; events
    have steps of 10 ms by then, so that times differ from those of a copy by up to one step, and
    pieces are cut before they are stretched, not after. Of the intervals, those are drawn that keep
    all notes within the tokenizer's range.

    Args:
        factors: of all times; 1 keeps them.
        semitones: intervals; 0 keeps the key.

    Raises:
        UserError: if there are none, or a factor is out of range.
    """

    def __init__(self, factors: Sequence[float], semitones: Sequence[int]) -> None:
        for name, values in (("factors", factors), ("semitones", semitones)):
            if not len(values):
                raise UserError(f"transforms.vary_performance.{name} needs at least one value")
        if not all(LEAST <= factor <= MOST for factor in factors):
            raise UserError("transforms.vary_performance.factors must be from 0.25 to 4")
        self.factors = [float(factor) for factor in factors]
        self.semitones = np.array(semitones, np.int64)
        self.layout: EventLayout | None = None

    def bind(self, tokenizer: Tokenizer[Any]) -> None:
        """Look up which ids stand for which events.

        Raises:
            UserError: if the tokenizer does not write performance events.
        """
        self.layout = tokenizer.events
        if self.layout is None:
            raise UserError(
                "vary_performance changes performance events; it needs transforms=[performance,...]"
            )

    def __call__(self, ids: Ids, generator: torch.Generator) -> Ids:
        """The example at another speed, in another key, no longer than it was."""
        if self.layout is None:
            raise RuntimeError("call bind before vary_performance is used: it has no tokenizer")
        factor = self.factors[_draw(len(self.factors), generator)]
        notes = self.layout.notes(np.asarray(ids, np.int64))
        if not len(notes.pitch):
            return ids
        least = self.layout.lowest - notes.pitch.min()
        most = self.layout.highest - notes.pitch.max()
        fitting = self.semitones[(self.semitones >= least) & (self.semitones <= most)]
        shift = fitting[_draw(len(fitting), generator)] if len(fitting) else 0
        varied = self.layout.encode(_stretched(replace(notes, pitch=notes.pitch + shift), factor))
        return varied[: len(ids)]


def _stretched(notes: EventNotes, factor: float) -> EventNotes:
    """Notes with all steps multiplied, halves upwards, each at least one step long."""
    start, end = (
        np.floor(steps * factor + 0.5).astype(np.int64) for steps in (notes.start, notes.end)
    )
    end = np.where(notes.end == OPEN, OPEN, np.maximum(end, start + 1))
    return replace(notes, start=start, end=end)


def _draw(choices: int, generator: torch.Generator) -> int:
    return int(torch.randint(choices, (), generator=generator))
