"""The token language of Folk-RNN: what each token is, and the notes and signs it stands for.

``M:6/8 K:Cdor |: G 2 c (3 d e f > [ E G ] 2 - :|``: pitch and duration are separate tokens,
durations are in eighths, ``>`` and ``<`` shift length between neighbors.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from symbotunes.music.abc.keys import LETTERS, NATURAL, Key

ONE = Fraction(1)
OCTAVES = range(0, 9)  # that tokens can write: from C,,,, to b'''
MAX_NUMBER = 999  # of eighths or of their parts: larger numbers are typos
ACCIDENTALS = {"": None, "=": 0, "^": 1, "_": -1, "^^": 2, "__": -2}
SIGNS = {alter: sign for sign, alter in ACCIDENTALS.items() if alter is not None}
NOT_MUSIC = ("meter", "key", "bar")  # kinds of tokens between the music of bars
_PATTERNS = {
    "meter": re.compile(r"M:(?:none|[1-9][0-9]?/(?:1|2|4|8|16|32))"),
    "key": re.compile(r"K:[A-G](?:#|b)?(?:maj|min|dor|mix|lyd|phr|loc)"),
    "bar": re.compile(r"\||\|:|:\||\|[1-9](?:[,-][1-9])*"),
    "pitch": re.compile(r"(?:\^\^|__|[=^_])?(?:[A-G],{0,4}|[a-g]'{0,3})"),
    "rest": re.compile(r"z"),
    "duration": re.compile(
        r"(?=.)(?:[1-9][0-9]{0,2}(?:/[1-9][0-9]{0,2})?|/[1-9][0-9]{0,2})?(?:>{1,3}|<{1,3})?"
    ),
    "tuplet": re.compile(r"\([2-9](?::[1-9]:[1-9])?"),
    "open": re.compile(r"\["),
    "close": re.compile(r"\]"),
    "tie": re.compile(r"-"),
}


@cache
def kind(token: str) -> str:
    """What a token is: a key of the grammar, such as ``pitch``, or ``unknown``."""
    for name, pattern in _PATTERNS.items():
        if pattern.fullmatch(token):
            return name
    return "unknown"


@dataclass(frozen=True)
class Pitch:
    """A written pitch.

    Attributes:
        letter: 0 for C to 6 for B.
        octave: 4 begins with middle C.
        accidental: semitones of a written accidental; ``None`` if the key or the bar decides.
        tied: whether it is tied to the next note of its pitch.
    """

    letter: int
    octave: int
    accidental: int | None = None
    tied: bool = False

    def midi(self, alter: int) -> int:
        """MIDI number, given its alteration in semitones."""
        return 12 * (self.octave + 1) + NATURAL[self.letter] + alter

    def __str__(self) -> str:
        return pitch_token(self.letter, self.octave, self.accidental)


@cache  # tunes use a few hundred pitches; without the cache, reading the corpus is slow
def make_pitch(letter: int, octave: int, accidental: int | None, tied: bool) -> Pitch:
    """A `Pitch`, the same object every time."""
    return Pitch(letter, octave, accidental, tied)


@cache
def pitch_token(letter: int, octave: int, accidental: int | None) -> str:
    """The token of a pitch, such as ``^c'``."""
    sign = "" if accidental is None else SIGNS[accidental]
    name = LETTERS[letter]
    if octave >= 5:
        return f"{sign}{name.lower()}{chr(39) * (octave - 5)}"
    return f"{sign}{name}{',' * (4 - octave)}"


@cache
def parse_pitch(token: str) -> Pitch:
    """Read a pitch token such as ``^c'``."""
    sign = token.rstrip(",'").rstrip("ABCDEFGabcdefg")
    name = token[len(sign)]
    octave = 4 + name.islower() + token.count("'") - token.count(",")
    return make_pitch(LETTERS.index(name.upper()), octave, ACCIDENTALS[sign], False)


@dataclass(frozen=True, slots=True)
class Sound:
    """A note, a chord or a rest.

    Attributes:
        pitches: in the order written; none for a rest.
        eighths: written duration in eighth notes.
        broken: ``>`` or ``<`` signs between this sound and the next.
        scale: factor of the tuplet that it is part of.
    """

    pitches: tuple[Pitch, ...]
    eighths: Fraction
    broken: str = ""
    scale: Fraction = ONE


@dataclass(frozen=True)
class Bar:
    """A bar sign: ``|``, ``|:``, ``:|``, or ``|1`` and the like, which opens an ending."""

    sign: str


LINE_END = Bar("\n")  # the end of a line of the source; removed by normalization


@dataclass(frozen=True)
class Tuplet:
    """``(p:q:r``: the next r sounds play p in the time of q."""

    p: int
    q: int
    r: int


@dataclass(frozen=True)
class Change:
    """Another meter or another key, right after a bar sign.

    Attributes:
        meter: ``6/8`` or ``none``; ``None`` if the key changes.
        key: ``None`` if the meter changes.
    """

    meter: str | None = None
    key: Key | None = None

    def __str__(self) -> str:
        return f"M:{self.meter}" if self.meter is not None else f"K:{self.key}"


Item = Sound | Bar | Tuplet | Change


@dataclass(frozen=True)
class Phrase:
    """What a list of tokens means, repaired where it is not well-formed.

    Attributes:
        meter: ``6/8`` or ``none``.
        key: of the signature.
        items: sounds, bar signs, tuplet marks and changes in order; every tuplet is complete.
        problems: messages on what was repaired, without duplicates.
        errors: how many times something was repaired or missing.
    """

    meter: str
    key: Key
    items: tuple[Item, ...]
    problems: tuple[str, ...]
    errors: int = 0

    @property
    def bar_eighths(self) -> Fraction | None:
        """Length of a full bar in eighth notes, at the beginning; ``None`` without meter."""
        return bar_eighths(self.meter)


def bar_eighths(meter: str) -> Fraction | None:
    """Length of a full bar in eighth notes; ``None`` without meter."""
    return None if meter == "none" else 8 * Fraction(meter)


def default_q(p: int, meter: str) -> int:
    """The number of notes in whose time a tuplet of p is played, if the notation does not say.

    As in ABC 2.1, except for quintuplets and the like in 3/4, 3/2 and so on, which the standard
    does not treat as compound meters; abc2midi does.
    """
    beats = meter.partition("/")[0]
    compound = beats.isdecimal() and int(beats) % 3 == 0
    return {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}.get(p, 3 if compound else 2)


@cache
def parse_duration(token: str) -> tuple[Fraction, str]:
    """Eighths and broken-rhythm signs of a duration token such as ``3/2``, ``/2>`` or ``<``."""
    number = token.rstrip("<>")
    signs = token[len(number) :]
    if not number:
        return Fraction(1), signs
    top, _, bottom = number.partition("/")
    return Fraction(int(top or 1), int(bottom or 1)), signs


def duration_token(eighths: Fraction, broken: str = "") -> str:
    """The token of a duration; empty for a plain eighth."""
    return _duration_token(eighths.numerator, eighths.denominator, broken)


@cache  # takes whole numbers, because hashing a fraction takes longer than writing it
def _duration_token(top: int, bottom: int, broken: str) -> str:
    number = "" if top == 1 and bottom != 1 else str(top)
    if bottom != 1:
        number += f"/{bottom}"
    return ("" if number == "1" else number) + broken
