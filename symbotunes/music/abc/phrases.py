"""What a list of tokens means: notes and signs, repaired where the list is not well-formed."""

from collections.abc import Sequence
from fractions import Fraction
from functools import cache

from symbotunes.music.abc.keys import Key, parse_key
from symbotunes.music.abc.repeats import balanced_repeats
from symbotunes.music.abc.tokens import (
    ONE,
    Bar,
    Change,
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


def tied(pitch: Pitch, is_tied: bool = True) -> Pitch:
    """The pitch with or without a tie."""
    return make_pitch(pitch.letter, pitch.octave, pitch.accidental, is_tied)


class _Reader:
    """Reads tokens one by one and drops those that are not allowed where they are."""

    def __init__(self, *, changes: bool) -> None:
        self.changes = changes  # whether meter and key may change
        self.meter = ""  # the first
        self.meter_now = ""
        self.key: Key | None = None
        self.items: list[Item] = []
        self.problems: list[str] = []
        self.chord: list[Pitch] | None = None
        self.chord_eighths: Fraction | None = None  # a duration inside it, after its first note
        self.open_to_duration = False  # whether a duration may still follow the last sound

    def problem(self, text: str) -> None:
        self.problems.append(text)

    def read(self, token: str) -> None:
        name = kind(token)
        if name == "unknown":
            self.problem(f"unknown token {token}")
            return
        getattr(self, f"read_{name}")(token)

    def read_meter(self, token: str) -> None:
        if self.may_change(Bar):
            self.items.append(Change(meter=token[2:]))
        elif self.meter or self.items:
            self.problem("a meter inside the tune")
            return
        else:
            self.meter = token[2:]
        self.meter_now = token[2:]

    def read_key(self, token: str) -> None:
        if self.may_change((Bar, Change)):
            self.items.append(Change(key=parse_key(token[2:])))
        elif self.key or self.items:
            self.problem("a key inside the tune")
        else:
            self.key = parse_key(token[2:])

    def may_change(self, after: type | tuple[type, ...]) -> bool:
        """Whether meter or key may change here: in a tune that has sounds, after a bar sign."""
        if not self.changes or self.chord is not None or not self.items:
            return False
        last = self.items[-1]
        is_key = isinstance(last, Change) and last.key is not None
        sounded = any(isinstance(item, Sound) for item in self.items)
        return isinstance(last, after) and not is_key and sounded

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
            self.add_chord()

    def end_chord(self) -> None:
        if self.chord is not None:
            self.problem("[ without ]")
            self.add_chord()

    def add_chord(self) -> None:
        """Add the chord so far as a sound, if it contains notes."""
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
        q, r = rest or (default_q(p, self.meter_now or "4/4"), p)
        self.items.append(Tuplet(p, q, r))


def parse_tokens(tokens: Sequence[str], *, changes: bool = False) -> Phrase:
    """The phrase that tokens stand for; any tokens are read, and repaired if not well-formed.

    These are dropped: unknown tokens, durations and ties that follow no note, stray brackets,
    tuplets that a bar sign or the end cuts short, broken rhythm without a second note. A missing
    meter or key is replaced by ``4/4`` or ``Cmaj``.

    Args:
        tokens: of a tune.
        changes: whether meter and key may change after bar signs; else such tokens are dropped.
    """
    reader = _read(tokens, changes=changes)
    if not reader.meter:
        reader.problem("no meter")
    if reader.key is None:
        reader.problem("no key")
    items, problems = complete(reader.items)
    key = reader.key or Key(0, 0, "maj")
    mended = [*reader.problems, *problems]
    return Phrase(
        reader.meter or "4/4", key, tuple(items), tuple(dict.fromkeys(mended)), len(mended)
    )


def as_phrase(music: Sequence[str] | Phrase) -> Phrase:
    """The phrase itself, or the one parsed from tokens, so that a tune need only be parsed once."""
    return music if isinstance(music, Phrase) else parse_tokens(music)


def items_of(tokens: Sequence[str]) -> list[Item]:
    """Sounds, signs and changes as written; repeats, tuplets and broken rhythm may be incomplete.

    Every pitch token is part of a sound, in the same order.
    """
    return _read(tokens, changes=True).items


def misplaced_token(tokens: Sequence[str], *, changes: bool = False) -> tuple[str, str] | None:
    """The first token that `parse_tokens` would drop or repair, and why; ``None`` if there is none.

    What is merely incomplete at the end is not misplaced.
    """
    reader = _Reader(changes=changes)
    for token in tokens:
        reader.read(token)
        if reader.problems:
            return token, reader.problems[0]
    return None


def _read(tokens: Sequence[str], *, changes: bool) -> _Reader:
    reader = _Reader(changes=changes)
    for token in tokens:
        reader.read(token)
    reader.end_chord()
    return reader


def complete(items: Sequence[Item]) -> tuple[list[Item], list[str]]:
    """Repair what spans several items (repeats, tuplets, broken rhythm), and scale tuplets.

    Returns:
        The items, and a message for each time that something was repaired or is missing.
    """
    balanced, problems = balanced_repeats(items)
    result = scaled(_complete_tuplets(balanced, problems))
    before: Sound | None = None
    for index, item in enumerate(result):
        if not isinstance(item, Sound):
            continue
        if item.broken:
            after = next(
                (later for later in result[index + 1 :] if not isinstance(later, Tuplet)), None
            )
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
    """Whether two sounds can be a broken pair: equal lengths, and the first not in another pair."""
    chained = before is not None and bool(before.broken)
    alike = first.eighths == second.eighths and first.scale == second.scale
    return alike and not chained


def _complete_tuplets(items: Sequence[Item], problems: list[str]) -> list[Item]:
    """Drop tuplets that a bar sign, another tuplet or the end cuts short; appends to problems."""
    result: list[Item] = []
    for index, item in enumerate(items):
        if isinstance(item, Tuplet):
            following = items[index + 1 : index + 1 + item.r]
            if len(following) < item.r or not all(isinstance(sound, Sound) for sound in following):
                problems.append("a tuplet that is cut short")
                continue
        result.append(item)
    return result


def sounding_eighths(items: Sequence[Item]) -> list[Fraction]:
    """Sounding length of every item in eighths, with tuplets and broken rhythm; 0 for signs."""
    lengths = []
    shift = ONE  # factor from the broken rhythm before a sound
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
    """Length of the upbeat in eighths; 0 if there is none, or no meter."""
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
