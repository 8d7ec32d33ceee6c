"""From the bytes of an ABC file to its text: encodings, byte order marks, HTML around tunes."""

import codecs
import html
import re

from symbotunes.music.abc.error import AbcError

_MARKS = (  # UTF-32 first: the mark of UTF-16 is its beginning
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LINE_ENDS = re.compile(r"\r\r\n|\r\n|[\r\v\f\x85\u2028\u2029]")
_INVISIBLE = re.compile("[\ufeff\u200b\u200c\u200d\u2060\x1a]")  # byte order marks, DOS file ends
_SPACES = re.compile("[\xa0\u2000-\u200a\u202f\u3000]")
_ENTITY = re.compile(r"&(?:amp;)*(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,7});")
_HIDDEN = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_BREAK = re.compile(r"<br\s*/?>[ \t]*\n?", re.IGNORECASE)
# <b>, <a> and <dd> without attributes may be notes in broken rhythm.
_NAMES = (
    r"!doctype|\?xml|html|head|title|meta|link|body|pre|code|textarea|p|div|span|font|center|td|tr"
    "|th|table|tbody|ul|ol|li|h[1-6]|hr|img|em|i|u|tt|strong|blockquote|article|section|main"
)
_KNOWN = frozenset(_NAMES.split("|"))
_TAG = re.compile(rf"</?({_NAMES})(?:\s[^<>\n]*)?/?>|<(?:a|b|s)\s[^<>\n]*=[^<>\n]*>", re.IGNORECASE)
_CLOSING = re.compile(r"</([A-Za-z][\w-]*)\s*>")
_INSIDE_LINES = ("span", "font", "em", "i", "u", "tt", "strong", "code", "img")
_PRINTABLE = re.compile(r"=(?:20|09)[ \t]*$|=3D", re.MULTILINE)  # quoted-printable, of mail
_SOFT_BREAK = re.compile(r"(?<!=)=[ \t]*\n")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[A-Za-z]*[ \t]*$", re.MULTILINE)


def decode(data: bytes) -> str:
    r"""The text of a file, with line ends as ``\n`` and without byte order marks.

    Encodings: UTF-8, UTF-16 and UTF-32 by their byte order marks, UTF-16 without one if every other
    byte is zero; lines that are not UTF-8 are Windows-1252 or else Latin-1.

    Raises:
        AbcError: if it is not text.
    """
    text = _decoded(data)
    if "\0" in text:
        raise AbcError("binary file")
    return _SPACES.sub(" ", _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text)))


def _decoded(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, errors="replace")
    head = data[:4096]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) > 0.4 * len(head) and min(even, odd) < 0.02 * len(head):
        return data.decode("utf-16-le" if odd > even else "utf-16-be", errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:  # files put together from several may mix encodings
        return "\n".join(map(_decoded_line, data.split(b"\n")))


def _decoded_line(line: bytes) -> str:
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    return line.decode("latin-1")


def without_markup(text: str) -> str:
    """The text without HTML tags and entities, fences of Markdown, and codes of electronic mail.

    Tags that end a line or paragraph become line ends. What could be notes in broken rhythm, such
    as ``A<b>c``, stays; so do naturals such as ``=B2``, which would be a code, too.
    """
    if _PRINTABLE.search(text):
        text = _PRINTABLE.sub(lambda match: "=" if match[0] == "=3D" else "", text)
        text = _SOFT_BREAK.sub("", text)
    if "&" in text:
        text = _ENTITY.sub(lambda match: html.unescape(f"&{match[1]};").replace("\xa0", " "), text)
    if "<" in text and _looks_like_html(text):
        text = _without_closed_tags(_BREAK.sub("\n", _HIDDEN.sub("", text)))
        text = _TAG.sub(_in_place_of_tag, text)
    return _FENCE.sub("", text) if "```" in text or "~~~" in text else text


def _looks_like_html(text: str) -> bool:
    return any(pattern.search(text) for pattern in (_TAG, _BREAK, _CLOSING))


def _without_closed_tags(text: str) -> str:
    """The text without tags of any name that is also closed: then ``<b>`` is no broken rhythm."""
    unknown = {name.lower() for name in _CLOSING.findall(text)} - _KNOWN
    if not unknown:
        return text
    names = "|".join(map(re.escape, sorted(unknown)))
    return re.sub(rf"</?(?:{names})(?:\s[^<>\n]*)?>", "", text, flags=re.IGNORECASE)


def _in_place_of_tag(match: re.Match[str]) -> str:
    name = (match[1] or "a").lower()
    return "" if name in (*_INSIDE_LINES, "a") else "\n"
