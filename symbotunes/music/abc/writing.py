"""Writing the items of a tune as Folk-RNN tokens."""

from collections.abc import Sequence

from symbotunes.music.abc.keys import Key
from symbotunes.music.abc.tokens import Bar, Item, Sound, Tuplet, default_q, duration_token


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


def item_tokens(item: Item, meter: str) -> list[str]:
    """Tokens of one item."""
    if isinstance(item, Bar):
        return [item.sign]
    if isinstance(item, Tuplet):
        default = item.q == default_q(item.p, meter) and item.r == item.p
        return [f"({item.p}" if default else f"({item.p}:{item.q}:{item.r}"]
    return sound_tokens(item)


def phrase_tokens(meter: str, key: Key, items: Sequence[Item]) -> list[str]:
    """Tokens of a whole tune, meter and key first."""
    return [
        f"M:{meter}",
        f"K:{key}",
        *(token for item in items for token in item_tokens(item, meter)),
    ]
