"""Transposing tunes to other keys, with the spelling of the new key."""

from collections.abc import Sequence
from dataclasses import replace

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import LETTERS, Key, parse_key
from symbotunes.music.abc.phrases import items_of, parse_tokens
from symbotunes.music.abc.spelling import moved_by_steps, respell, shorter_way
from symbotunes.music.abc.tokens import Change, Phrase, Sound, kind
from symbotunes.music.abc.writing import phrase_tokens


def transpose(tokens: Sequence[str], semitones: int) -> list[str]:
    """The tune moved up (negative: down); ``K:Gmaj`` moved by 2 becomes ``K:Amaj``.

    Moving back restores every note; for tunes from `normalize`, also the tokens, if the key has no
    enharmonic equivalent.

    Args:
        tokens: a tune with its meter and key; repaired if it is not well-formed.
        semitones: any number; 0 returns the tokens unchanged.

    Raises:
        AbcError: if there is no key, or a note would need three sharps or flats.
    """
    if not semitones:
        return list(tokens)
    phrase = parse_tokens(tokens, changes=True)
    if "no key" in phrase.problems:
        raise AbcError("no key")
    key = moved_key(phrase.key, semitones)
    return phrase_tokens(phrase.meter, key, respell(phrase.items, phrase.key, key, semitones))


def to_c(tokens: Sequence[str]) -> list[str]:
    """Move a tune, or any beginning of one, to the tonic C, in the same mode.

    Args:
        tokens: chords, tuplets and repeats may be incomplete. Without a key, the tokens do not
            change.

    Returns:
        The same number of tokens.

    Raises:
        AbcError: if a note would need three sharps or flats, or be out of range.
    """
    old = key_in(tokens)
    if old is None or old == on_c(old):
        return list(tokens)
    items = respell(items_of(tokens), old, on_c(old), shorter_way(old, on_c(old)))
    changed = [item.key for item in items if isinstance(item, Change) and item.key is not None]
    sounds = [item for item in items if isinstance(item, Sound)]
    of_kind = {
        "pitch": iter([str(pitch) for sound in sounds for pitch in sound.pitches]),
        "key": iter([f"K:{key}" for key in (on_c(old), *changed)]),
    }
    return [
        next(of_kind[name], token) if (name := kind(token)) in of_kind else token
        for token in tokens
    ]


def from_c(phrase: Phrase, key: Key) -> Phrase:
    """Move a tune on C back to a key: the inverse of `to_c`, with the spelling of that key.

    Args:
        phrase: of a tune.
        key: gives the tonic; the tune keeps its mode.

    Raises:
        AbcError: if a note would need three sharps or flats, or be out of range.
    """
    back = -shorter_way(key, on_c(key))
    target = Key(key.letter, key.alter, phrase.key.mode)
    if phrase.key != on_c(phrase.key):  # a tune that begins after a change of key
        target = moved_by_steps(phrase.key, key.letter, back)
    items = respell(phrase.items, phrase.key, target, back)
    return replace(phrase, key=target, items=tuple(items))


def key_in(tokens: Sequence[str]) -> Key | None:
    """The key token's key, or ``None`` if there is no key token."""
    written = next((token for token in tokens if kind(token) == "key"), None)
    return None if written is None else parse_key(written[2:])


def on_c(key: Key) -> Key:
    """The key on C of the same mode."""
    return Key(0, 0, key.mode)


def moved_key(key: Key, semitones: int) -> Key:
    """The key a number of semitones away: of enharmonic keys, the one with the fewest accidentals.

    Between six sharps and six flats, the old key's accidentals decide.
    """
    target = (key.pitch_class + semitones) % 12
    enharmonic = [
        candidate
        for letter in range(len(LETTERS))
        for alter in (0, 1, -1)
        if (candidate := Key(letter, alter, key.mode)).pitch_class % 12 == target
    ]
    sign = -1 if key.sharps < 0 else 1
    return min(enharmonic, key=lambda candidate: (abs(candidate.sharps), -sign * candidate.sharps))
