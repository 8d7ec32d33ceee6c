"""Augmentation: notes of training pieces as controls, which are given before their time."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from symbotunes.errors import UserError
from symbotunes.music.arrival.anticipation import with_controls, without_rests
from symbotunes.music.arrival.clock import unwrapped, wrapped
from symbotunes.music.arrival.vocabulary import (
    ANTICIPATE,
    AUTOREGRESS,
    TRIPLET,
    UNITS_PER_SECOND,
    Triplets,
    instruments,
    times,
)
from symbotunes.tokenizers.base import Ids, Tokenizer

RATES = 10  # a random choice takes 1 to 9 tenths of all notes
Chosen = NDArray[np.bool_]


class Anticipate:
    """Makes some notes of each piece controls, chosen anew each time in one of three ways.

    With it, a model learns to write music to notes that it knows 5 s ahead: some spans of time,
    some instruments, or any notes. The example then begins with its flag: ``AUTOREGRESS`` if
    nothing was to be chosen, else ``ANTICIPATE``, even where the choice is empty, as for a piece of
    a single instrument.

    The authors make 30 copies of each piece, in fixed numbers of each kind; here the shares are
    probabilities.

    Args:
        spans: share of draws that choose all notes in spans of time.
        instruments: share that chooses some instruments, but not all.
        random: share that chooses each note with a probability of 0.1, 0.2, ... or 0.9.
        span_seconds: length of a span.
        gap_seconds: mean time from the end of a span to the next, exponentially distributed.

    Raises:
        UserError: if a value is out of range.
    """

    NEEDS_BLOCKS = True

    def __init__(
        self,
        spans: float = 0.1,
        instruments: float = 0.4,
        random: float = 0.4,
        span_seconds: float = 5.0,
        gap_seconds: float = 20.0,
    ) -> None:
        shares = {"spans": spans, "instruments": instruments, "random": random}
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise UserError(f"transforms.anticipate.{name}={share}: must be from 0 to 1")
        if sum(shares.values()) > 1 + 1e-9:
            raise UserError(
                f"transforms.anticipate: spans, instruments and random add up to "
                f"{sum(shares.values()):g}: must be at most 1"
            )
        for name, seconds in (("span_seconds", span_seconds), ("gap_seconds", gap_seconds)):
            if not seconds > 0:
                raise UserError(f"transforms.anticipate.{name}={seconds}: must be above 0")
        self.shares = shares
        self.span = round(span_seconds * UNITS_PER_SECOND)
        self.gap = gap_seconds * UNITS_PER_SECOND

    def bind(self, tokenizer: Tokenizer[Any]) -> None:
        """See that ids are triplets.

        Raises:
            UserError: if they are not.
        """
        if not tokenizer.TRIPLETS:
            raise UserError(
                "anticipate makes controls of arrival times; it needs "
                "transforms=[arrival_times,anticipate]"
            )

    def __call__(self, ids: Ids, generator: torch.Generator) -> Ids:
        """The flag of a piece and its triplets."""
        kind = self._kind(generator)
        if kind is None:
            return np.append(AUTOREGRESS, ids)
        triplets = unwrapped(np.asarray(ids, np.int64).reshape(-1, TRIPLET))
        events = without_rests(triplets)
        chosen = self._choose(kind, events, generator)
        return np.append(ANTICIPATE, wrapped(with_controls(events, chosen)).flatten())

    def _kind(self, generator: torch.Generator) -> str | None:
        drawn = float(torch.rand((), generator=generator, dtype=torch.float64))
        for name, share in self.shares.items():
            if drawn < share:
                return name
            drawn -= share
        return None

    def _choose(self, kind: str, events: Triplets, generator: torch.Generator) -> Chosen:
        if kind == "spans":
            return self._spans(times(events), generator)
        if kind == "instruments":
            return some_instruments(events, generator)
        rate = int(torch.randint(1, RATES, (), generator=generator)) / RATES
        drawn = torch.rand(len(events), generator=generator, dtype=torch.float64)
        return drawn.numpy() < rate

    def _spans(self, onsets: NDArray[np.int64], generator: torch.Generator) -> Chosen:
        """Notes in spans, each of which begins with a note, after a gap from the first note on."""
        chosen = np.zeros(len(onsets), np.bool_)
        first = 0
        while first < len(onsets):
            gap = torch.zeros((), dtype=torch.float64).exponential_(generator=generator)
            begin = int(np.searchsorted(onsets, onsets[first] + int(self.gap * float(gap))))
            if begin == len(onsets):
                break
            first = int(np.searchsorted(onsets, onsets[begin] + self.span))
            chosen[begin:first] = True
        return chosen


def some_instruments(events: Triplets, generator: torch.Generator) -> Chosen:
    """The notes of at least one instrument and not of all; of a single one, none."""
    present = np.unique(instruments(events))
    if len(present) < 2:
        return np.zeros(len(events), np.bool_)
    count = int(torch.randint(1, len(present), (), generator=generator))
    order = torch.randperm(len(present), generator=generator)[:count].numpy()
    return np.isin(instruments(events), present[order])
