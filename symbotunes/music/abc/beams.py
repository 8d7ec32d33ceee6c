"""Which notes share a beam."""

from fractions import Fraction

from symbotunes.music.abc.phrases import sounding_eighths, upbeat_eighths
from symbotunes.music.abc.tokens import Bar, Change, Item, Phrase, Sound, Tuplet, bar_eighths

QUARTER = 2  # eighths; notes from this length on have no flag


def beamed(phrase: Phrase) -> set[int]:
    """Indices of the sounds that are written without a space after the sound before them.

    These are notes with flags in the same stretch of `beam_eighths`. Bar signs and rests separate
    beams, and tuplets have beams of their own.
    """
    lengths = sounding_eighths(phrase.items)
    full, beam = phrase.bar_eighths, beam_eighths(phrase.meter)
    upbeat = upbeat_eighths(phrase)
    now = full - upbeat if full is not None and upbeat else Fraction(0)
    joined: set[int] = set()
    before: Fraction | None = None  # where the note that may be joined began
    left = 0  # notes of a tuplet
    for index, item in enumerate(phrase.items):
        if isinstance(item, Change) and item.meter is not None:
            full, beam, now = bar_eighths(item.meter), beam_eighths(item.meter), Fraction(0)
        if isinstance(item, Bar) and (item.sign == "|" or full is None or now >= full):
            now = Fraction(0)
        if not _has_flag(item):
            before = None
        else:
            if before is not None and before // beam == now // beam:
                joined.add(index)
            before = now
        now += lengths[index]
        if isinstance(item, Tuplet):
            left = item.r
        elif left:
            left -= 1
            before = before if left else None  # the number is only written over the tuplet's notes
    return joined


def beam_eighths(meter: str) -> int:
    """Longest beam in eighths: a dotted quarter of 6/8, half a bar of common time, else a beat."""
    top, _, bottom = meter.partition("/")
    if bottom == "8" and int(top) % 3 == 0:
        return 3
    return 4 if meter in ("4/4", "2/2", "4/2") else 2


def _has_flag(item: Item) -> bool:
    return isinstance(item, Sound) and bool(item.pitches) and item.eighths < QUARTER
