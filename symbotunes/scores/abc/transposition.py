"""Moving tunes to other keys, spelled as the new key asks."""

from collections.abc import Sequence

from symbotunes.scores.abc.folk import phrase_tokens
from symbotunes.scores.abc.keys import LETTERS, Key, parse_key
from symbotunes.scores.abc.phrases import items_of, parse_tokens
from symbotunes.scores.abc.spelling import respell, shorter_way
from symbotunes.scores.abc.tokens import Sound, kind
from symbotunes.scores.abc.tune import AbcError


def transpose(tokens: Sequence[str], semitones: int) -> list[str]:
    """The tune moved up (negative: down); ``K:Gmaj`` moved by 2 becomes ``K:Amaj``.

    The way back restores every note; of tunes that `normalise` wrote the tokens too, if the key has
    no enharmonic twin.

    Args:
        tokens: a tune with its meter and key; what is not well-formed is mended.
        semitones: any number; 0 returns the tokens as they are.

    Raises:
        AbcError: if there is no key, or a note would need three sharps or flats.
    """
    if not semitones:
        return list(tokens)
    phrase = parse_tokens(tokens)
    if "no key" in phrase.problems:
        raise AbcError("no key")
    key = moved_key(phrase.key, semitones)
    return phrase_tokens(phrase.meter, key, respell(phrase.items, phrase.key, key, semitones))


def moved_to_c(tokens: Sequence[str]) -> tuple[list[str], int]:
    """A tune, or any beginning of one, on the tonic C; its mode is kept.

    Args:
        tokens: those of chords, tuplets and repeats may be cut short.

    Returns:
        The tokens, one for one, and the semitones up from them to where they were. Without a key
        they stay where they are.

    Raises:
        AbcError: if a note would need three sharps or flats, or lie beyond hearing.
    """
    written = next((token for token in tokens if kind(token) == "key"), None)
    if written is None:
        return list(tokens), 0
    old = parse_key(written[2:])
    new = Key(0, 0, old.mode)
    down = shorter_way(old, new)
    if old == new:
        return list(tokens), 0
    sounds = [item for item in respell(items_of(tokens), old, new, down) if isinstance(item, Sound)]
    pitches = iter([str(pitch) for sound in sounds for pitch in sound.pitches])
    names = {written: f"K:{new}"}
    moved = [
        next(pitches) if kind(token) == "pitch" else names.get(token, token) for token in tokens
    ]
    return moved, -down


def moved_key(key: Key, semitones: int) -> Key:
    """The key that many semitones away, of those that sound alike the one with fewest accidentals.

    Between six sharps and six flats the signs of the old key decide.
    """
    target = (key.pitch_class + semitones) % 12
    alike = [
        candidate
        for letter in range(len(LETTERS))
        for alter in (0, 1, -1)
        if (candidate := Key(letter, alter, key.mode)).pitch_class % 12 == target
    ]
    sign = -1 if key.sharps < 0 else 1
    return min(alike, key=lambda candidate: (abs(candidate.sharps), -sign * candidate.sharps))
