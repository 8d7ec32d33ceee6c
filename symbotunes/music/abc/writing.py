"""Writing the items of a tune as Folk-RNN tokens."""

from collections.abc import Iterator, Sequence

from symbotunes.music.abc.keys import Key
from symbotunes.music.abc.tokens import Bar, Change, Item, Sound, Tuplet, default_q, duration_token


def sound_tokens(sound: Sound) -> list[str]:
    """Tokens of one note, chord or rest."""
    duration = duration_token(sound.eighths, sound.broken)
    tail = [duration] if duration else []
    if not sound.pitches:
        return ["z", *tail]
    if len(sound.pitches) == 1:
        pitch = sound.pitches[0]
        return [str(pitch), *tail, *(["-"] if pitch.tied else [])]
    return [*open_chord_tokens(sound), "]", *tail]


def open_chord_tokens(sound: Sound) -> list[str]:
    """Tokens of a chord that is not closed yet."""
    tokens = ["["]
    for pitch in sound.pitches:
        tokens += [str(pitch), *(["-"] if pitch.tied else [])]
    return tokens


def meters_of(meter: str, items: Sequence[Item]) -> Iterator[str]:
    """The meter in force at every item, given the first."""
    for item in items:
        if isinstance(item, Change) and item.meter is not None:
            meter = item.meter
        yield meter


def keys_of(key: Key, items: Sequence[Item]) -> Iterator[Key]:
    """The key in force at every item, given the first."""
    for item in items:
        if isinstance(item, Change) and item.key is not None:
            key = item.key
        yield key


def item_tokens(item: Item, meter: str, first: str | None = None) -> list[str]:
    """Tokens of one item.

    Args:
        item: of a tune.
        meter: in force.
        first: the tune's first meter, in which abc2midi reads tuplets wherever they stand; ``None``
            if it is the same.
    """
    if isinstance(item, Bar):
        return [item.sign]
    if isinstance(item, Change):
        return [str(item)]
    if isinstance(item, Tuplet):
        usual = {default_q(item.p, meter), default_q(item.p, first or meter)}
        default = usual == {item.q} and item.r == item.p
        return [f"({item.p}" if default else f"({item.p}:{item.q}:{item.r}"]
    return sound_tokens(item)


def phrase_tokens(meter: str, key: Key, items: Sequence[Item]) -> list[str]:
    """Tokens of a whole tune, meter and key first."""
    tokens = [f"M:{meter}", f"K:{key}"]
    for item, current in zip(items, meters_of(meter, items), strict=True):
        tokens += item_tokens(item, current, meter)
    return tokens
