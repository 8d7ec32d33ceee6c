"""The fields in force at a place of a tune: meter, unit length, key, voice."""

import re
from dataclasses import replace
from fractions import Fraction

from symbotunes.music.abc.accidentals import REACHES
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import Key, KeyField, leading_staff, parse_key_field
from symbotunes.music.abc.lengths import parse_meter, parse_unit
from symbotunes.music.abc.lines import PROPAGATE
from symbotunes.music.abc.tokens import Change

_READ = frozenset("MLKUm")
_STAFF = re.compile(r"^(?:treble|bass)\S*|(?:clef|octave|transpose)\s*=\s*\S+")  # of a voice


class Settings:
    """What fields say about the music that follows them.

    Attributes:
        meter: as `parse_meter` gives it; ``None`` before the first ``M:``.
        unit: length of a note without numbers, in eighths.
        keeps_changes: whether meter and key may change inside a tune.
        changes: those not yet put among the items.
        first_meter: that in which the tune begins.
        key: tonic and mode of the first key, ``None`` before the first ``K:``.
        signature: semitones by which it alters each letter, from C to B.
        signature_now: those of the key in force.
        octaves: by which the clef or ``octave=`` moves the notes.
        reach: to which notes accidentals apply, one of `REACHES`.
        defined: letters to which ``U:`` gives a meaning.
        listening: whether this is the first voice, the only one that is read.
    """

    def __init__(self, *, keeps_changes: bool) -> None:
        self.keeps_changes = keeps_changes
        self.changes: list[Change] = []
        self.meter: str | None = None
        self.first_meter: str | None = None
        self.unit: Fraction | None = None
        self.key: Key | None = None
        self.signature: tuple[int, ...] = (0,) * 7
        self.signature_now: tuple[int, ...] = self.signature
        self.octaves = 0
        self.transpose = 0
        self.reach = "pitch"
        self.defined: frozenset[str] = frozenset()
        self.voice: str | None = None
        self.listening = True

    def read(self, name: str, value: str, *, started: bool) -> None:
        """Read a field; those that change nothing about notes are passed over.

        Args:
            name: its letter, or ``propagate-accidentals``.
            value: without comments.
            started: whether the tune has notes already.

        Raises:
            AbcError: if it cannot be read, or changes what must not change inside a tune.
        """
        if name == "V":
            self.read_V(value, started)
        elif name == PROPAGATE:
            self.read_reach(value, started)
        elif name in _READ and self.listening:
            getattr(self, f"read_{name}")(value, started)

    def read_V(self, value: str, started: bool) -> None:  # noqa: N802  (named for its field)
        """Listen to the voice that is named first, or to the music before any is named."""
        name, *rest = value.split(maxsplit=1) or [""]
        if self.voice is None:
            self.voice = "1" if started else name
        self.listening = self.key is None or name == self.voice
        if name == self.voice:
            staff = " ".join(_STAFF.findall(" ".join(rest)))
            self.move(leading_staff(staff)[0], started)

    def read_M(self, value: str, started: bool) -> None:  # noqa: N802
        meter = parse_meter(value)
        if not started:
            self.first_meter = meter
        elif meter != self.meter:
            if not self.keeps_changes or "none" in (meter, self.meter or "none"):
                raise AbcError("changes meter inside", value[:20])
            self.changes.append(Change(meter=meter))
        self.meter = meter

    def read_L(self, value: str, started: bool) -> None:  # noqa: N802, ARG002
        self.unit = parse_unit(value)

    def read_K(self, value: str, started: bool) -> None:  # noqa: N802
        field = parse_key_field(value)
        if field.key is None:  # a clef alone leaves the key as it is
            field = replace(field, key=self.key or Key(0, 0, "maj"), signature=self.signature_now)
        if started and field.signature != self.signature_now:
            assert field.key is not None
            own = (self.key or field.key).signature != self.signature or self.reach != "pitch"
            if not self.keeps_changes or own or field.signature != field.key.signature:
                raise AbcError("changes key inside", value[:20])
            self.changes.append(Change(key=field.key))
        self.signature_now = field.signature
        self.move(field, started)
        if not started:
            self.key, self.signature = field.key, field.signature
            self.unit = self.unit or self.default_unit()

    def move(self, field: KeyField, started: bool) -> None:
        """Move the notes as a clef, ``octave=`` or ``transpose=`` says."""
        if started and field.transpose not in (None, self.transpose):
            raise AbcError("changes transposition inside")
        self.transpose = self.transpose if field.transpose is None else field.transpose
        self.octaves = self.octaves if field.octaves is None else field.octaves

    def read_reach(self, value: str, started: bool) -> None:
        if value not in REACHES:
            raise AbcError("unreadable propagate-accidentals", value[:20])
        if started and value != self.reach:
            raise AbcError("changes the reach of accidentals inside")
        self.reach = value

    def read_U(self, value: str, started: bool) -> None:  # noqa: N802, ARG002
        self.defined |= {value[:1]}

    def read_m(self, value: str, started: bool) -> None:  # noqa: ARG002
        """Macros of ornaments leave the note as it is; others would be needed to read the music."""
        pattern = value.partition("=")[0].strip()
        if not pattern[:1] or pattern[0] in "ABCDEFGabcdefgxzXZ^_=[(":
            raise AbcError("macros", value[:20])

    def default_unit(self) -> Fraction:
        """One sixteenth in meters shorter than 3/4, else one eighth (ABC 2.1, section 3.1.7)."""
        if self.meter in (None, "none"):
            return Fraction(1)
        assert self.meter is not None
        return Fraction(1, 2) if Fraction(self.meter) < Fraction(3, 4) else Fraction(1)
