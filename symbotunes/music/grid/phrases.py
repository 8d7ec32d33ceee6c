"""Phrases (music without long silences), laid end to end, and windows that slide over them."""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.grid.quantize import STEPS_PER_BAR
from symbotunes.music.midi.decoding import Integers
from symbotunes.music.midi.error import MidiError

GAP_STEPS = STEPS_PER_BAR  # a silence as long as this ends a phrase
MAX_PHRASE_STEPS = 100 * STEPS_PER_BAR  # the rest is dropped
MAX_STEPS = 2**20  # of all phrases of a file, 65,536 bars: real files have less than half


@dataclass(frozen=True)
class Placed:
    """Windows, and where in the piece each comes from.

    Attributes:
        rows: [W, T] or [W, T, F] classes.
        section: [W] number of the section of the grid.
        step: [W] first step, from the beginning of the section.
        instruments: [W, I] that play: one for melodies, three for trios, none for drums.
    """

    rows: NDArray[Any]
    section: Integers
    step: Integers
    instruments: Integers

    def where(self, chosen: Integers) -> "Placed":
        """Only the windows with these indices."""
        return Placed(**{name: value[chosen] for name, value in vars(self).items()})


@dataclass(frozen=True)
class Phrases:
    """Where each phrase lies in one array of steps that holds them all.

    Phrases begin and end at bar lines.

    Attributes:
        line: [P] which line each phrase belongs to.
        position: [N] step of each event in the array, even if past the end of its phrase.
        offset: [P] step at which each phrase begins in the array.
        begin: [P] step at which it begins in the piece.
        length: [P] steps of each phrase.
        shift: [N] what to add to a step of the piece to get a step of the array.
        limit: [N] end of the event's phrase in the array.
    """

    line: Integers
    position: Integers
    offset: Integers
    begin: Integers
    length: Integers
    shift: Integers
    limit: Integers

    @property
    def total(self) -> int:
        """Steps of all phrases."""
        return int(self.length.sum())

    def windows(self, bars: int) -> tuple[Integers, Integers, Integers]:
        """Where windows of the given number of bars begin, one at every bar line.

        Returns:
            Positions in the array [W], steps in the piece [W], and the lines that they belong to
            [W].
        """
        counts = np.maximum(self.length // STEPS_PER_BAR - bars + 1, 0)
        first = np.repeat(np.cumsum(counts) - counts, counts)
        bar = np.arange(len(first)) - first
        positions = np.repeat(self.offset, counts) + bar * STEPS_PER_BAR
        steps = np.repeat(self.begin, counts) + bar * STEPS_PER_BAR
        return positions, steps, np.repeat(self.line, counts)


def find_phrases(line: Integers, start: Integers, end: Integers) -> Phrases:
    """Split lines of events at silences of at least one bar.

    Args:
        line: [N] which line each event belongs to, ascending.
        start: [N] steps, strictly ascending within a line.
        end: [N] steps; the last event of a phrase decides where the phrase ends.

    Raises:
        MidiError: if the phrases are too long.
    """
    is_first = np.ones(len(line), np.bool_)
    is_first[1:] = (line[1:] != line[:-1]) | (start[1:] - end[:-1] >= GAP_STEPS)
    firsts = np.flatnonzero(is_first)
    lasts = np.append(firsts[1:], len(line)) - 1
    begin = start[firsts] // STEPS_PER_BAR * STEPS_PER_BAR
    length = -(-(end[lasts] - begin) // STEPS_PER_BAR) * STEPS_PER_BAR
    length = np.minimum(length, MAX_PHRASE_STEPS)
    if length.sum() > MAX_STEPS:
        raise MidiError("too long")
    offset = np.cumsum(length) - length
    of = np.cumsum(is_first) - 1  # phrase of each event
    shift = (offset - begin)[of]
    return Phrases(
        line=line[firsts],
        position=start + shift,
        offset=offset,
        begin=begin,
        length=length,
        shift=shift,
        limit=(offset + length)[of],
    )


def distinct(rows: NDArray[np.generic], group: Integers | None) -> Integers:
    """Indices of the rows [W, T] that repeat no earlier row, or none of their group [W]."""
    if len(rows) == 0:
        return np.zeros(0, np.int64)
    size, raw = rows[0].nbytes, rows.tobytes()
    keys = [raw[at : at + size] for at in range(0, len(raw), size)]
    groups = itertools.repeat(0) if group is None else group.tolist()
    first: dict[tuple[int, bytes], int] = {}
    for index, key in enumerate(zip(groups, keys, strict=False)):
        first.setdefault(key, index)
    return np.array(list(first.values()))


def choose(count: int, limit: int | None, generator: np.random.Generator | None) -> Integers:
    """Indices of at most ``limit`` of ``count`` examples: chosen by a generator, or else the first.

    Chosen indices are in ascending order; all subsets are equally likely.
    """
    if limit is None or count <= limit:
        return np.arange(count)
    if generator is None:
        return np.arange(limit)
    return np.sort(generator.choice(count, limit, replace=False))
