"""The elements of a line of music: notes, chords, rests, tuplets, bar signs."""

import copy
import re
from fractions import Fraction

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.lengths import factor, tuplets_of
from symbotunes.music.abc.odd_lengths import can_be_written, odd_factor
from symbotunes.music.abc.order import repeat_signs
from symbotunes.music.abc.phrases import tied
from symbotunes.music.abc.settings import Settings
from symbotunes.music.abc.tokens import (
    LINE_END,
    MAX_NUMBER,
    OCTAVES,
    Bar,
    Item,
    Pitch,
    Sound,
    Tuplet,
    default_q,
    make_pitch,
    parse_pitch,
)

# [0-9], because `\d` also matches digits of other scripts.
_NOTE = re.compile(r"((?:\^\^|__|\^|_|=)?[A-Ga-g][,']*)([0-9]*)((?:/[0-9]*)*)")
_REST = re.compile(r"([zxZX])([0-9]*)((?:/[0-9]*)*)")
_LENGTH = re.compile(r"([0-9]*)((?:/[0-9]*)*)")
_TUPLET = re.compile(r"\(([1-9][0-9]|[2-9])(?::([0-9]{0,2}))?(?::([0-9]{0,2}))?")
_BAR = re.compile(r":*\[?\|[|\]:]*|::+|:\]")
_ENDING = re.compile(r"[ \t]*\[?[ \t]*([1-9](?:[,-][1-9])*)")
_BRACKET_ENDING = re.compile(r"\[[ \t]*([1-9](?:[,-][1-9])*)")
_QUOTED_ENDING = re.compile(r'\["([1-9](?:[,-][1-9])*)(?![0-9])[^"\n]*"(?![^|]*\])')
_INLINE = re.compile(r"\[([A-Za-z]):([^\]\n]*)\]")
_COMMENT = re.compile(r"(?<!\\)%.*$")
_BROKEN = re.compile(r">+|<+")
_SPACER = re.compile(r"y[0-9]*(?:/[0-9]*)*")
# A single ! or + is an old sign for the end of a line, so music may stand between two of them.
_SKIP = re.compile(r'"[^"\n]*"|![^!|\n]+!|\{[^}|]*\}|\+[^+|\s]+\+')
_PLUS_CHORD = re.compile(
    r"\+((?!f+\+)(?:\s*(?:\^\^|__|[\^_=])?[A-Ga-g][,']*[0-9]*(?:/[0-9]*)*-?\s*)+)\+"
)
_MICROTONE = re.compile(r"[\^_](?:[0-9]{1,3}(?:/[0-9]{1,3})?|/[0-9]{0,3})[A-Ga-g]")
_ACCIDENTAL = re.compile(r"\^\^|__|[\^_=]")
_AFTER_ACCIDENTAL = re.compile(r'[A-Ga-g\s"!{+~.H-Wh-w(]')  # a note or what may decorate it
_DECORATIONS = re.compile(r"[~.HLMOPSTuvJRk\s()]")
# Between two signs for the end of a line; !f! and !D.C.! are no notes.
_MUSIC_BETWEEN = re.compile(
    r"!(?!f+!)(?=[^!]*[A-Ga-g][^!]*[A-Ga-g])(?:[\^_=]*[A-Ga-gz][,']*[0-9]*(?:/[0-9]*)*|[\s()<>-])+!"
)
_ATTACHED = re.compile(r"[A-Ga-gzx\]][,']*[0-9/]")
_NO_NOTES = re.compile(r'"[^"\n]*"|\[[A-Za-z]:[^\]\n]*\]|![^!|\n]*!|^[A-Za-z]:.*$|%.*$', re.M)
MAX_BARS_OF_REST = 99
SHORTEST = 64  # of an eighth; abc2midi takes shorter notes for missing lengths
_NOTE_STARTS = frozenset("ABCDEFGabcdefg^_=")
_MINOR = frozenset(" \t\\`$*)~.HIJKLMNOPQRSTUVWhijklmnopqrstuvw;@#?-]0123456789>',<}!+/&\"y")


class Elements:
    """Reads lines of music into items, under the fields in force.

    Attributes:
        source: the text of the tune.
        settings: the fields in force.
        items: sounds, bar signs, tuplet marks and ends of lines so far.
        parts: where the parts of the tune begin, with their names.
        closed: whether the last sign was ``|]``, the end of a tune.
        started: whether there are sounds.
    """

    def __init__(self, source: str, *, keeps_changes: bool = False) -> None:
        self.source = source
        self.settings = Settings(keeps_changes=keeps_changes)
        self.items: list[Item] = []
        self.parts: list[tuple[int, str]] = []
        self.closed = False
        self.started = False
        self.written = ""  # number and slashes of the last sound
        self.accidental = ""  # that stands before the decorations of its note
        self.tuplets: list[Tuplet] = []  # the rest of a long one
        self.left = 0  # sounds before the next of them
        self.lengths: dict[tuple[Fraction, str, str], Fraction] = {}

    def copy(self) -> "Elements":
        """A copy that can be read into without changing this one."""
        result = copy.copy(self)
        result.settings = copy.copy(self.settings)
        result.items, result.parts = list(self.items), list(self.parts)
        result.tuplets = list(self.tuplets)
        return result

    def field(self, name: str, value: str) -> None:
        """Read a field in a line of its own, in brackets or in the middle of music."""
        if name == "P":
            if self.settings.listening or value not in (label for _, label in self.parts):
                self.parts.append((len(self.items), value))
        else:
            self.settings.read(name, value, started=self.started)
            self.items += self.settings.changes
            self.settings.changes = []

    def line(self, text: str) -> None:
        """Read one line of music."""
        position = 0
        while position < len(text):
            if not self.settings.listening:  # skip to where a voice is named again
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
        if self.accidental and not _AFTER_ACCIDENTAL.match(char):
            self.no_accidental()
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
        if accidental := _ACCIDENTAL.match(text, at):
            self.no_accidental()
            self.accidental = accidental[0]
            return accidental.end()
        if char == "{":
            raise AbcError("grace notes without end")
        if char == ":":
            self.colon()
        return at + 1

    def no_accidental(self) -> None:
        """Refuse an accidental that no note follows."""
        if self.accidental:
            raise AbcError("an accidental without a note")

    def minor_element(self, char: str, text: str, at: int) -> int:
        """Single characters that carry no sound, and strings that begin with one."""
        if char in '!+"':
            return self.decoration(char, text, at)
        if char in "0123456789/":
            return self.length_apart(text, at)
        if char == "y":
            spacer = _SPACER.match(text, at)
            assert spacer is not None
            return spacer.end()
        if char == "-":
            self.tie()
        elif char in "<>":
            signs = _BROKEN.match(text, at)
            assert signs is not None
            self.broken(signs[0])
            return signs.end()
        elif char == "&":
            raise AbcError("voices overlaid with &")
        elif char == "}" and self.items and isinstance(self.items[-1], Sound):
            raise AbcError("grace notes without end")
        return at + 1

    def decoration(self, char: str, text: str, at: int) -> int:
        """Pass over text and ornaments; ``+DA+`` of old files is a chord, ``+trill+`` is none."""
        if chord := _PLUS_CHORD.match(text, at):
            return self.notes_of_chord(chord[1], text, chord.end())
        skipped = _SKIP.match(text, at)
        if skipped and not (char == "!" and _MUSIC_BETWEEN.match(skipped[0])):
            return skipped.end()
        if char == '"':
            raise AbcError("a quotation without end")
        if char == "+" and _NOTE.match(text, at + 1):
            raise AbcError("a chord without end", text[at : at + 20])
        return at + 1

    def inline(self, match: re.Match[str], text: str) -> int:  # noqa: ARG002
        self.field(match[1], _COMMENT.sub("", match[2]).strip())
        return match.end()

    # -- bar signs --------------------------------------------------------------------------------

    def bar(self, match: re.Match[str], text: str) -> int:
        sign, end = match[0], match.end()
        ending = _ENDING.match(text, end)
        self.items += repeat_signs(sign) or [Bar("||" if len(sign) > 1 else "|")]
        self.closed = sign == "|]"
        if ending:
            self.items.append(Bar(f"|{ending[1]}"))
            return ending.end()
        return end

    def colon(self) -> None:
        """A colon alone begins a repeat behind a bar sign, also behind one in the line before.

        Raises:
            AbcError: if it stands anywhere else.
        """
        index = self.last_but_line_ends()
        before = self.items[index] if index >= 0 else Bar("|")
        if not isinstance(before, Bar) or before.sign[1:2].isdigit():
            raise AbcError("an unreadable repeat sign", ":")
        if not before.sign.startswith("|:"):
            self.items.append(Bar("|:"))

    def bracket(self, text: str, at: int) -> int:
        """``[1`` opens an ending; ``[`` before notes opens a chord."""
        ending = _BRACKET_ENDING.match(text, at)
        if ending:
            self.items.append(Bar(f"|{ending[1]}"))
            return ending.end()
        close = text.find("]", at)
        if quoted := _QUOTED_ENDING.match(text, at):
            self.items.append(Bar(f"|{quoted[1]}"))
            return quoted.end()
        if close < 0 or "|" in text[at:close]:
            if text.startswith('["', at):  # an ending with a name, such as ["Coda"
                return at + 1
            raise AbcError("a chord without end")
        return self.notes_of_chord(text[at + 1 : close], text, close + 1)

    # -- sounds -----------------------------------------------------------------------------------

    def notes_of_chord(self, inside: str, text: str, at: int) -> int:
        """Read the notes between two signs, and the length after the second."""
        inside = _DECORATIONS.sub("", _SKIP.sub("", inside))
        if re.search("[H-Yh-wy]", inside):
            raise AbcError("a chord that is not of notes", inside[:20])
        pitches: list[Pitch] = []
        length = Fraction(1)
        for note in _NOTE.finditer(inside):
            is_tied = inside[note.end() : note.end() + 1] == "-"
            length = length if pitches else factor(note[2], note[3])
            pitches.append(tied(self.pitch(note[1]), is_tied))
        outer = _LENGTH.match(text, at)
        assert outer is not None
        if pitches:
            self.written = outer[0]
            self.sound(tuple(pitches), self.playable(length * factor(outer[1], outer[2])))
        return outer.end()

    def note(self, match: re.Match[str]) -> int:
        if self.accidental and match[1][0] in "^_=":
            raise AbcError("an accidental without a note")
        name, self.accidental = self.accidental + match[1], ""
        self.written = match[2] + match[3]
        self.sound((self.pitch(name),), self.length(match[2], match[3]))
        return match.end()

    def pitch(self, name: str) -> Pitch:
        """The pitch of a note, moved by the clef; octave marks may cancel out."""
        pitch = parse_pitch(name)
        octave = pitch.octave + self.settings.octaves
        if octave not in OCTAVES:
            raise AbcError("a pitch beyond hearing", name[:20])
        return make_pitch(pitch.letter, octave, pitch.accidental, False)

    def rest(self, match: re.Match[str], text: str) -> int:  # noqa: ARG002
        if match[1] in "ZX":
            self.bars_of_rest(factor(match[2], match[3]))
        else:
            self.sound((), self.length(match[2], match[3]))
        self.written = match[2] + match[3]
        return match.end()

    def bars_of_rest(self, count: Fraction) -> None:
        meter = self.settings.meter
        if meter is None or meter == "none":
            raise AbcError("a rest of whole bars without meter")
        if count.denominator != 1 or not 0 < count <= MAX_BARS_OF_REST:
            raise AbcError("an impossible length", f"{count} bars of rest")
        for number in range(int(count)):
            self.items += [Bar("|")] if number else []
            self.sound((), 8 * Fraction(meter))

    def length(self, number: str, slashes: str) -> Fraction:
        """Length in eighths that digits and slashes after a note stand for, cached for each unit.

        A tune has hundreds of notes but few lengths, and fractions are slow, even to hash.
        """
        assert self.settings.unit is not None
        key = (self.settings.unit, number, slashes)
        eighths = self.lengths.get(key)
        if eighths is None:
            eighths = self.lengths[key] = self.playable(factor(number, slashes))
        return eighths

    def playable(self, length: Fraction) -> Fraction:
        """A length in unit lengths as eighths.

        Raises:
            AbcError: if tokens cannot express it.
        """
        assert self.settings.unit is not None
        eighths = length * self.settings.unit
        if not 0 < max(eighths.numerator, eighths.denominator) <= MAX_NUMBER or eighths <= 0:
            raise AbcError("an impossible length")
        if eighths.denominator // odd_factor(eighths) > SHORTEST:
            raise AbcError("an impossible length")
        if not can_be_written(eighths, in_tuplet=self.left > 0):
            raise AbcError("a length that players refuse")
        return eighths

    def sound(self, pitches: tuple[Pitch, ...], eighths: Fraction) -> None:
        self.started = True
        self.closed = False
        if self.tuplets and not self.left:
            following = self.tuplets.pop(0)
            self.left = following.r
            if following.r == 1:  # a length, see `odd_lengths`
                eighths *= Fraction(following.q, following.p)
            else:
                self.items.append(following)
        self.left = max(0, self.left - 1)
        self.items.append(Sound(pitches, eighths))

    def length_apart(self, text: str, at: int) -> int:
        """A number apart from its note: an ending at a line's start, else a length.

        It is a length where a line was wrapped, and in token text (``G 2 E``), in which all are.
        """
        match = _LENGTH.match(text, at)
        assert match is not None
        begins_line = not text[:at].strip()
        index = self.last_but_line_ends()
        last = self.items[index] if index >= 0 else None
        ending = _ENDING.match(text, at)
        if begins_line and ending and isinstance(last, Bar):
            self.items.append(Bar(f"|{ending[1]}"))
            return ending.end()
        wrapped = begins_line and index < len(self.items) - 1
        if not isinstance(last, Sound) or not (wrapped or (self.is_spaced() and not self.written)):
            raise AbcError("a number that belongs to no note", text[at : at + 20])
        before = _LENGTH.fullmatch(self.written)
        whole = _LENGTH.fullmatch(self.written + match[0])
        if before is None or whole is None or (self.written[-1:].isdigit() and match[1]):
            raise AbcError("a number that belongs to no note", text[at : at + 20])
        eighths = last.eighths / factor(before[1], before[2]) * factor(whole[1], whole[2])
        self.items[index] = Sound(last.pitches, eighths, last.broken)
        self.written = whole[0]
        return match.end()

    def is_spaced(self) -> bool:
        """Whether all numbers of the tune stand apart from their notes, as in text of tokens."""
        return not _ATTACHED.search(_NO_NOTES.sub("", self.source))

    def last_but_line_ends(self) -> int:
        """Index of the last item that is no end of a line, or -1."""
        index = len(self.items) - 1
        while index >= 0 and self.items[index] == LINE_END:
            index -= 1
        return index

    def tuplet(self, match: re.Match[str], text: str) -> int:  # noqa: ARG002
        p = int(match[1])
        if p > 9 and not match[2]:
            raise AbcError("an impossible tuplet", match[0])
        q = int(match[2]) if match[2] else default_q(p, self.settings.meter or "none")
        r = int(match[3]) if match[3] else p
        if q < 1 or r < 1:
            raise AbcError("an impossible tuplet", match[0])
        self.tuplets, self.left = tuplets_of(p, q, r), 0
        if r > 1:
            first = self.tuplets.pop(0)
            self.items.append(first)
            self.left = first.r
        return match.end()

    def tie(self) -> None:
        """Tie the last sound, also from the next line or from behind a bar sign."""
        for index in range(len(self.items) - 1, -1, -1):
            item = self.items[index]
            if isinstance(item, Sound):
                pitches = tuple(tied(pitch) for pitch in item.pitches)
                self.items[index] = Sound(pitches, item.eighths, item.broken)
                return
            if isinstance(item, Bar) and item.sign[1:2].isdigit() and "1" not in item.sign:
                raise AbcError("a tie into a second ending")

    def broken(self, signs: str) -> None:
        index = self.last_but_line_ends()
        last = self.items[index] if index >= 0 else None
        if not isinstance(last, Sound):
            raise AbcError("broken rhythm without a first note")
        if last.broken or len(signs) > 3:
            raise AbcError("broken rhythm with too many signs")
        self.items[index] = Sound(last.pitches, last.eighths, signs)
