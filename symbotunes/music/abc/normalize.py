"""Normalizing tunes to the Folk-RNN representation, and writing its tokens as ABC."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from symbotunes.music.abc.accidentals import written_out
from symbotunes.music.abc.barlines import close_bars, open_repeats
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import Key
from symbotunes.music.abc.phrases import can_be_broken, complete, scaled, tied
from symbotunes.music.abc.reader import ParsedTune
from symbotunes.music.abc.spelling import respell_explicit, shorter_way
from symbotunes.music.abc.tokens import (
    Item,
    Phrase,
    Sound,
    Tuplet,
    kind,
)
from symbotunes.music.abc.writing import phrase_tokens

Root = Literal["C", "keep"]


@dataclass(frozen=True)
class NormalTune:
    """A normalized tune in one key: its meaning and its tokens.

    Attributes:
        phrase: what `parse_tokens` would make of the tokens.
        tokens: meter, key, then notes, durations in eighths and bar signs.
    """

    phrase: Phrase
    tokens: tuple[str, ...]


def normalize(tune: ParsedTune, root: Root = "C") -> list[str]:
    """The tune as Folk-RNN tokens: meter, key, then notes, durations in eighths and bar signs.

    Accidentals are written only where they are needed; repeats begin with ``|:``; tied notes within
    a bar become one, and those across bars keep their ``-``.

    Args:
        tune: as read.
        root: ``C`` moves the tonic to the nearest C and keeps the mode; ``keep`` keeps the key.

    Raises:
        AbcError: if the tune cannot be spelled, or its tuplets or broken rhythm are cut short.
    """
    return list(spell(plain_form(tune), root).tokens)


def plain_form(tune: ParsedTune) -> Phrase:
    """The part of `normalize` that is the same for every root.

    Returns:
        The tune in its own key, normalized, but with every accidental written out. Its items are
        not repaired, so that `spell` can report what is wrong with them.
    """
    full = None if tune.meter == "none" else 8 * Fraction(tune.meter)
    items = scaled(written_out(tune.key.signature, tune.items))
    items = merge_ties(even_broken_rhythm(open_repeats(close_bars(items, full))))
    _, problems = complete(items)
    return Phrase(tune.meter, tune.key, tuple(items), tuple(problems))


def spell(plain: Phrase, root: Root) -> NormalTune:
    """The rest of `normalize`: the tune in the key that the root determines.

    Args:
        plain: from `plain_form`.
        root: as for `normalize`.

    Raises:
        AbcError: if the tune cannot be spelled, or its tuplets or broken rhythm are cut short.
    """
    key = Key(0, 0, plain.key.mode) if root == "C" else plain.key
    items = respell_explicit(plain.items, plain.key, key, shorter_way(plain.key, key))
    tokens = phrase_tokens(plain.meter, key, items)
    unknown = [f"unknown token {token}" for token in tokens if kind(token) == "unknown"]
    serious = [text for text in plain.problems if "bar sign" not in text]
    for reason in (*unknown, *serious):
        raise AbcError(reason)
    # Without problems nothing was repaired: parsing the tokens would give these same items.
    return NormalTune(Phrase(plain.meter, key, tuple(items), plain.problems), tuple(tokens))


def even_broken_rhythm(items: Sequence[Item]) -> list[Item]:
    """Keep broken rhythm where it is meaningful, see `can_be_broken`; tuplets must be scaled."""
    result = list(items)
    before: Sound | None = None
    for index, item in enumerate(result):
        if not isinstance(item, Sound):
            continue
        if item.broken:
            after = next((later for later in result[index + 1 :] if isinstance(later, Sound)), None)
            if after is not None and not can_be_broken(before, item, after):
                item = result[index] = Sound(item.pitches, item.eighths, "", item.scale)
        before = item
    return result


def merge_ties(items: Sequence[Item]) -> list[Item]:
    """Merge tied notes within a bar; ties that lead to another pitch are slurs, and are removed.

    Every pitch must carry its accidental, see `written_out`. Notes in chords, tuplets and
    broken rhythm stay as they are.
    """
    result: list[Item] = []
    left = 0  # sounds still to come in a tuplet
    mergeable = False  # whether the last item of `result` may be extended
    broken = False  # whether it is the second of a broken pair
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
    """Keep ties only where the next sound contains the same sounding pitch."""
    if not any(pitch.tied for pitch in item.pitches):
        return item
    after = next((later for later in items[index + 1 :] if isinstance(later, Sound)), None)
    sounding = {pitch.midi(pitch.accidental or 0) for pitch in after.pitches} if after else set()
    pitches = tuple(
        tied(pitch, pitch.tied and pitch.midi(pitch.accidental or 0) in sounding)
        for pitch in item.pitches
    )
    return Sound(pitches, item.eighths, item.broken, item.scale)
