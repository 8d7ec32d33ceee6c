"""Reading ABC notation: from the text of one tune to its sounds and bar signs.

Follows the ABC standard 2.1 where published tunes do, and abc2midi's playback where they do not.
Only the first of several voices is read. Lyrics, order of parts, ornaments, grace notes, chord
names, slurs and layout are ignored.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symbotunes.music.abc.accidentals import written_out
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import Key, parse_key_field
from symbotunes.music.abc.lengths import factor, parse_meter, parse_unit
from symbotunes.music.abc.phrases import tied
from symbotunes.music.abc.tokens import (
    LINE_END,
    MAX_NUMBER,
    Bar,
    Item,
    Pitch,
    Sound,
    Tuplet,
    default_q,
    kind,
    parse_pitch,
)

# [0-9], because `\d` also matches digits of other scripts.
_NOTE = re.compile(r"((?:\^\^|__|\^|_|=)?[A-Ga-g][,']*)([0-9]*)((?:/[0-9]*)*)")
_REST = re.compile(r"([zxZX])([0-9]*)((?:/[0-9]*)*)")
_LENGTH = re.compile(r"([0-9]*)((?:/[0-9]*)*)")
_TUPLET = re.compile(r"\(([2-9])(?::([0-9]?))?(?::([0-9]?))?")
_BAR = re.compile(r":*\[?\|[|\]:]*|::+")
_ENDING = re.compile(r"[ \t]*\[?[ \t]*([1-9](?:[,-][1-9])*)")
_BRACKET_ENDING = re.compile(r"\[[ \t]*([1-9](?:[,-][1-9])*)")
_INLINE = re.compile(r"\[([A-Za-z]):([^\]\n]*)\]")
_FIELD = re.compile(r"^([A-Za-z+]):(?![|:])(.*)$")  # not A:| and A::, a note before a bar sign
_COMMENT = re.compile(r"(?<!\\)%.*$")
_BROKEN = re.compile(r">+|<+")
# A single ! or + is an old sign for the end of a line, so music may stand between two of them.
_SKIP = re.compile(r'"[^"\n]*"|![^!|\n]+!|\{[^}|]*\}|\+[^+|\n]+\+')
_MICROTONE = re.compile(r"[\^_](?:[0-9]{1,3}(?:/[0-9]{1,3})?|/[0-9]{0,3})[A-Ga-g]")
_TEXT_BLOCK = re.compile(r"^%%[ \t]*begin(\w+).*?^%%[ \t]*end\1", re.MULTILINE | re.DOTALL)
MAX_BARS_OF_REST = 99
_NOTE_STARTS = frozenset("ABCDEFGabcdefg^_=")
_MINOR = frozenset(" \t\\`$*)yu~.HIJKLMNOPQRSTUVWhijklmnopqrstvw;@#?-]0123456789>',<}!+/&")


@dataclass(frozen=True)
class ParsedTune:
    """A tune as it is notated.

    Attributes:
        meter: ``6/8`` and the like, or ``none``.
        key: the tonic and mode. If the signature has accidentals that the mode does not have, every
            note has its accidental written out.
        items: sounds, bar signs and tuplet marks in order, lengths in eighth notes.
    """

    meter: str
    key: Key
    items: tuple[Item, ...]


def parse(text: str, *, beginning: bool = False) -> ParsedTune:
    """Read one tune, headers and body.

    Args:
        text: its ABC.
        beginning: whether it may end before its first note, as a prompt may.

    Raises:
        AbcError: with a reason, if it cannot be read, or changes meter or key.
    """
    body = _Body()
    begun = ""  # the line so far, if it ended with a backslash
    for line in _TEXT_BLOCK.sub("%", text).split("\n"):
        if line.startswith("%"):
            continue
        line = _COMMENT.sub("", line).rstrip()
        field = _FIELD.match(line)
        if begun and (field or not line):
            body.line(begun)
            begun = ""
        if field:
            body.field(field[1], field[2].strip())
        elif not line:
            body.interrupted = body.started
        else:
            begun += f" {line}" if line.startswith("|") else line  # |\ and | are two bar signs
            if line.endswith("\\"):
                begun = begun[:-1]
            else:
                body.line(begun)
                begun = ""
    body.line(begun)
    return body.tune(beginning=beginning)


class _Body:
    """The state of reading one tune."""

    def __init__(self) -> None:
        self.meter: str | None = None
        self.unit: Fraction | None = None
        self.key: Key | None = None
        self.signature: tuple[int, ...] = ()
        self.lengths: dict[tuple[str, str], Fraction] = {}  # in this unit, see `length`
        self.items: list[Item] = []
        self.voice: str | None = None
        self.listening = True  # False inside voices other than the first
        self.started = False
        self.interrupted = False  # by a blank line, which ends the music unless bar lines follow

    # -- fields -----------------------------------------------------------------------------------

    def field(self, name: str, value: str) -> None:
        if name == "V":
            self.change_voice(value)
        elif name in "MLK" and self.listening:
            getattr(self, f"field_{name}")(value)

    def change_voice(self, value: str) -> None:
        """Listen to the voice that is named first, or to the music before any is named."""
        name = value.split()[0] if value.split() else ""
        if self.voice is None:
            self.voice = "1" if self.started else name
        self.listening = self.key is None or name == self.voice

    def field_M(self, value: str) -> None:  # noqa: N802  (named for its field)
        meter = parse_meter(value)
        if self.started and meter != self.meter:
            raise AbcError("changes meter inside")
        self.meter = meter

    def field_L(self, value: str) -> None:  # noqa: N802
        self.unit = parse_unit(value)
        self.lengths.clear()

    def field_K(self, value: str) -> None:  # noqa: N802
        field = parse_key_field(value)
        if field.key is None:  # a clef alone leaves the key as it is
            field = replace(field, key=self.key or Key(0, 0, "maj"), signature=self.signature)
        if not self.started:
            self.key = field.key
            self.signature = field.signature or (0,) * 7
            if self.unit is None:
                self.unit = self.default_unit()
        elif field.signature != self.signature:
            raise AbcError("changes key inside")

    def default_unit(self) -> Fraction:
        """One sixteenth in meters shorter than 3/4, else one eighth (ABC 2.1, section 3.1.7)."""
        if self.meter in (None, "none"):
            return Fraction(1)
        assert self.meter is not None
        return Fraction(1, 2) if Fraction(self.meter) < Fraction(3, 4) else Fraction(1)

    # -- music ------------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        """Read one line of the body."""
        if not text or self.key is None or (self.interrupted and "|" not in text):
            return
        position = 0
        while position < len(text):
            if not self.listening:  # skip to where a voice is named again
                position = text.find("[V:", position)
                if position < 0:
                    return
            position = self.element(text, position)
        self.items.append(LINE_END)

    def element(self, text: str, at: int) -> int:
        """Read the element at a position; returns the position after it."""
        char = text[at]
        if char in _NOTE_STARTS and (note := _NOTE.match(text, at)):
            return self.note(note)
        if char in _MINOR:
            return self.minor_element(char, text, at)
        for pattern, read in (
            (_INLINE, self.inline),
            (_SKIP, None),
            (_BAR, self.bar),
            (_TUPLET, self.tuplet),
            (_REST, self.rest),
        ):
            match = pattern.match(text, at)
            if match and match.end() > at:
                return read(match, text) if read else match.end()
        if char == "[":
            return self.bracket(text, at)
        if _MICROTONE.match(text, at):
            raise AbcError("microtones")
        return at + 1

    def minor_element(self, char: str, text: str, at: int) -> int:
        """Single characters that carry no sound, and strings that begin with one."""
        if char in "!+":
            skipped = _SKIP.match(text, at)
            return skipped.end() if skipped else at + 1
        if char == "-" and self.items:
            self.tie()
        elif char in "<>":
            signs = _BROKEN.match(text, at)
            assert signs is not None
            self.broken(signs[0])
            return signs.end()
        elif char == "&":
            raise AbcError("voices overlaid with &")
        return at + 1

    def inline(self, match: re.Match[str], text: str) -> int:  # noqa: ARG002
        if match[1] in "MLKV":
            self.field(match[1], _COMMENT.sub("", match[2]).strip())
        return match.end()

    def bar(self, match: re.Match[str], text: str) -> int:
        sign, end = match[0], match.end()
        ending = _ENDING.match(text, end)
        closes = sign.startswith(":") or "::" in sign or "]:" in sign  # but not |:|
        repeats = [Bar(":|")] if closes else []
        repeats += [Bar("|:")] if sign.endswith(":") or "|:" in sign else []
        self.items += repeats or [Bar("||" if len(sign) > 1 else "|")]
        if ending and (text[end : end + 1].isdigit() or "[" in ending[0]):
            self.items.append(Bar(f"|{ending[1]}"))
            return ending.end()
        return end

    def bracket(self, text: str, at: int) -> int:
        """``[1`` opens an ending; ``[`` before notes opens a chord."""
        ending = _BRACKET_ENDING.match(text, at)
        if ending:
            self.items.append(Bar(f"|{ending[1]}"))
            return ending.end()
        return self.chord(text, at)

    def chord(self, text: str, at: int) -> int:
        close = text.find("]", at)
        if close < 0 or "|" in text[at:close]:
            if text.startswith('["', at):  # an ending with a name, such as ["Coda"
                return at + 1
            raise AbcError("a chord without end")
        inside = _SKIP.sub("", text[at + 1 : close])
        pitches, length = [], None
        for note in _NOTE.finditer(inside):
            is_tied = inside[note.end() : note.end() + 1] == "-"
            pitches.append(tied(self.pitch(note), is_tied))
            if length is None:
                length = factor(note[2], note[3])
        outer = _LENGTH.match(text, close + 1)
        assert outer is not None
        if pitches:
            assert length is not None
            self.sound(tuple(pitches), self.playable(length * factor(outer[1], outer[2])))
        return outer.end()

    def tuplet(self, match: re.Match[str], text: str) -> int:  # noqa: ARG002
        p = int(match[1])
        q = int(match[2]) if match[2] else default_q(p, self.meter or "none")
        r = int(match[3]) if match[3] else p
        if q < 1 or r < 1:
            raise AbcError("an impossible tuplet", match[0])
        self.items.append(Tuplet(p, q, r))
        return match.end()

    def note(self, match: re.Match[str]) -> int:
        self.sound((self.pitch(match),), self.length(match[2], match[3]))
        return match.end()

    @staticmethod
    def pitch(match: re.Match[str]) -> Pitch:
        if kind(match[1]) == "pitch":
            return parse_pitch(match[1])
        name = str(parse_pitch(match[1]))  # such as C for c, since octave marks cancel out
        if kind(name) != "pitch":
            raise AbcError("a pitch beyond hearing", match[1][:20])
        return parse_pitch(name)

    def rest(self, match: re.Match[str], text: str) -> int:  # noqa: ARG002
        if match[1] in "ZX":
            self.bars_of_rest(factor(match[2], match[3]))
        else:
            self.sound((), self.length(match[2], match[3]))
        return match.end()

    def bars_of_rest(self, count: Fraction) -> None:
        if self.meter in (None, "none"):
            raise AbcError("a rest of whole bars without meter")
        if count.denominator != 1 or not 0 < count <= MAX_BARS_OF_REST:
            raise AbcError("an impossible length", f"{count} bars of rest")
        assert self.unit is not None
        for number in range(int(count)):
            self.items += [Bar("|")] if number else []
            self.sound((), self.playable(8 * Fraction(self.meter) / self.unit))

    def length(self, number: str, slashes: str) -> Fraction:
        """Length in eighths that digits and slashes after a note stand for, cached for each unit.

        A tune has hundreds of notes but few lengths, and fractions are slow, even to hash.
        """
        eighths = self.lengths.get((number, slashes))
        if eighths is None:
            eighths = self.lengths[number, slashes] = self.playable(factor(number, slashes))
        return eighths

    def playable(self, length: Fraction) -> Fraction:
        """A length in unit lengths as eighths.

        Raises:
            AbcError: if tokens cannot express it.
        """
        assert self.unit is not None
        eighths = length * self.unit
        if not 0 < max(eighths.numerator, eighths.denominator) <= MAX_NUMBER or eighths <= 0:
            raise AbcError("an impossible length")
        return eighths

    def sound(self, pitches: tuple[Pitch, ...], eighths: Fraction) -> None:
        self.started = True
        self.items.append(Sound(pitches, eighths))

    def tie(self) -> None:
        index = len(self.items) - 1
        while index >= 0 and self.items[index] == LINE_END:  # a tie may begin the next line
            index -= 1
        last = self.items[index]
        if isinstance(last, Sound) and last.pitches:
            pitches = tuple(tied(pitch) for pitch in last.pitches)
            self.items[index] = Sound(pitches, last.eighths, last.broken)

    def broken(self, signs: str) -> None:
        last = self.items[-1] if self.items else None
        if not isinstance(last, Sound):
            raise AbcError("broken rhythm without a first note")
        if last.broken or len(signs) > 3:
            raise AbcError("broken rhythm with too many signs")
        self.items[-1] = Sound(last.pitches, last.eighths, signs)

    def tune(self, *, beginning: bool) -> ParsedTune:
        """The tune that was read.

        Raises:
            AbcError: if it has no key, or no notes and is not a beginning.
        """
        if self.key is None:
            raise AbcError("no key")
        if not (beginning or any(isinstance(item, Sound) and item.pitches for item in self.items)):
            raise AbcError("no notes")
        items: Sequence[Item] = self.items
        if self.signature != self.key.signature:
            items = written_out(items, self.signature, "pitch")
        return ParsedTune(self.meter or "none", self.key, tuple(items))
