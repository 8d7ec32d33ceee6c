"""The music of a typed prompt, sign by sign: what is read, what is left out, what is refused.

The reader of files passes over whatever it does not know, as it must with the files there are. Who
types a prompt wants to know.
"""

import re
from dataclasses import dataclass, field

from symbotunes.music.abc.error import AbcError

_NOTE = r"(?:\^\^|__|[\^_=])?[A-Ga-g][,']*"
_LENGTH = r"[0-9]*(?:/[0-9]*)*"
_ORNAMENT = r'[~.HJLMOPRSTkuv](?=[~.HJLMOPRSTkuv!+"“”„{(\[\^_=A-Ga-gxz])|[HOS](?=[|:])'
_ELEMENTS = re.compile(
    "|".join(
        f"(?P<{name}>{pattern})"
        for name, pattern in {
            "space": r"\s+|`|\\(?=\s*\n)",
            "words": r'"[^"\n]*"|[“”„][^“”„"\n]*[“”]',
            "grace": r"\{[^{}\n|]*\}",
            "field": r"\[[A-Z]:[^\]\n]*\]",
            "ending": r"\[[ \t]*[1-9](?:[,-][1-9])*",
            "bar": r":*\[?\|[|\]:]*(?:[1-9](?:[,-][1-9])*)?|::+",
            "note": _NOTE + _LENGTH,
            "accidental": r'(?:\^\^|__|[\^_=])(?=[~.HJLMOPRSTkuv!+"{])',
            "rest": r"[zx]" + _LENGTH + r"|[ZX][0-9]*",
            "tuplet": r"\([2-9](?::[1-9]?){0,2}(?![0-9:])",
            "slur": r"\.?\((?![0-9])|\)|y[0-9]*",
            "open": r"\[",
            "close": r"\]" + _LENGTH,
            "tie": r"\.?-",
            "broken": r">{1,3}(?!>)|<{1,3}(?!<)",
            "length": r"[0-9]+(?:/[0-9]*)*|/[0-9/]*",
            "chord": rf"\+(?:{_NOTE}{_LENGTH}){{2,}}\+",
            "ornament": r"![^!|\n]+!|\+[^+|\n]+\+|!|" + _ORNAMENT,
        }.items()
    )
)
_LEFT_OUT = ("words", "grace", "slur", "ornament")
_IN_CHORDS = {"space", "note", "accidental", "tie", "length", "close", *_LEFT_OUT}
_AFTER_NOTES = {  # what must follow a note, and what may stand between
    "length": ({"note", "rest", "close", "chord"}, "a duration that follows no note"),
    "tie": (
        {"note", "close", "chord", "length", "broken", "bar after a note"},
        "a tie that follows no note",
    ),
    "broken": (
        {"note", "rest", "close", "chord", "length", "length of a rest", "tie"},
        "broken rhythm that follows no note",
    ),
}
_DYNAMICS = re.compile(r"\+f+\+")  # ff is loud, not a chord in the old notation


@dataclass
class Music:
    """The music of a prompt as the reader of files is to read it.

    Attributes:
        text: without what is left out.
        left_out: chord names, grace notes, ornaments and slurs, as typed.
        open_chord: whether the last chord is still open; `text` closes it.
        open_bracket: whether the prompt ends with the ``[`` of a chord, which `text` lacks.
    """

    text: str = ""
    left_out: list[str] = field(default_factory=list)
    open_chord: bool = False
    open_bracket: bool = False


def read_elements(text: str) -> Music:
    """Check the music of a prompt; a number after a space is a length, as in token text.

    Raises:
        AbcError: naming the word that is not music.
    """
    scan = _Scan()
    at = 0
    while at < len(text):
        match = _ELEMENTS.match(text, at)
        fault = scan.take(match) if match and match[0] else _fault(text[at])
        if fault:
            raise AbcError(fault, _word(text, at))
        assert match is not None
        at = match.end()
    fault = scan.end()
    if fault:
        raise AbcError(fault, text.split()[-1][-20:])
    return scan.music


def _fault(sign: str) -> str:
    """Why no element begins with a sign."""
    return {
        "(": "a tuplet must have two to nine notes",
        "{": "grace notes without end",
        '"': "a quotation without end",
        "“": "a quotation without end",
        "&": "voices overlaid with &",
    }.get(sign, "no music in ABC")


def _word(text: str, at: int) -> str:
    """The word around a position."""
    begins = max(text.rfind(space, 0, at) for space in " \t\n") + 1
    return text[begins:].split()[0][:20]


class _Scan:
    """Takes elements in order; its methods return what is wrong, or nothing."""

    def __init__(self) -> None:
        self.music = Music()
        self.before = "bar"  # the element before, spaces and what is left out aside
        self.notes = -1  # so far in the chord that is open; -1 outside chords
        self.opened = 0  # where it begins in the text

    def take(self, match: re.Match[str]) -> str:
        """Take the next element."""
        name, sign = str(match.lastgroup), match[0]
        if name == "chord" and _DYNAMICS.fullmatch(sign):
            name = "ornament"
        if self.notes >= 0 and name not in _IN_CHORDS:
            return "a chord without end"
        if name == "space":
            self.music.text += sign if "\\" in sign else "\n" if "\n" in sign else " "
        elif name in _LEFT_OUT:
            self.music.left_out.append(sign)
        else:
            return self.wrong(name) or self.add(name, sign)
        return ""

    def wrong(self, name: str) -> str:
        """What is wrong with an element after the one before."""
        if self.before == "accidental" and name != "note":
            return "an accidental that stands before no note"
        if name == "close" and self.notes < 1:
            return "] without [" if self.notes else "an empty chord"
        may_follow, fault = _AFTER_NOTES.get(name, ((), ""))
        return fault if fault and self.before not in may_follow else ""

    def add(self, name: str, sign: str) -> str:
        """Add an element to the text, without a space before a length or a tie."""
        text = self.music.text
        if name in ("length", "tie"):
            text, sign = text.rstrip(), sign.lstrip(".")
        if name == "open":
            self.notes, self.opened = 0, len(text)
        elif name == "close":
            self.notes = -1
        elif name == "note" and self.notes >= 0:
            self.notes += 1
        elif name == "chord":
            sign = f"[{sign[1:-1]}]"
        silent = name == "rest" or (name == "length" and self.before == "rest")
        has_length = name in ("note", "rest", "close") and sign[-1] in "0123456789/"
        if has_length or name == "length":  # it takes no other
            name = "length of a rest" if silent else "length"
        elif name == "bar" and self.before in _AFTER_NOTES["tie"][0]:
            name = "bar after a note"
        self.before = name
        self.music.text = text + sign
        return ""

    def end(self) -> str:
        """Close the text once all elements are taken."""
        music = self.music
        if self.before == "accidental":
            return "an accidental that stands before no note"
        if self.notes == 0:
            music.open_bracket, music.text = True, music.text[: self.opened]
        elif self.notes > 0:
            if re.search(r"[0-9/]", music.text[self.opened :]):
                return "a chord without end"
            music.open_chord, music.text = True, f"{music.text}]"
        return ""
