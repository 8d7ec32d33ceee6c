"""Stretches of music between signs: what surrounds them, and how long they should be.

A stretch is a bar, or a part of one where a repeat sign splits it. Tunes as people wrote them have
bars that are too short or too long: slips, a change of meter that nobody wrote down, a strain whose
upbeat completes the last bar of the one before it. So how long a stretch should be is told from
its neighbors, whether the rest of the tune is in order or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import groupby

from symbotunes.music.abc.phrases import parse_tokens, sounding_eighths
from symbotunes.music.abc.tokens import NOT_MUSIC, Pitch, bar_eighths, kind, parse_pitch

PLAIN = ("|",)  # the only signs that a tie leads across


@dataclass(frozen=True)
class Stretch:
    """Music between two signs.

    Attributes:
        tokens: of the music.
        before: signs, meters and keys between it and the stretch before it, or the beginning.
        after: those between it and the next stretch, or the end.
        meter: in force, ``6/8`` or ``none``.
        is_last: whether no other stretch follows.
    """

    tokens: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    meter: str
    is_last: bool

    @cached_property
    def eighths(self) -> Fraction:
        """Its sounding length."""
        phrase = parse_tokens([f"M:{self.meter}", "K:Cmaj", *self.tokens])
        return sum(sounding_eighths(phrase.items), Fraction(0))

    @property
    def full(self) -> Fraction | None:
        """Length of a bar of its meter in eighths; ``None`` without meter."""
        return bar_eighths(self.meter)

    @property
    def is_at_edge(self) -> bool:
        """Whether a repeat, an ending, the beginning or the end is beside it."""
        signs = [token for token in (*self.before, *self.after) if kind(token) == "bar"]
        is_first = not self.before or kind(self.before[0]) != "bar"
        return is_first or self.is_last or any(sign != "|" for sign in signs)

    @property
    def has_notes(self) -> bool:
        """Whether it holds more than rests."""
        return any(kind(token) == "pitch" for token in self.tokens)

    @property
    def first_pitch(self) -> Pitch | None:
        """The pitch of the note that it begins with; ``None`` if it begins otherwise."""
        return parse_pitch(self.tokens[0]) if kind(self.tokens[0]) == "pitch" else None

    @property
    def tied_pitch(self) -> Pitch | None:
        """The pitch of the note that it ends with, if a tie leads from there to what follows it."""
        if self.tokens[-1] != "-" or self.after != PLAIN:
            return None
        note = [token for token in self.tokens[-3:-1] if kind(token) != "duration"]
        return parse_pitch(note[-1]) if note and kind(note[-1]) == "pitch" else None


def stretches_of(tokens: Sequence[str]) -> list[Stretch]:
    """The stretches of a tune, in order; `stretches_by_bar` gives them the same numbers."""
    groups = [
        (is_sign, tuple(group))
        for is_sign, group in groupby(tokens, lambda token: kind(token) in NOT_MUSIC)
    ]
    meter = "4/4"  # where tokens give none, see `parse_tokens`
    stretches: list[Stretch] = []
    for index, (is_sign, group) in enumerate(groups):
        if is_sign:
            meters = [token[2:] for token in group if kind(token) == "meter"]
            meter = meters[-1] if meters else meter
            continue
        before = groups[index - 1][1] if index else ()
        after = groups[index + 1][1] if index + 1 < len(groups) else ()
        stretches.append(Stretch(group, before, after, meter, index + 2 >= len(groups)))
    return stretches


def right_eighths(stretches: Sequence[Stretch]) -> list[Fraction | None]:
    """The length that each stretch of a tune should have; ``None`` without meter.

    That is the length of a bar of its meter, unless it is a part of one: an upbeat at the
    beginning, or what a neighbor, or another short stretch at an edge, completes (see
    `check_bars`).
    """
    return [_right_length(stretches, index) for index in range(len(stretches))]


def _right_length(stretches: Sequence[Stretch], index: int) -> Fraction | None:
    stretch = stretches[index]
    full, length = stretch.full, stretch.eighths
    if full is None:
        return None
    if not 0 < length < full:
        return full
    neighbors = [*stretches[max(0, index - 1) : index], *stretches[index + 1 : index + 2]]
    others = [
        other
        for number, other in enumerate(stretches)
        if number != index and stretch.is_at_edge and other.is_at_edge and other.full == full
    ]
    is_part = any(other.eighths == full - length for other in (*neighbors, *others))
    return length if index == 0 or is_part else full
