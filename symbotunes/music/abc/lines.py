"""The lines of a tune as they are meant: continued, wrapped, or of something else than music."""

import re
from collections.abc import Iterator

from symbotunes.music.abc.fields import Field, split_fields
from symbotunes.music.abc.prose import reads_as_music

BLANK: Field = ("blank", "")
PROPAGATE = "propagate-accidentals"  # name of a directive, read as a field
_TEXT_BLOCK = re.compile(r"^%%[ \t]*begin(\w+).*?^%%[ \t]*end\1", re.MULTILINE | re.DOTALL)
_DIRECTIVE = re.compile(rf"(?:%%|I:)[ \t]*{PROPAGATE}[ \t]+(\w+)")
_COMMENT = re.compile(r"(?<!\\)%.*$")
_TEX = re.compile(r"[ \t]*\\[A-Za-z]")  # a command of abc2mtex, such as \bigskip
_WORDS = frozenset("wWNHTBDFGSZ")  # fields that may stand between the two lines of a wrapped chord
_TYPOGRAPHIC = str.maketrans(
    dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"')
    | dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
    | {"\u266f": "^", "\u266d": "_", "\u266e": "=", "\uff5c": "|"}
)
_CLOSED = re.compile(r'"[^"]*"|\{[^}]*\}|\[[^\]|]*\]')
_OPEN = re.compile(r'"|\{|\[(?!\s*[0-9|"\]]|$)')
_HALF = re.compile(r"[^|:\]\s]\s*:$")
_REST = {  # up to the closing sign; a bar sign before it means that another sign is missing
    '"': re.compile(r'[^"|]*"'),
    "{": re.compile(r"[^{|}]*\}"),
    "[": re.compile(r"[^\[|\]]*\]"),
    ":": re.compile(r"\|"),
}


def logical_lines(text: str) -> Iterator[tuple[int, Field]]:
    r"""The fields and lines of music of a tune; blank lines are `BLANK`.

    Each has the number of the line on which it begins, counted from 1.

    Lines that a backslash continues are one. So are two lines of which the first ends inside a
    quotation, a chord or grace notes and the second closes them, or inside a ``:|``: programs
    for mail wrap lines anywhere. Comments, directives, blocks of text and TeX commands are left
    out, as are lines that continue words.
    """
    begun = ""  # music that the next line continues
    sign = ""  # what is open at its end; empty if a backslash continues it
    in_words = False  # whether a backslash continues a field of words
    first = 0  # number of its first line
    whole = _TEXT_BLOCK.sub(lambda block: "%" + "\n%" * block[0].count("\n"), text)
    for number, line in enumerate(whole.split("\n"), 1):
        if directive := _DIRECTIVE.match(line):
            yield number, (PROPAGATE, directive[1])
        if directive or line.lstrip().startswith("%") or _TEX.match(line):
            continue
        line = _COMMENT.sub("", line).strip()
        fields = split_fields(line) if line else [BLANK]
        if in_words and not fields[0][0] and not reads_as_music(line):
            in_words = line.endswith("\\")
            continue
        in_words = fields[-1][0] in _WORDS and line.endswith("\\")
        for name, value in fields:
            if name:
                if begun and not (sign and name in _WORDS):
                    yield first, ("", begun)
                    begun = sign = ""
                yield number, (name, value)
                continue
            music = value.translate(_TYPOGRAPHIC)
            if sign and not _closes(begun, sign, music):
                yield first, ("", begun)
                begun = ""
            first = first if begun else number
            # |\ and | are two bar signs, and letters of a quotation are words.
            split = begun and music.startswith("|") and sign != ":"
            space = " " if split or sign == '"' else ""
            begun += space + music
            sign = "" if begun.endswith("\\") else open_sign(begun)
            if begun.endswith("\\"):
                begun = begun[:-1]
            elif not sign:
                yield first, ("", begun)
                begun = ""
    if begun:
        yield first, ("", begun)


def open_sign(music: str) -> str:
    """The quotation mark, brace or bracket that is open at the end of a line, or nothing.

    It may also be the colon of a ``:|`` whose other half is in the next line.
    """
    rest = _CLOSED.sub(" ", music)
    match = _OPEN.search(rest)
    return match[0] if match else ":" if _HALF.search(rest) else ""


def _closes(begun: str, sign: str, music: str) -> bool:
    """Whether a line closes what is open at the end of the one before."""
    return "|" not in begun[begun.rindex(sign) :] and bool(_REST[sign].match(music))
