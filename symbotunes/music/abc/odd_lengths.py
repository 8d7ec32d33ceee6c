"""Lengths such as a third of an eighth, which players of ABC refuse, as tuplets of one note.

abc2midi reads only powers of two below the line: it plays ``C/3`` as a note of another length.
``(6:4:1C/2`` is as long, and every player reads it. Tunes have no other tuplets of one note,
because the reader gives their notes the lengths that they stand for.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from symbotunes.music.abc.tokens import ONE, Sound, duration_token, kind, parse_duration

# Tuplets for the odd factors of denominators. 6:4, because 3:2 is common in other programs.
_TUPLETS = {3: (6, 4), 5: (5, 4), 7: (7, 4), 9: (9, 8)}
_RATIOS = {f"({p}:{q}:1": Fraction(p, q) for p, q in _TUPLETS.values()}


def odd_factor(eighths: Fraction) -> int:
    """The odd factor of a length's denominator: 1 if players read it."""
    denominator = eighths.denominator
    return denominator // (denominator & -denominator)


def can_be_written(eighths: Fraction, *, in_tuplet: bool) -> bool:
    """Whether players read a length, by itself or as a tuplet of one note."""
    odd = odd_factor(eighths)
    return odd == 1 or (odd in _TUPLETS and not in_tuplet)


def as_tuplet(sound: Sound) -> tuple[str, Sound]:
    """The sign of a tuplet and the sound in it; no sign and the same sound if it needs none."""
    odd = odd_factor(sound.eighths)
    if odd not in _TUPLETS or sound.scale != ONE:
        return "", sound
    p, q = _TUPLETS[odd]
    return f"({p}:{q}:1", replace(sound, eighths=sound.eighths * p / q)


def without_tuplets(tokens: Sequence[str]) -> list[str]:
    """The tokens with the lengths that tuplets of one note stand for; undoes `as_tuplet`."""
    if not _RATIOS.keys() & set(tokens):
        return list(tokens)
    result: list[str] = []
    ratio: Fraction | None = None  # of a tuplet whose note has not ended
    in_chord = False
    for index, token in enumerate(tokens):
        if token in _RATIOS:
            ratio = _RATIOS[token]
            continue
        name = kind(token)
        result.append(token)
        if ratio is None:
            continue
        in_chord = name == "open" or (in_chord and name != "close")
        if in_chord or name not in ("pitch", "rest", "close", "duration"):
            continue
        if name == "duration":
            result.pop()
            eighths, broken = parse_duration(token)
        elif index + 1 < len(tokens) and kind(tokens[index + 1]) == "duration":
            continue
        else:
            eighths, broken = ONE, ""
        result += [duration_token(eighths / ratio, broken)]
        ratio = None
    return result
