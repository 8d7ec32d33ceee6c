"""Whether bars have the length that the meter requires, and notes belong to the key."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from symbotunes.music.abc.accidentals import alterations_in
from symbotunes.music.abc.keys import NATURAL
from symbotunes.music.abc.phrases import as_phrase, sounding_eighths
from symbotunes.music.abc.tokens import Bar, Change, Item, Phrase, Sound, bar_eighths


@dataclass(frozen=True)
class BarCheck:
    """Number of bars of a tune that can be judged, and how many of them are right."""

    bars: int
    right: int


@dataclass(frozen=True)
class _Stretch:
    """Music between two bar signs: its length, and whether it touches an edge on either side.

    An edge is the beginning, the end, or a repeat or ending sign: a bar may be split there.
    """

    eighths: Fraction
    after_edge: bool
    before_edge: bool


def check_bars(music: Sequence[str] | Phrase) -> BarCheck:
    """Count the bars and right bars of a tune; without meter, none can be judged.

    A bar is right if its sounds fill the meter exactly. Where repeats, endings, the beginning or
    the end split a bar, a short stretch is right if another short one at an edge completes it; an
    upbeat at the beginning is always right. Two adjacent parts count as one bar.

    Args:
        music: any tokens, or the phrase parsed from them.
    """
    phrase = as_phrase(music)
    checks = [
        _check(items, full, first=not index)
        for index, (meter, items) in enumerate(_sections(phrase))
        if (full := bar_eighths(meter)) is not None
    ]
    return BarCheck(sum(check.bars for check in checks), sum(check.right for check in checks))


def share_in_key(phrase: Phrase) -> float | None:
    """The share of written notes whose pitch class is in the key in force; ``None`` without notes.

    The notes of a chord count one by one, those of repeats once.
    """
    key, inside, notes = phrase.key, 0, 0
    alterations = alterations_in(key.signature, phrase.items)
    for item, alters in zip(phrase.items, alterations, strict=True):
        if isinstance(item, Change):
            key = item.key or key
        elif isinstance(item, Sound):
            classes = {(NATURAL[letter] + key.signature[letter]) % 12 for letter in range(7)}
            sounding = [
                (NATURAL[pitch.letter] + alter) % 12
                for pitch, alter in zip(item.pitches, alters, strict=True)
            ]
            notes += len(sounding)
            inside += sum(note in classes for note in sounding)
    return inside / notes if notes else None


def _sections(phrase: Phrase) -> Iterator[tuple[str, Sequence[Item]]]:
    """The stretches of a tune that have one meter."""
    begin = 0
    meter = phrase.meter
    for index, item in enumerate(phrase.items):
        if isinstance(item, Change) and item.meter is not None:
            yield meter, phrase.items[begin:index]
            begin, meter = index, item.meter
    yield meter, phrase.items[begin:]


def _check(items: Sequence[Item], full: Fraction, *, first: bool) -> BarCheck:
    """Check bars that have one length; `first` says whether they begin the tune."""
    stretches = _stretches(items)
    short = [
        stretch.eighths
        for stretch in stretches
        if stretch.eighths < full and (stretch.after_edge or stretch.before_edge)
    ]
    bars = right = 0
    joined = False
    for index, stretch in enumerate(stretches):
        before = stretches[index - 1] if index else None
        joined = not joined and _completes(before, stretch, full)
        if joined:
            continue
        bars += 1
        right += _is_right(stretch, full, short, first=first and index == 0)
    return BarCheck(bars, right)


def _completes(before: _Stretch | None, stretch: _Stretch, full: Fraction) -> bool:
    """Whether two short stretches meet at an edge and are one bar together."""
    return (
        before is not None
        and before.before_edge
        and stretch.after_edge
        and stretch.eighths < full
        and before.eighths + stretch.eighths == full
    )


def _is_right(stretch: _Stretch, full: Fraction, short: list[Fraction], *, first: bool) -> bool:
    if stretch.eighths == full:
        return True
    if stretch.eighths > full:
        return False
    if first and stretch.after_edge:
        return True
    at_edge = stretch.after_edge or stretch.before_edge
    itself = int(2 * stretch.eighths == full)  # a half bar does not complete itself
    return at_edge and short.count(full - stretch.eighths) > itself


def _stretches(items: Sequence[Item]) -> list[_Stretch]:
    result: list[_Stretch] = []
    filled, after_edge = Fraction(0), True
    for item, length in zip(items, sounding_eighths(items), strict=True):
        if isinstance(item, Sound):
            filled += length
        elif isinstance(item, Bar):
            edge = item.sign != "|"
            if filled:
                result.append(_Stretch(filled, after_edge, edge))
                filled, after_edge = Fraction(0), edge
            else:
                after_edge = after_edge or edge
                if edge and result:
                    last = result[-1]
                    result[-1] = _Stretch(last.eighths, last.after_edge, True)
    if filled:
        result.append(_Stretch(filled, after_edge, True))
    elif result:
        last = result[-1]
        result[-1] = _Stretch(last.eighths, last.after_edge, True)
    return result
