"""Information fields: where they begin and end, also several in one line or followed by music."""

import re
from collections.abc import Iterator

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import leading_key
from symbotunes.music.abc.lengths import leading_meter, leading_unit
from symbotunes.music.abc.prose import reads_as_music

Field = tuple[str, str]  # name and value; the name of music is empty

# Not A:| and z::, music before a bar sign; but "w:|la" is a line of words.
_BRACKETED = re.compile(r"[ \t]*\[([MLKQ]):([^\]\n]*)\]")
_FIELD = re.compile(
    r"[ \t]*(?:(?![A-Ga-gx-zXZ]:[|:])([A-Za-z+]):|([KLMQRTX])[ \t]+:(?![|:]))(.*)$", re.DOTALL
)
_SHARING = frozenset("XTRCOMLKQV")  # fields after which another may follow in the same line
# Those that may follow, with values that no title has: "Reel in K: what" is a title.
_NEXT = re.compile(
    r"\s(?=([KLMQRTV])[ \t]*:[ \t]*(?!\s*$))"
    r"(?:[TRQV]|M(?=[ \t]*:[ \t]*(?:[0-9(]|[Cc](?![a-z])|[Nn]one\b))|L(?=[ \t]*:[ \t]*1)"
    r"|K(?=[ \t]*:[ \t]*(?:[A-Ga-gH]|none)))[ \t]*:[ \t]*"
)
# The values of nearly all M:, L: and K: fields, which no music follows.
_ALONE = re.compile(
    r"[A-G][b#]?(?: ?(?:maj|m|min|dor|mix|lyd|phr|loc|ion|aeo)[a-z]*)?|[0-9]{1,2}/[0-9]{1,2}|C\|?",
    re.IGNORECASE,
)
_TEMPO = re.compile(r'(?:"[^"]*"\s*)?[0-9/=.]*[0-9]\s*(?:"[^"]*")?')
_IN_MUSIC = re.compile(r"(?:^|(?<=[\s|:\]!]))([KLMQ]):[ \t]*(?=[^\s|:\]])")
_INLINE_OR_TEXT = re.compile(r'"[^"\n]*"|\[[A-Za-z]:[^\]\n]*\]')


def field_of(line: str) -> Field | None:
    """The name and value of a line that begins with a field, else ``None``."""
    match = _FIELD.match(line)
    return (match[1] or match[2], match[3].strip()) if match else None


def bracketed_field(line: str) -> tuple[Field, str] | None:
    """A field in brackets with which a line begins, and what follows it; else ``None``."""
    match = _BRACKETED.match(line)
    return ((match[1], match[2].strip()), line[match.end() :].strip()) if match else None


def split_fields(line: str) -> list[Field]:
    """The fields of one line, and the music in it under an empty name, in their order.

    A head may stand on one line (``X:1 T:A title M:6/8 K:G GAB|``), music may follow ``M:``, ``L:``
    and ``K:``, and these may stand in the middle of music (``d2:|K:D f2|``).
    """
    field = field_of(line)
    if field is None:
        return list(_fields_in_music(line))
    name, value = field
    if name not in _SHARING:
        return [field]
    result: list[Field] = []
    while following := _NEXT.search(value):
        result += _with_music(name, value[: following.start()].strip())
        name, value = following[1], value[following.end() :]
    return [*result, *_with_music(name, value.strip())]


def _with_music(name: str, value: str) -> Iterator[Field]:
    """The field, and the music that follows it, if there is any."""
    rest = ""
    if name in "MLK" and not _ALONE.fullmatch(value):
        try:
            leading = {"M": leading_meter, "L": leading_unit, "K": leading_key}[name]
            rest = leading(value)[1]
        except AbcError:  # which whoever reads the field will report
            rest = ""
    elif name == "Q" and (tempo := _TEMPO.match(value)):
        rest = value[tempo.end() :].strip()
    following = list(_fields_in_music(rest))
    if rest and all(_is_field_or_music(field) for field in following):
        yield name, value[: value.rindex(rest)].strip()
        yield from following
    else:
        yield name, value


def _is_field_or_music(field: Field) -> bool:
    """Whether it is a field, or music of more than a letter, perhaps with spaces before lengths."""
    name, value = field
    if name:
        return True
    joined = re.sub(r"\s+(?=[0-9/])", "", value)
    return len(value) > 1 and value[0] not in "&;*" and reads_as_music(joined)


def _fields_in_music(line: str) -> Iterator[Field]:
    """The music of a line, and the fields in it that have no brackets."""
    if ":" not in line:
        yield "", line
        return
    hidden = _INLINE_OR_TEXT.sub(lambda match: "." * len(match[0]), line)
    embedded = _IN_MUSIC.search(hidden)
    if embedded is None:
        yield "", line
        return
    if before := line[: embedded.start()].strip():
        yield "", before
    yield from split_fields(line[embedded.start() :])
