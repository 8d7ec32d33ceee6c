"""What a list of tokens stands for: notes and signs, mended where the list is not well-formed."""

from collections.abc import Sequence
from fractions import Fraction
from functools import cache

from symbotunes.music.abc.keys import Key, parse_key
from symbotunes.music.abc.repeats import balanced_repeats
from symbotunes.music.abc.tokens import (
    LINE_END,
    ONE,
    Bar,
    Item,
    Phrase,
    Pitch,
    Sound,
    Tuplet,
    default_q,
    kind,
    make_pitch,
    parse_duration,
    parse_pitch,
)

_NOTHING = Fraction(0)
_NO_ALTERATIONS: tuple[int, ...] = ()


def tied(pitch: Pitch, is_tied: bool = True) -> Pitch:
    """The pitch with or without a tie."""
    return make_pitch(pitch.letter, pitch.octave, pitch.accidental, is_tied)


class _Reader:
    """Reads tokens one by one, dropping what cannot stand where it is."""

    def __init__(self) -> None:
        self.meter = ""
        self.key: Key | None = None
        self.items: list[Item] = []
        self.problems: dict[str, None] = {}
        self.chord: list[Pitch] | None = None
        self.chord_eighths: Fraction | None = None  # a duration inside it, behind its first note
        self.open_to_duration = False  # whether the last sound may still get one

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

    def sound(self, pitches: tuple[Pitch, ...], eighths: Fraction = ONE) -> None:
        self.items.append(Sound(pitches, eighths))
        self.open_to_duration = True

    def read_duration(self, token: str) -> None:
        eighths, broken = parse_duration(token)
        if self.chord and not broken:  # the published tunes have [ D 2 G 2 ]; the first note counts
            if len(self.chord) == 1:
                self.chord_eighths = eighths
            return
        if self.chord is not None or not self.open_to_duration:
            self.problem("a duration that follows no note")
            return
        last = self.items[-1]
        assert isinstance(last, Sound)
        self.items[-1] = Sound(last.pitches, last.eighths * eighths, broken)
        self.open_to_duration = False

    def read_tie(self, token: str) -> None:  # noqa: ARG002
        if self.chord:
            self.chord[-1] = tied(self.chord[-1])
            return
        last = self.items[-1] if self.items else None
        if self.chord is not None or not isinstance(last, Sound) or not last.pitches:
            self.problem("a tie that follows no note")
            return
        pitches = tuple(tied(pitch) for pitch in last.pitches)
        self.items[-1] = Sound(pitches, last.eighths, last.broken)
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
            self.strike()

    def end_chord(self) -> None:
        if self.chord is not None:
            self.problem("[ without ]")
            self.strike()

    def strike(self) -> None:
        """Make the chord so far a sound, if it holds notes."""
        if self.chord:
            self.sound(tuple(self.chord), self.chord_eighths or ONE)
        self.chord = self.chord_eighths = None

    def read_bar(self, token: str) -> None:
        self.end_chord()
        self.items.append(Bar(token))
        self.open_to_duration = False

    def read_tuplet(self, token: str) -> None:
        self.end_chord()
        self.open_to_duration = False
        p, *rest = (int(number) for number in token[1:].split(":"))
        q, r = rest or (default_q(p, self.meter or "4/4"), p)
        self.items.append(Tuplet(p, q, r))


def parse_tokens(tokens: Sequence[str]) -> Phrase:
    """What the tokens stand for; anything is read, and what is not well-formed is mended.

    Dropped: unknown tokens, durations and ties that follow no note, stray brackets, tuplets that a
    bar sign or the end cuts short, broken rhythm without a second note. Without meter or key,
    ``4/4`` and ``Cmaj`` stand in.
    """
    reader = _read(tokens)
    if not reader.meter:
        reader.problem("no meter")
    if reader.key is None:
        reader.problem("no key")
    items, problems = complete(reader.items)
    key = reader.key or Key(0, 0, "maj")
    return Phrase(
        reader.meter or "4/4",
        key,
        tuple(items),
        tuple(dict.fromkeys([*reader.problems, *problems])),
    )


def as_phrase(music: Sequence[str] | Phrase) -> Phrase:
    """A phrase as it is, tokens parsed: whoever needs several things of a tune parses it once."""
    return music if isinstance(music, Phrase) else parse_tokens(music)


def items_of(tokens: Sequence[str]) -> list[Item]:
    """Sounds and signs as they stand: repeats, tuplets and broken rhythm may be cut short.

    Every pitch among the tokens is part of a sound, in the same order.
    """
    return _read(tokens).items


def _read(tokens: Sequence[str]) -> _Reader:
    reader = _Reader()
    for token in tokens:
        reader.read(token)
    reader.end_chord()
    return reader


def complete(items: Sequence[Item]) -> tuple[list[Item], list[str]]:
    """Mend what spans several items: repeats, tuplets, broken rhythm; scale tuplets.

    Returns:
        The items, and what had to be mended or is missing, in words, some perhaps twice.
    """
    balanced, problems = balanced_repeats(items)
    result = scaled(_complete_tuplets(balanced, problems))
    before: Sound | None = None
    for index, item in enumerate(result):
        if not isinstance(item, Sound):
            continue
        if item.broken:
            after = next((one for one in result[index + 1 :] if not isinstance(one, Tuplet)), None)
            if not isinstance(after, Sound):
                problems.append("broken rhythm without a second note")
                item = Sound(item.pitches, item.eighths, "", item.scale)
            elif not can_be_broken(before, item, after):
                problems.append("broken rhythm between unequal notes")
                item = Sound(item.pitches, item.eighths, "", item.scale)
        result[index] = before = item
    if not any(isinstance(item, Sound) and item.pitches for item in result):
        problems.append("no note")
    elif not isinstance(result[-1], Bar):
        problems.append("no bar sign at the end")
    return result, problems


def scaled(items: Sequence[Item]) -> list[Item]:
    """The items with the factors of their tuplets."""
    result: list[Item] = []
    left, scale = 0, ONE
    for item in items:
        if isinstance(item, Tuplet):
            left, scale = item.r, Fraction(item.q, item.p)
        elif isinstance(item, Sound) and left:
            item = Sound(item.pitches, item.eighths, item.broken, scale)
            left -= 1
        result.append(item)
    return result


def can_be_broken(before: Sound | None, first: Sound, second: Sound) -> bool:
    """Whether broken rhythm between two sounds has a meaning: equal lengths, and no chain of it."""
    chained = before is not None and bool(before.broken)
    alike = first.eighths == second.eighths and first.scale == second.scale
    return alike and not chained


def _complete_tuplets(items: Sequence[Item], problems: list[str]) -> list[Item]:
    """Drop tuplets that a bar sign, another tuplet or the end cuts short; adds to the problems."""
    result: list[Item] = []
    for index, item in enumerate(items):
        if isinstance(item, Tuplet):
            following = items[index + 1 : index + 1 + item.r]
            if len(following) < item.r or not all(isinstance(one, Sound) for one in following):
                problems.append("a tuplet that is cut short")
                continue
        result.append(item)
    return result


def sounding_eighths(items: Sequence[Item]) -> list[Fraction]:
    """Sounding length of every item in eighths, tuplets and broken rhythm counted; 0 for signs."""
    lengths = []
    shift = ONE  # what the broken rhythm before a sound does to it
    for item in items:
        if not isinstance(item, Sound):
            lengths.append(_NOTHING)
            continue
        length = item.eighths
        if item.scale is not ONE:
            length *= item.scale
        if shift is not ONE:
            length *= shift
        first, shift = _shares(item.broken)
        lengths.append(length if first is ONE else length * first)
    return lengths


def upbeat_eighths(phrase: Phrase) -> Fraction:
    """Length in eighths of what stands before the first whole bar; 0 for none, or no meter."""
    full, now = phrase.bar_eighths, Fraction(0)
    for item, length in zip(phrase.items, sounding_eighths(phrase.items), strict=True):
        if isinstance(item, Bar) and now:
            return now if full is not None and now < full else _NOTHING
        now += length
    return _NOTHING


@cache
def _shares(broken: str) -> tuple[Fraction, Fraction]:
    """Factors of the first and the second sound around signs of broken rhythm."""
    if not broken:
        return ONE, ONE
    small = Fraction(1, 2 ** len(broken))
    return (2 - small, small) if broken.startswith(">") else (small, 2 - small)


def alterations(key: Key, items: Sequence[Item]) -> list[tuple[int, ...]]:
    """For every item the semitones that alter its pitches: as written, from the bar, or the key.

    An accidental holds for its letter in all octaves until the next bar sign, as in abc2midi; a tie
    carries it over the bar sign to the note that is tied, not to others.
    """
    signature = key.signature
    state: dict[int, int] = {}
    held: dict[tuple[int, int], int] = {}  # letter and octave of what the last sound ties on
    result = []
    for item in items:
        if not isinstance(item, Sound):
            if isinstance(item, Bar) and item is not LINE_END:
                state.clear()
            result.append(_NO_ALTERATIONS)
            continue
        alters = []
        for pitch in item.pitches:
            if pitch.accidental is not None:
                state[pitch.letter] = pitch.accidental
            alter = state.get(pitch.letter, signature[pitch.letter])
            if held and pitch.accidental is None:
                alter = held.get((pitch.letter, pitch.octave), alter)
            alters.append(alter)
        result.append(tuple(alters))
        held = {
            (pitch.letter, pitch.octave): alter
            for pitch, alter in zip(item.pitches, alters, strict=True)
            if pitch.tied
        }
    return result
