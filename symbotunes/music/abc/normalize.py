"""Normalising tunes to the folk-rnn representation, and writing its tokens as ABC."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from symbotunes.music.abc.barlines import close_bars, open_repeats
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import Key
from symbotunes.music.abc.phrases import can_be_broken, parse_tokens, scaled, tied
from symbotunes.music.abc.reader import ParsedTune
from symbotunes.music.abc.spelling import explicit_accidentals, respell, shorter_way
from symbotunes.music.abc.tokens import (
    Item,
    Sound,
    Tuplet,
)
from symbotunes.music.abc.writing import phrase_tokens

Root = Literal["C", "keep"]


def normalise(tune: ParsedTune, root: Root = "C") -> list[str]:
    """The tune as folk-rnn tokens: meter, key, then notes, durations in eighths and bar signs.

    Accidentals are written where they are needed and nowhere else; repeats begin with ``|:``; tied
    notes inside a bar become one, between bars ``-`` ties them.

    Args:
        tune: as it was read.
        root: ``C`` moves the tonic to the nearest C and keeps the mode; ``keep`` keeps the key.

    Raises:
        AbcError: if the tune cannot be spelled, or its tuplets or broken rhythm are cut short.
    """
    full = None if tune.meter == "none" else 8 * Fraction(tune.meter)
    items = open_repeats(close_bars(explicit_accidentals(tune.key, tune.items), full))
    items = merge_ties(even_broken_rhythm(items))
    key = Key(0, 0, tune.key.mode) if root == "C" else tune.key
    moved = respell(items, tune.key, key, shorter_way(tune.key, key))
    tokens = phrase_tokens(tune.meter, key, moved)
    problems = [text for text in parse_tokens(tokens).problems if "bar sign" not in text]
    if problems:
        raise AbcError(problems[0])
    return tokens


def even_broken_rhythm(items: Sequence[Item]) -> list[Item]:
    """Broken rhythm only where it has a meaning, see `can_be_broken`."""
    result = scaled(items)
    before: Sound | None = None
    for index, item in enumerate(result):
        if not isinstance(item, Sound):
            continue
        if item.broken:
            after = next((one for one in result[index + 1 :] if isinstance(one, Sound)), None)
            if after is not None and not can_be_broken(before, item, after):
                item = result[index] = Sound(item.pitches, item.eighths, "", item.scale)
        before = item
    return result


def merge_ties(items: Sequence[Item]) -> list[Item]:
    """Tied notes inside a bar become one; ties that lead to another pitch are slurs and go.

    Every pitch must carry its accidental, see `explicit_accidentals`. Notes in chords, tuplets and
    broken rhythm stay as they are.
    """
    result: list[Item] = []
    left = 0  # sounds still to come in a tuplet
    mergeable = False  # whether the last of `result` may grow
    broken = False  # whether broken rhythm led to it
    for index, item in enumerate(items):
        if isinstance(item, Tuplet):
            left = item.r
        if not isinstance(item, Sound):
            result.append(item)
            mergeable = False
            continue
        item = _with_real_ties(item, items, index)
        last = result[-1] if result else None
        if mergeable and not left and _can_merge(last, item):
            assert isinstance(last, Sound)
            result[-1] = Sound(item.pitches, last.eighths + item.eighths)
        else:
            result.append(item)
        mergeable = not left and not broken
        broken, left = bool(item.broken), max(0, left - 1)
    return result


def _can_merge(last: Item | None, item: Sound) -> bool:
    return (
        isinstance(last, Sound)
        and len(last.pitches) == len(item.pitches) == 1
        and last.pitches[0].tied
        and tied(item.pitches[0]) == last.pitches[0]
        and not last.broken
        and not item.broken
    )


def _with_real_ties(item: Sound, items: Sequence[Item], index: int) -> Sound:
    """Ties only where the next sound holds a pitch that is heard alike."""
    if not any(pitch.tied for pitch in item.pitches):
        return item
    after = next((one for one in items[index + 1 :] if isinstance(one, Sound)), None)
    heard = {pitch.midi(pitch.accidental or 0) for pitch in after.pitches} if after else set()
    pitches = tuple(
        tied(pitch, pitch.tied and pitch.midi(pitch.accidental or 0) in heard)
        for pitch in item.pitches
    )
    return Sound(pitches, item.eighths, item.broken, item.scale)
