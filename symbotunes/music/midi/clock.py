"""The tempos and meters of a file, on whatever tracks they stand."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from symbotunes.music.midi.decoding import Integers
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.smf import Walk

MICROSECONDS = 500_000  # per quarter, where no tempo is stated
COMMON_TIME = (4, 4)  # where no meter is stated


@dataclass(frozen=True)
class Clock:
    """Tempos and meters as they are stated, in order of their ticks.

    Attributes:
        tempos: (tick, microseconds per quarter).
        meters: (tick, numerator, denominator).
    """

    tempos: tuple[tuple[int, int], ...]
    meters: tuple[tuple[int, int, int], ...]

    def until(self, end: int) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
        """The changes of tempo and of meter before a tick; two clocks agree if these are equal.

        Of several at one tick the last counts, and one to what holds already is none.
        """
        return (
            _changes(self.tempos, (MICROSECONDS,), end),
            _changes(self.meters, COMMON_TIME, end),
        )

    def breaks_bars(self, end: int, ticks_per_quarter: int) -> bool:
        """Whether a tempo changes inside a bar, before a tick."""
        tempos, meters = self.until(end)
        lines = [(0, *COMMON_TIME), *meters]
        for tick, _ in tempos:
            start, top, bottom = [line for line in lines if line[0] <= tick][-1]
            if (tick - start) * bottom % (4 * top * ticks_per_quarter):
                return True
        return False


def clock_of(walked: Walk, ticks: Integers) -> Clock:
    """The clock of all tracks; of several changes at one tick, the last track's comes last.

    Args:
        walked: positions of the events.
        ticks: [events] of each.

    Raises:
        MidiError: if a tempo or a meter is zero.
    """
    if any(tempo == 0 for _, tempo in walked.tempos):
        raise MidiError("zero tempo")
    if any(numerator == 0 for _, numerator, _ in walked.meters):
        raise MidiError("bad time signature")

    def tick(event: int) -> int:
        return int(ticks[np.searchsorted(walked.starts, event)])

    tempos = [(tick(event), tempo) for event, tempo in walked.tempos]
    meters = [(tick(event), top, bottom) for event, top, bottom in walked.meters]
    return Clock(
        tuple(sorted(tempos, key=lambda tempo: tempo[0])),
        tuple(sorted(meters, key=lambda meter: meter[0])),
    )


def _changes(
    stated: Iterable[tuple[int, ...]], value: tuple[int, ...], end: int
) -> list[tuple[int, ...]]:
    changes = {change[0]: change[1:] for change in stated if change[0] < end}
    heard: list[tuple[int, ...]] = []
    for tick, new in changes.items():
        if new != value:
            heard.append((tick, *new))
        value = new
    return heard
