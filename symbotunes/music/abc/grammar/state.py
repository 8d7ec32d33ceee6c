"""The state of the grammar while a tune is being written."""

from enum import IntEnum
from typing import NamedTuple

from symbotunes.music.abc.tokens import Pitch


class Phase(IntEnum):
    """What was read last."""

    START = 0
    METER = 1
    KEY = 2
    GOING = 3  # a sign after which music must follow
    BAR = 4
    CLOSED = 5  # :|
    LAST = 6  # a bar sign that closes a short last bar
    NEW_METER = 7
    NEW_KEY = 8
    TUPLET = 9
    CHORD = 10  # [ and the pitches after it
    SOUND = 11  # a note, chord or rest whose length may follow
    TIMED = 12  # a sound whose length is known
    TIED = 13
    END = 14


class Ending(IntEnum):
    """Which variant ending the tune is in."""

    NONE = 0
    FIRST = 1
    BETWEEN = 2  # after the :| of the first: |2 must follow
    SECOND = 3


class Repeat(IntEnum):
    """What a ``:|`` would go back to."""

    BEGINNING = 0
    SIGN = 1
    NOTHING = 2


class State(NamedTuple):
    """All that the grammar needs to know about the tokens so far; lengths in cells.

    Attributes:
        phase: what was read last.
        meter: ``6/8`` and the like.
        full: length of a bar; 0 without meter.
        left: what is missing from the bar; tuplets and broken pairs count in full from their first
            length on.
        upbeat: length up to the first bar sign; 0 while it is unknown.
        start: what was missing from the bar where the repeat began; 0 while it is unknown.
        pickup: length of an upbeat right before the ``|:`` of this strain, which its last bar may
            leave room for; 0 if there is none.
        repeat: what a ``:|`` would go back to.
        ending: which variant ending the tune is in.
        split: whether a repeat sign splits the bar.
        sounded: whether a note has been written.
        twin: length of the second sound of a broken pair, which must follow; or 0.
        group: sounds missing from a tuplet.
        group_length: written length of each; 0 while it is unknown.
        ratio: ``(p, q)`` of a tuplet: p sounds in the time of q.
        last: the note that may be tied.
        held: the tied note that must continue.
        chord: letter and octave of the pitches in an open chord.
        bars: complete bars of the tune, or of the strain, counted by a `FormGrammar` alone.
        counted: whether the bar that goes on after a ``:|`` is among them.
        strain: index of the strain.
        fork: bars before the first ending of the strain; 0 if there is none.
    """

    phase: Phase = Phase.START
    meter: str = ""
    full: int = 0
    left: int = 0
    upbeat: int = 0
    start: int = 0
    pickup: int = 0
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
    bars: int = 0
    counted: bool = False
    strain: int = 0
    fork: int = 0

    @property
    def is_closed(self) -> bool:
        """Whether all repeats and first endings are closed."""
        is_open = self.ending in (Ending.FIRST, Ending.BETWEEN)
        return self.repeat != Repeat.SIGN and not is_open

    @property
    def can_end(self) -> bool:
        """Whether the tune may end here."""
        at_sign = self.phase in (Phase.BAR, Phase.CLOSED, Phase.LAST)
        return at_sign and self.is_closed and self.held is None
