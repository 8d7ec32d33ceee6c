"""Lengths as ABC writes them: meters, unit lengths, and the numbers after notes."""

import re
from fractions import Fraction
from functools import cache

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.tokens import MAX_NUMBER

_METER = re.compile(r"([0-9]{1,2}(?:\+[0-9]{1,2})*)/(1|2|4|8|16|32)")


def parse_meter(text: str) -> str:
    """The value of an ``M:`` field, as ``n/d`` or ``none``; ``(2+3)/8`` is read as ``5/8``.

    Raises:
        AbcError: if it is not a meter.
    """
    value = text.strip()
    named = {"C": "4/4", "C|": "2/2", "none": "none", "": "none"}
    if value in named:
        return named[value]
    match = _METER.fullmatch(re.sub(r"[ ()]", "", value))
    beats = sum(map(int, match[1].split("+"))) if match else 0
    if not match or not 0 < beats < 100:
        raise AbcError("unreadable meter", value[:20])
    return f"{beats}/{match[2]}"


def parse_unit(text: str) -> Fraction:
    """The value of an ``L:`` field in eighth notes.

    Raises:
        AbcError: if it is not a length.
    """
    match = re.match(r"([1-9][0-9]{0,2})\s*/\s*([1-9][0-9]{0,2})(?![0-9])|1$", text.strip())
    if not match:
        raise AbcError("unreadable unit length", text[:20])
    return Fraction(int(match[1] or 1), int(match[2] or 1)) * 8


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
