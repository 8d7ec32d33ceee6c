"""Lengths as ABC writes them: meters, unit lengths, the numbers after notes, and tuplets."""

import re
from fractions import Fraction
from functools import cache

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.tokens import MAX_NUMBER, Tuplet

_BEATS = re.compile(
    r"\s*\(?\s*([0-9]{1,2}(?:\s*[+.]\s*[0-9]{1,2})*)\s*\)?\s*/\s*(1|2|4|8|16|32)(?![0-9])"
)
_NAMED = re.compile(r"(none\b|c\|(?![|:\]])|c(?=[ls]?(?![a-z])))|$", re.IGNORECASE)
# s and l, for short and long bars, are of abc2mtex; the other signs are slips.
_AFTER_METER = re.compile(r"[ls]?(?![A-Za-z])[\]/.:;,\\]*")
_UNIT = re.compile(r"([1-9][0-9]{0,2})\s*/\s*([1-9][0-9]{0,2})(?![0-9])|1(?![0-9/])")


def parse_meter(text: str) -> str:
    """The value of an ``M:`` field, as ``n/d`` or ``none``; ``(2+3)/8`` is read as ``5/8``.

    Raises:
        AbcError: if it is not a meter.
    """
    meter, rest = leading_meter(text)
    if re.search(r"\w", rest, re.ASCII):
        raise AbcError("unreadable meter", text.strip()[:40])
    return meter


def leading_meter(text: str) -> tuple[str, str]:
    """The meter with which a text begins, as for `parse_meter`, and what follows it.

    Two meters of the same length, as in ``C 4/4`` or ``6/8 3/4``, are the first of them.

    Raises:
        AbcError: if it does not begin with a meter, or with two of different lengths.
    """
    text = text.strip()
    first, at = _named_meter(text)
    if first is None:
        first, at = _numeric_meter(text, 0)
    if first is None:
        raise AbcError("unreadable meter", text[:40])
    second, end = _numeric_meter(text, at)
    if second is None:
        return first, text[at:].strip()
    if first == "none" or Fraction(first) != Fraction(second):
        raise AbcError("unreadable meter", text[:40])
    return first, text[end:].strip()


def _named_meter(text: str) -> tuple[str | None, int]:
    """The meter that a text begins with the name of, or ``None``, and the position after it."""
    named = _NAMED.match(text)
    if named is None:
        return None, 0
    meter = {"C": "4/4", "C|": "2/2"}.get((named[1] or "").upper(), "none")
    return meter, _after_meter(text, named.end())


def _numeric_meter(text: str, at: int) -> tuple[str | None, int]:
    """The meter in numbers at a position, or ``None``, and the position after it."""
    beats = _BEATS.match(text, at)
    count = sum(map(int, re.findall(r"[0-9]+", beats[1]))) if beats else 0
    if beats is None or not 0 < count < 100:
        return None, at
    return f"{count}/{beats[2]}", _after_meter(text, beats.end())


def _after_meter(text: str, at: int) -> int:
    match = _AFTER_METER.match(text, at)
    return match.end() if match else at


def parse_unit(text: str) -> Fraction:
    """The value of an ``L:`` field in eighth notes.

    Raises:
        AbcError: if it is not a length.
    """
    unit, rest = leading_unit(text)
    if re.search(r"\w", rest, re.ASCII):
        raise AbcError("unreadable unit length", text.strip()[:40])
    return unit


def leading_unit(text: str) -> tuple[Fraction, str]:
    """The unit length in eighth notes with which a text begins, and what follows it.

    Raises:
        AbcError: if it does not begin with a length.
    """
    match = _UNIT.match(text.strip())
    if not match:
        raise AbcError("unreadable unit length", text.strip()[:40])
    rest = text.strip()[match.end() :]
    return Fraction(int(match[1] or 1), int(match[2] or 1)) * 8, rest.strip()


@cache
def factor(number: str, slashes: str) -> Fraction:
    """The factor that digits and slashes after a note stand for: ``3/2``, ``/``, ``//``.

    Raises:
        AbcError: if it is zero or implausibly large.
    """
    parts = [part or "2" for part in slashes.split("/")[1:]]
    if max(map(len, [number, *parts])) > len(str(MAX_NUMBER)) or len(parts) > 9:
        raise AbcError("an impossible length", f"{number}{slashes}"[:20])
    value = Fraction(int(number)) if number else Fraction(1)
    for part in parts:
        if not int(part):
            raise AbcError("an impossible length", f"{number}{slashes}"[:20])
        value /= int(part)
    return value


def tuplets_of(p: int, q: int, r: int) -> list[Tuplet]:
    """A tuplet as several, if its numbers have two digits: ``(10:8:10`` is ``(5:4:5`` twice.

    Raises:
        AbcError: if it has more notes than tokens can write.
    """
    if max(p, q, r) <= 9:
        return [Tuplet(p, q, r)]
    ratio = Fraction(p, q)
    p, q = ratio.numerator, ratio.denominator
    if not 2 <= p <= 9 or q > 9:
        raise AbcError("a tuplet of more than nine notes")
    return [Tuplet(p, q, min(p, r - begun)) for begun in range(0, r, p)]
