"""The header fields of a typed prompt, found anywhere on its lines, and the music between them."""

import re
from dataclasses import dataclass, field

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import leading_key
from symbotunes.music.abc.lengths import leading_meter, leading_unit

# A field begins a line, or follows a space, a bar sign or another field; `A:|` is a note and a bar
# sign. Quotations come first, because what looks like a field inside them is none.
_PART = re.compile(
    r'(?P<quote>"[^"\n]*")'
    r"|\[(?P<inline>[A-Za-z]):(?P<value>[^\]\n]*)\]"
    r"|(?<![^\s|\]])(?P<name>[A-Za-z]):(?![|:])"
)
_END = r"(?=[\s|\]\[]|$)"
_WORD = re.compile(r"[^\s|]*")
_OWN_ACCIDENTALS = re.compile(r"(?<=\s)[\^_=][A-Ga-g](?=\s|$)")
_DOUBLE_ACCIDENTAL = re.compile(r"\s(?:\^\^|__)")  # of a note: no key has one
_READ = {"M": leading_meter, "L": leading_unit, "K": leading_key}
# What the values of other fields consist of; whatever follows them is music.
_VALUES = {
    "Q": re.compile(
        r'(?:"[^"\n]*"[ \t]*)?(?:(?:[0-9]+/[0-9]+[ \t]*)+=[ \t]*[0-9.]+|[^\s|"]*)'
        r'(?:[ \t]*"[^"\n]*")?'
    ),
    "V": re.compile(
        rf'[^\s|]*(?:[ \t]+(?:[a-z]+=(?:"[^"\n]*"|\S+)|(?:treble|bass|alto|tenor)[0-9+-]*{_END}))*'
    ),
    "X": _WORD,
    "P": _WORD,
}
_WORDS = re.compile(r"[^|\n]*")  # a title and the like: up to the next field, bar sign or line

_COMMENT = re.compile(r"(?<!\\)%")
_SWALLOWED = "notes cannot be told from words; begin a new line after the words"


@dataclass
class TypedText:
    """A prompt, its fields apart from its music.

    Attributes:
        meter: value of ``M:``, or ``None``.
        unit: value of ``L:``, or ``None``.
        key: value of ``K:``, or ``None``.
        music: everything else, with the fields that stand inside it as ``[L:1/16]``.
        left_out: fields that say nothing about the notes, as typed.
        voice: the name of its voice, or ``None``.
        accidentals: those that belong to the key, as typed after it.
        doubtful: a field of words that ends a line in front of the key, and may hold notes.
    """

    meter: str | None = None
    unit: str | None = None
    key: str | None = None
    music: str = ""
    left_out: list[str] = field(default_factory=list)
    voice: str | None = None
    accidentals: tuple[str, ...] = ()
    doubtful: str | None = None

    def take(self, name: str, value: str, typed: str) -> None:
        """Keep a field in front of the music, or mark it as left out.

        Raises:
            AbcError: if it comes too late, or names a second voice.
        """
        place = {"M": "meter", "L": "unit", "K": "key"}.get(name)
        if name == "V":
            self._take_voice(value, typed)
        elif place is None:
            self.left_out.append(typed)
        elif not self.music.strip():
            if getattr(self, place) not in (None, value):
                raise AbcError("a prompt has one meter, one key and one unit length", typed)
            setattr(self, place, value)
        elif name == "K" and self.key is None:
            raise AbcError("the key must stand in front of the notes", typed)
        elif name == "M" and self.meter is None:
            raise AbcError("the meter must stand in front of the notes", typed)
        else:
            self.music += f"[{name}:{value}]"

    def _take_voice(self, value: str, typed: str) -> None:
        voice = value.split()[0] if value.split() else ""
        if self.voice is None and not self.music.strip():
            self.voice = voice
            self.left_out.append(typed)
        elif voice != self.voice:
            raise AbcError("a prompt has one voice", typed)


def split_fields(text: str) -> TypedText:
    r"""Find the fields of a prompt: ``X:1 T:My jig M:6/8 K:G GAB`` on one line, or one a line.

    Lower-case letters are read as well: ``m:6/8 k:D``.

    Raises:
        AbcError: if a field comes too late, or may have swallowed notes.
    """
    result = TypedText()
    lines = text.split("\n")
    for number, typed in enumerate(lines):
        line, *comment = _COMMENT.split(typed, maxsplit=1)
        result.left_out += [f"%{words.rstrip()}" for words in comment]
        if len(lines) > 1 and _is_a_line_of_words(line):
            result.left_out.append(line.strip())
        else:
            _split_line(line, result)
            result.music += "\n" if number + 1 < len(lines) else ""
    if result.doubtful and result.key is None:
        raise AbcError(_SWALLOWED, result.doubtful)
    return result


def _is_a_line_of_words(line: str) -> bool:
    """Whether a line is a title, lyrics and the like as files have them, bar signs included."""
    fields = [match for match in _PART.finditer(line) if match["name"]]
    return (
        len(fields) == 1
        and not line[: fields[0].start()].strip()
        and not _has_a_form(fields[0]["name"].upper())
    )


def _split_line(line: str, result: TypedText) -> None:
    at = 0
    while match := _PART.search(line, at):
        if match["quote"]:
            result.music += line[at : match.end()]
            at = match.end()
            continue
        result.music += line[at : match.start()]
        if match["inline"]:
            result.take(match["inline"].upper(), match["value"].strip(), match[0])
            at = match.end()
            continue
        at = _take_field(line, match, result)
    result.music += line[at:]


def _take_field(line: str, match: re.Match[str], result: TypedText) -> int:
    """Take the field that a match begins; returns the position after its value."""
    name, begins = match["name"].upper(), match.end()
    while line[begins : begins + 1] in (" ", "\t"):
        begins += 1
    following = next((m for m in _PART.finditer(line, begins) if not m["quote"]), None)
    stop = following.start() if following else len(line)
    ends = _end_of_value(name, line, begins, stop)
    value, typed = line[begins:ends].strip(), line[match.start() : ends].strip()
    if not _has_a_form(name) and ends == len(line) and line[: match.start()].strip():
        if result.key is not None:
            raise AbcError(_SWALLOWED, typed)
        result.doubtful = typed
    result.take(name, value, typed)
    if name == "K":
        result.accidentals = result.accidentals or tuple(_OWN_ACCIDENTALS.findall(value))
    return ends


def _has_a_form(name: str) -> bool:
    """Whether the value of a field can be told from the music that follows it."""
    return name in _READ or name in _VALUES


def _end_of_value(name: str, line: str, begins: int, stop: int) -> int:
    """Where the value of a field ends that begins at one position, at another at the latest."""
    if name in _READ:
        double = _DOUBLE_ACCIDENTAL.search(line, begins, stop) if name == "K" else None
        text = line[begins : double.start() if double else stop].rstrip()
        try:
            rest = _READ[name](text)[1]
            ends = begins + len(text) - len(rest)
            if not rest or rest[0] in "|:[" or line[ends - 1].isspace():
                return ends
        except AbcError:  # which the reader will report
            pass
    value = _VALUES.get(name, _WORD if name in _READ else _WORDS).match(line, begins, stop)
    assert value is not None  # all of these match an empty string
    return value.end()
