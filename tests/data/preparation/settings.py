"""Settings of tunes, as players would write them down: other notes, ornaments, another key."""

import random

from symbotunes.music.abc.tokens import kind

LETTERS = "CDEFGABcdefgab"
Tokens = tuple[str, ...]


def changed(tokens: Tokens, rng: random.Random) -> Tokens:
    """One note in eight is another one."""
    return tuple(
        rng.choice([letter for letter in LETTERS if letter != token])
        if kind(token) == "pitch" and rng.random() < 1 / 8
        else token
        for token in tokens
    )


def ornamented(tokens: Tokens, rng: random.Random) -> Tokens:
    """One eighth in eight is two sixteenths, and one quarter in four has a turn in it."""
    written: list[str] = []
    in_tuplet = skipped = 0
    for place, token in enumerate(tokens):
        if skipped:
            skipped -= 1
            continue
        if kind(token) == "tuplet":
            in_tuplet = int(token[1]) + 1
        is_note = kind(token) == "pitch" and "[" not in tokens
        if kind(token) in ("pitch", "rest", "tuplet") and in_tuplet:
            in_tuplet -= 1
            is_note = False
        before = tokens[place - 1] if place else ""
        after = tokens[place + 1] if place + 1 < len(tokens) else ""
        if not is_note or set(before) & set("<>") or kind(after) == "tie":
            written.append(token)
        elif kind(after) != "duration" and rng.random() < 1 / 8:
            written += [token, "/2", rng.choice(LETTERS), "/2"]
        elif after == "2" and rng.random() < 1 / 4:
            written += [token, "/2", rng.choice(LETTERS), "/2", token]
            skipped = 1
        else:
            written.append(token)
    return tuple(written)
