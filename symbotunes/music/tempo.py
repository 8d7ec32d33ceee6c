"""Tempo: the beat of a meter, and what ``Q:`` says."""

import re
from fractions import Fraction

# Q:1/4=120, Q:"Lively" 3/8 = 110: beats of that length in a minute.
_TEMPO = re.compile(r"^Q:[^%\n]*?([0-9]{1,2})/([0-9]{1,2})[ \t]*=[ \t]*([0-9]{1,3})", re.MULTILINE)
MIN_TEMPO, MAX_TEMPO = 20.0, 400.0  # quarters per minute; anything else is a typo


def tempo_in(abc: str) -> float:
    """Quarters per minute that the first ``Q:`` of a tune asks for; 0 if none names its beat."""
    match = _TEMPO.search(abc)
    if not match or not int(match[2]):
        return 0.0
    tempo = 4 * int(match[1]) / int(match[2]) * int(match[3])
    return tempo if MIN_TEMPO <= tempo <= MAX_TEMPO else 0.0


def beat_of(meter: str) -> Fraction:
    """The beat of a meter, in whole notes: 1/4 of 3/4, 1/2 of 2/2, 3/8 of 6/8, 1/8 of 7/8.

    Args:
        meter: such as ``6/8``; one that is not two numbers has a beat of 1/4.
    """
    match = re.fullmatch(r"([0-9]+)/([0-9]+)", meter)
    if not match or not int(match[2]):
        return Fraction(1, 4)
    beats, unit = int(match[1]), int(match[2])
    return Fraction(3 if unit >= 8 and beats % 3 == 0 else 1, unit)
