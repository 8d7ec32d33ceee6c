"""Where in its grammar a tune is, while it is written."""

from enum import IntEnum
from typing import NamedTuple

from symbotunes.music.abc.tokens import Pitch


class Phase(IntEnum):
    """What was read last."""

    START = 0
    METER = 1
    KEY = 2
    GOING = 3  # a sign that music must follow
    BAR = 4
    CLOSED = 5  # :|
    LAST = 6  # a bar sign that closes a short last bar
    TUPLET = 7
    CHORD = 8  # [ and what is in it
    SOUND = 9  # its length may follow
    TIMED = 10
    TIED = 11
    END = 12


class Ending(IntEnum):
    """Where in variant endings a tune is."""

    NONE = 0
    FIRST = 1
    BETWEEN = 2  # behind the :| of the first: |2 must follow
    SECOND = 3


class Repeat(IntEnum):
    """What a ``:|`` would go back to."""

    BEGINNING = 0
    SIGN = 1
    NOTHING = 2


class State(NamedTuple):
    """All that the grammar must know of the tokens so far; lengths in cells.

    Attributes:
        phase: what was read last.
        meter: ``6/8`` and the like.
        full: length of a bar; 0 without meter.
        left: what the bar still lacks; tuplets and broken pairs are paid when they begin.
        upbeat: length up to the first bar sign; 0 while it is unknown.
        start: what the bar lacked where the repeat began; 0 while it is unknown.
        repeat: what a ``:|`` would go back to.
        ending: where in variant endings.
        split: whether a sign of repeat stands inside the bar.
        sounded: whether a note has been written.
        twin: length of the second sound of a broken pair that must follow, or 0.
        group: sounds that a tuplet still lacks.
        group_length: the written length of each; 0 while it is unknown.
        ratio: what a tuplet plays in the time of what, as ``(p, q)``.
        last: the note that may be tied.
        held: the note that must follow a tie.
        chord: letter and octave of what is in an open chord.
    """

    phase: Phase = Phase.START
    meter: str = ""
    full: int = 0
    left: int = 0
    upbeat: int = 0
    start: int = 0
    repeat: Repeat = Repeat.BEGINNING
    ending: Ending = Ending.NONE
    split: bool = False
    sounded: bool = False
    twin: int = 0
    group: int = 0
    group_length: int = 0
    ratio: tuple[int, int] = (1, 1)
    last: Pitch | None = None
    held: Pitch | None = None
    chord: tuple[tuple[int, int], ...] = ()

    @property
    def is_closed(self) -> bool:
        """Whether neither a repeat nor a first ending waits for its end."""
        waiting = self.ending in (Ending.FIRST, Ending.BETWEEN)
        return self.repeat != Repeat.SIGN and not waiting

    @property
    def can_end(self) -> bool:
        """Whether the tune may end here."""
        at_sign = self.phase in (Phase.BAR, Phase.CLOSED, Phase.LAST)
        return at_sign and self.is_closed and self.held is None
