"""Which ids may follow one another, so that whatever a model writes is music."""

from collections.abc import Set
from dataclasses import dataclass

from symbotunes.music.arrival.anticipation import DENSITY
from symbotunes.music.arrival.instruments import notes_of
from symbotunes.music.arrival.vocabulary import (
    DRUMS,
    DURATION,
    INSTRUMENTS,
    MAX_TIME,
    MOST_INSTRUMENTS,
    NOTE,
    REST,
    TIME,
)

RESTS = DRUMS + 1  # the number that a rest would have as an instrument


@dataclass(frozen=True)
class EventGrammar:
    """An event is a time, a duration and a note, and none is earlier than the one before.

    The masks of the authors differ: they also leave rests open in the place of times and durations,
    count rests as an instrument, allow fifteen instruments, and let the times of a window run
    beyond the last id of a time, where their sampler ends without a word.

    Attributes:
        instruments: different ones in a piece, given ones included.
        only: instruments whose notes are written; ``None``: all.
        span: units between the earliest and the latest time of a window; a model has seen rests
            after at most a second, so the next event has a time, too.
    """

    instruments: int = MOST_INSTRUMENTS
    only: frozenset[int] | None = None
    span: int | None = MAX_TIME - 1 - DENSITY

    def allowed(self, slot: int, earliest: int, sounding: Set[int]) -> list[range]:
        """Ranges of the ids that may follow, in order.

        Args:
            slot: place in the event: 0 for its time, 1 for its duration, 2 for its note.
            earliest: units from the beginning of the window before which it may not be.
            sounding: instruments of everything before it, `RESTS` for rests.
        """
        if slot == 0:
            return [range(TIME + max(0, earliest), TIME + MAX_TIME)]
        if slot == 1:
            return [range(DURATION, NOTE)]
        return self._notes(sounding)

    def _notes(self, sounding: Set[int]) -> list[range]:
        known = sounding - {RESTS}
        may = frozenset(range(INSTRUMENTS)) if self.only is None else self.only
        if len(known) >= self.instruments:
            may &= known
        elif self.only is None:
            return [range(NOTE, REST + 1)]
        return [*(notes_of(instrument) for instrument in sorted(may)), range(REST, REST + 1)]
