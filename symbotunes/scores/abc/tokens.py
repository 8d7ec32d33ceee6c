"""The token language of folk-rnn: what each token is, and what a list of them stands for.

``M:6/8 K:Cdor |: G 2 c (3 d e f > [ E G ] 2 - :|``: pitch and duration are tokens of their own,
durations count eighths, ``>`` and ``<`` shift length between neighbours.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

from symbotunes.scores.abc.keys import LETTERS, NATURAL, Key, parse_key
from symbotunes.scores.abc.tune import AbcError

ACCIDENTALS = {"": None, "=": 0, "^": 1, "_": -1, "^^": 2, "__": -2}
SIGNS = {alter: sign for sign, alter in ACCIDENTALS.items() if alter is not None}
_PATTERNS = {
    "meter": re.compile(r"^M:(?:none|\d+/\d+)$"),
    "key": re.compile(r"^K:[A-G](?:#|b)?(?:maj|min|dor|mix|lyd|phr|loc)$"),
    "bar": re.compile(r"^(?:\||\|:|:\||\|\d(?:[,-]\d)*)$"),
    "pitch": re.compile(r"^(?:\^\^|__|[=^_])?(?:[A-G],*|[a-g]'*)$"),
    "rest": re.compile(r"^z$"),
    "duration": re.compile(r"^(?=.)(?:\d+(?:/\d+)?|/\d+)?(?:>{1,3}|<{1,3})?$"),
    "tuplet": re.compile(r"^\(\d(?::\d:\d)?$"),
    "open": re.compile(r"^\[$"),
    "close": re.compile(r"^\]$"),
    "tie": re.compile(r"^-$"),
}


@cache
def kind(token: str) -> str:
    """What a token is: a key of the grammar, such as ``pitch``, or ``unknown``."""
    for name, pattern in _PATTERNS.items():
        if pattern.match(token):
            return name
    return "unknown"


@dataclass(frozen=True)
class Pitch:
    """A written pitch.

    Attributes:
        letter: 0 for C to 6 for B.
        octave: 4 holds middle C.
        accidental: semitones of a written accidental; ``None`` if the key or the bar decides.
        tied: whether it sounds on into the next note of its pitch.
    """

    letter: int
    octave: int
    accidental: int | None = None
    tied: bool = False

    def midi(self, alter: int) -> int:
        """MIDI number, given its alteration in semitones."""
        return 12 * (self.octave + 1) + NATURAL[self.letter] + alter

    def __str__(self) -> str:
        sign = "" if self.accidental is None else SIGNS[self.accidental]
        name = LETTERS[self.letter]
        if self.octave >= 5:
            return f"{sign}{name.lower()}{chr(39) * (self.octave - 5)}"
        return f"{sign}{name}{',' * (4 - self.octave)}"


@cache
def parse_pitch(token: str) -> Pitch:
    """Read a pitch token such as ``^c'``."""
    sign = token.rstrip(",'").rstrip("ABCDEFGabcdefg")
    name = token[len(sign)]
    octave = 4 + name.islower() + token.count("'") - token.count(",")
    return Pitch(LETTERS.index(name.upper()), octave, ACCIDENTALS[sign])


@dataclass(frozen=True)
class Sound:
    """A note, a chord or a rest.

    Attributes:
        pitches: from the lowest written to the last; none for a rest.
        eighths: written duration in eighth notes.
        broken: ``>`` or ``<`` signs between this sound and the next.
        scale: factor of the tuplet that it belongs to.
    """

    pitches: tuple[Pitch, ...]
    eighths: Fraction
    broken: str = ""
    scale: Fraction = Fraction(1)


@dataclass(frozen=True)
class Bar:
    """A bar sign: ``|``, ``|:``, ``:|``, or ``|1`` and the like, which opens an ending."""

    sign: str


LINE_END = Bar("\n")  # only between reading and normalising: the end of a line of the source


@dataclass(frozen=True)
class Tuplet:
    """``(p:q:r``: the next r sounds play p in the time of q."""

    p: int
    q: int
    r: int


Item = Sound | Bar | Tuplet


@dataclass(frozen=True)
class Phrase:
    """What a list of tokens stands for, mended where it is not well-formed.

    Attributes:
        meter: ``6/8`` or ``none``.
        key: of the signature.
        items: sounds, bar signs and tuplet marks in order; every tuplet is complete.
        problems: what had to be mended, in words.
    """

    meter: str
    key: Key
    items: tuple[Item, ...]
    problems: tuple[str, ...]

    @property
    def bar_eighths(self) -> Fraction | None:
        """Length of a full bar in eighth notes; ``None`` without meter."""
        return None if self.meter == "none" else 8 * Fraction(self.meter)


def default_q(p: int, meter: str) -> int:
    """In the time of how many a tuplet of p plays, when the notation does not say (ABC 2.1)."""
    compound = meter in ("6/8", "9/8", "12/8")
    return {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}.get(p, 3 if compound else 2)


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
    top, bottom = eighths.numerator, eighths.denominator
    number = "" if top == 1 and bottom != 1 else str(top)
    if bottom != 1:
        number += f"/{bottom}"
    return ("" if number == "1" else number) + broken


class _Reader:
    """Reads tokens one by one, dropping what cannot stand where it is."""

    def __init__(self) -> None:
        self.meter = ""
        self.key: Key | None = None
        self.items: list[Item] = []
        self.problems: dict[str, None] = {}
        self.chord: list[Pitch] | None = None
        self.open_to_duration = False  # whether the last sound may still get one
        self.last_was_chord = False

    def problem(self, text: str) -> None:
        self.problems.setdefault(text)

    def read(self, token: str) -> None:
        name = kind(token)
        if name == "unknown":
            self.problem(f"unknown token {token}")
            return
        getattr(self, f"read_{name}")(token)

    def read_meter(self, token: str) -> None:
        if self.meter or self.items:
            self.problem("a meter inside the tune")
        elif token.endswith("/0") or token.startswith("M:0/"):
            self.problem(f"impossible meter {token}")
        else:
            self.meter = token[2:]

    def read_key(self, token: str) -> None:
        if self.key or self.items:
            self.problem("a key inside the tune")
        else:
            self.key = parse_key(token[2:])

    def read_pitch(self, token: str) -> None:
        pitch = parse_pitch(token)
        if self.chord is not None:
            self.chord.append(pitch)
        else:
            self.sound((pitch,))

    def read_rest(self, token: str) -> None:  # noqa: ARG002
        if self.chord is not None:
            self.problem("a rest inside a chord")
        else:
            self.sound(())

    def sound(self, pitches: tuple[Pitch, ...]) -> None:
        self.items.append(Sound(pitches, Fraction(1)))
        self.open_to_duration = True

    def read_duration(self, token: str) -> None:
        if self.chord is not None or not self.open_to_duration:
            self.problem("a duration that follows no note")
            return
        eighths, broken = parse_duration(token)
        if not eighths:
            self.problem("a duration of nothing")
            return
        last = self.items[-1]
        assert isinstance(last, Sound)
        self.items[-1] = replace(last, eighths=eighths, broken=broken)
        self.open_to_duration = False

    def read_tie(self, token: str) -> None:  # noqa: ARG002
        if self.chord:
            self.chord[-1] = replace(self.chord[-1], tied=True)
            return
        last = self.items[-1] if self.items else None
        if self.chord is not None or not isinstance(last, Sound) or not last.pitches:
            self.problem("a tie that follows no note")
            return
        tied = tuple(replace(pitch, tied=True) for pitch in last.pitches)
        self.items[-1] = replace(last, pitches=tied)
        self.open_to_duration = False

    def read_open(self, token: str) -> None:  # noqa: ARG002
        if self.chord is not None:
            self.problem("a chord inside a chord")
        else:
            self.chord = []

    def read_close(self, token: str) -> None:  # noqa: ARG002
        if self.chord is None:
            self.problem("] without [")
        elif not self.chord:
            self.problem("an empty chord")
            self.chord = None
        else:
            pitches, self.chord = tuple(self.chord), None
            self.sound(pitches)

    def end_chord(self) -> None:
        if self.chord is not None:
            self.problem("[ without ]")
            pitches, self.chord = tuple(self.chord), None
            if pitches:
                self.sound(pitches)

    def read_bar(self, token: str) -> None:
        self.end_chord()
        self.items.append(Bar(token))
        self.open_to_duration = False

    def read_tuplet(self, token: str) -> None:
        self.end_chord()
        self.open_to_duration = False
        numbers = [int(number) for number in token[1:].split(":")]
        p = numbers[0]
        q, r = numbers[1:] if len(numbers) == 3 else (default_q(p, self.meter), p)
        if min(p, q, r) < 1:
            self.problem(f"impossible tuplet {token}")
        else:
            self.items.append(Tuplet(p, q, r))


def parse_tokens(tokens: Sequence[str]) -> Phrase:
    """What the tokens stand for; anything is read, and what is not well-formed is mended.

    Dropped: unknown tokens, durations and ties that follow no note, stray brackets, tuplets that a
    bar sign or the end cuts short, broken rhythm without a second note. Without meter or key,
    ``4/4`` and ``Cmaj`` stand in.
    """
    reader = _Reader()
    for token in tokens:
        reader.read(token)
    reader.end_chord()
    if not reader.meter:
        reader.problem("no meter")
    if reader.key is None:
        reader.problem("no key")
    items = _complete(reader.items, reader)
    if not any(isinstance(item, Sound) and item.pitches for item in items):
        reader.problem("no note")
    elif not isinstance(items[-1], Bar):
        reader.problem("no bar sign at the end")
    key = reader.key or Key(0, 0, "maj")
    return Phrase(reader.meter or "4/4", key, tuple(items), tuple(reader.problems))


def _complete(items: list[Item], reader: _Reader) -> list[Item]:
    """Mend what spans several items: repeats, tuplets, broken rhythm; scale tuplets."""
    result = _complete_tuplets(_balanced(items, reader), reader)
    before: Sound | None = None
    left, scale = 0, Fraction(1)
    for index, item in enumerate(result):
        if isinstance(item, Tuplet):
            left, scale = item.r, Fraction(item.q, item.p)
        if not isinstance(item, Sound):
            continue
        if left:
            item = replace(item, scale=scale)
            left -= 1
        if item.broken:
            after = next((one for one in result[index + 1 :] if not isinstance(one, Tuplet)), None)
            if not isinstance(after, Sound):
                reader.problem("broken rhythm without a second note")
                item = replace(item, broken="")
            elif not can_be_broken(before, item, after):
                reader.problem("broken rhythm between unequal notes")
                item = replace(item, broken="")
        result[index] = before = item
    return result


def can_be_broken(before: Sound | None, first: Sound, second: Sound) -> bool:
    """Whether broken rhythm between two sounds has a meaning: equal lengths, and no chain of it."""
    chained = before is not None and bool(before.broken)
    return first.eighths == second.eighths and not chained


def _complete_tuplets(items: list[Item], reader: _Reader) -> list[Item]:
    """Drop tuplets that a bar sign, another tuplet or the end cuts short."""
    result: list[Item] = []
    for index, item in enumerate(items):
        if isinstance(item, Tuplet):
            following = items[index + 1 : index + 1 + item.r]
            if len(following) < item.r or not all(isinstance(one, Sound) for one in following):
                reader.problem("a tuplet that is cut short")
                continue
        result.append(item)
    return result


def _balanced(items: list[Item], reader: _Reader) -> list[Item]:
    """Of several ``|:`` before a ``:|`` the last one counts; one without ``:|`` is a bar sign."""
    result = list(items)
    opened: int | None = None
    for index, item in enumerate(items):
        if not isinstance(item, Bar):
            continue
        if item.sign == "|:":
            if opened is not None:
                reader.problem("a repeat inside a repeat")
                result[opened] = Bar("|")
            opened = index
        elif item.sign == ":|":
            opened = None
    if opened is not None:
        reader.problem("a repeat that is not closed")
        result[opened] = Bar("|")
    return result


def sounding_eighths(items: Sequence[Item]) -> list[Fraction]:
    """Sounding length of every item in eighths, tuplets and broken rhythm counted; 0 for signs."""
    lengths = []
    shift = Fraction(1)
    for item in items:
        if not isinstance(item, Sound):
            lengths.append(Fraction(0))
            continue
        length = item.eighths * item.scale * shift
        small = Fraction(1, 2 ** len(item.broken))
        first, second = (2 - small, small) if item.broken.startswith(">") else (small, 2 - small)
        lengths.append(length * first if item.broken else length)
        shift = second if item.broken else Fraction(1)
    return lengths


def alterations(phrase: Phrase) -> list[tuple[int, ...]]:
    """For every item the alterations of its pitches in semitones: written, from the bar, or the key.

    An accidental holds for its letter in all octaves until the next bar sign.
    """
    signature = phrase.key.signature
    state: dict[int, int] = {}
    result = []
    for item in phrase.items:
        if isinstance(item, Bar) and item != LINE_END:
            state.clear()
        if not isinstance(item, Sound):
            result.append(())
            continue
        alters = []
        for pitch in item.pitches:
            if pitch.accidental is not None:
                state[pitch.letter] = pitch.accidental
            alters.append(state.get(pitch.letter, signature[pitch.letter]))
        result.append(tuple(alters))
    return result


def require_key(phrase: Phrase) -> Key:
    """The key that the tokens name.

    Raises:
        AbcError: if they name none.
    """
    if "no key" in phrase.problems:
        raise AbcError("no key")
    return phrase.key
