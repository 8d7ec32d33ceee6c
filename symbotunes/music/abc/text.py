"""Folk-RNN tokens as ABC text, and ABC text as tokens."""

import re
from collections.abc import Sequence
from dataclasses import replace

from symbotunes.music.abc.accidentals import written_out
from symbotunes.music.abc.barlines import closing_bars
from symbotunes.music.abc.beams import beamed
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.lengths import factor
from symbotunes.music.abc.odd_lengths import as_tuplet, without_tuplets
from symbotunes.music.abc.phrases import as_phrase, parse_tokens
from symbotunes.music.abc.prompt.beginning import read_typed
from symbotunes.music.abc.spelling import respell_explicit
from symbotunes.music.abc.tokens import Bar, Change, Item, Phrase, Sound, Tuplet, duration_token
from symbotunes.music.abc.writing import item_tokens, meters_of

BARS_PER_LINE = 4
_TOKEN = re.compile(
    r"\[(?P<change>[MK]:[^\]\s]+)\]"
    r"|(?P<duration>(?=[0-9/<>])(?P<number>[0-9]*)(?P<slashes>(?:/[0-9]*)*)"
    r"(?P<broken>>{1,3}|<{1,3})?)"
    r"|\|[|\]](?!:)|\([2-9](?::[1-9]:[1-9])?|\|[1-9](?:[,-][1-9])*|:\||\|:|\||\[|\]"
    r"|(?:\^\^|__|[=^_])?[A-Ga-g][,']*|z|-"
)
_LIKE_A_FIELD = re.compile(r"\A[A-Za-z](?= *:)")


def to_abc(music: Sequence[str] | Phrase, *, number: int = 1, title: str = "Untitled") -> str:
    """Valid ABC of the music; what is not well-formed is repaired by `parse_tokens`.

    Args:
        music: any tokens, or the phrase parsed from them.
        number: reference number, ``X:``.
        title: one line; control characters become spaces, comment signs are escaped.
    """
    phrase = as_phrase(music)
    safe = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", title).split()).replace("%", r"\%")
    head = [f"X:{number}", f"T:{safe or 'Untitled'}", f"M:{phrase.meter}", "L:1/8"]
    # A line that began with "A :|" would look like a field; "A1" is the same note.
    body = [_LIKE_A_FIELD.sub(r"\g<0>1", line) for line in _lines(phrase)]
    return "\n".join([*head, f"K:{phrase.key}", *body]) + "\n"


def in_one_key(abc: str) -> str:
    """ABC from `to_abc` without changes of key: accidentals are written where they need to be.

    Verovio does not engrave changes of key in ABC.

    Raises:
        AbcError: if a note would need three sharps or flats.
    """
    head = [line for line in abc.splitlines() if line[:2] in ("X:", "T:", "Q:", "%%")]
    phrase = parse_tokens(from_abc(abc), changes=True)
    items = [item for item in written_out(phrase.key.signature, phrase.items) if not _new_key(item)]
    items = respell_explicit(items, phrase.key, phrase.key, 0)
    body = to_abc(replace(phrase, items=tuple(items))).splitlines()
    return "\n".join([*head, *(line for line in body if line[:2] not in ("X:", "T:"))]) + "\n"


def _new_key(item: Item) -> bool:
    return isinstance(item, Change) and item.key is not None


def _lines(phrase: Phrase) -> list[str]:
    lines: list[str] = []
    words: list[str] = []
    bars, glue = 0, ""
    closing, joined = closing_bars(phrase.items), beamed(phrase)
    meters = meters_of(phrase.meter, phrase.items)
    for index, (item, meter) in enumerate(zip(phrase.items, meters, strict=True)):
        text = closing.get(index) or _written(item, meter, phrase.meter)
        if isinstance(item, Tuplet):
            glue = text  # no space before its first note
            continue
        if index in joined:
            words[-1] += text
        else:
            words.append(glue + text)
        glue = ""
        bars += isinstance(item, Bar) and item.sign in ("|", ":|")
        if bars == BARS_PER_LINE:
            lines.append(" ".join(words))
            words, bars = [], 0
    return [*lines, " ".join(words)] if words else lines


def _written(item: Item, meter: str, first: str) -> str:
    sign = ""
    if isinstance(item, Change):
        return f"[{item}]"
    if isinstance(item, Sound):
        sign, item = as_tuplet(item)
    return sign + "".join(item_tokens(item, meter, first))


def from_abc(text: str) -> list[str]:
    """The exact tokens of ABC that `to_abc` wrote.

    Raises:
        AbcError: if it contains anything else.
    """
    head, body = [], []
    for line in text.splitlines():
        if line[:2] in ("M:", "K:"):
            head.append(line.strip())
        elif line[:2] != "%%" and (line[1:2] != ":" or line[:1] in "|:"):
            body.append(line)
    return [*head, *without_tuplets(lex(" ".join(body)))]


def lex(text: str) -> list[str]:
    """Tokens of a body in Folk-RNN's language, with or without spaces; also of ``A/`` and ``A1``.

    Raises:
        AbcError: naming what is not a token.
    """
    tokens, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _TOKEN.match(text, at)
        if not match:
            word = text[at:].split()[0]
            raise AbcError("no music in ABC", word[:20])
        token = "|" if match[0] in ("||", "|]") else match[0]
        if match["duration"]:
            token = duration_token(factor(match["number"], match["slashes"]), match["broken"] or "")
        elif match["change"]:
            token = match["change"]
        tokens += [token] if token else []
        at = match.end()
    return tokens


def prompt_tokens(text: str) -> list[str]:
    """Tokens of the beginning of a tune, as a user types it, see `read_typed`.

    Raises:
        AbcError: naming what cannot be read.
    """
    return list(read_typed(text).tokens)
