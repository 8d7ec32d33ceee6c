"""Normalising tunes to the folk-rnn representation, and writing its tokens as ABC."""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from symbotunes.music.abc.barlines import close_bars, closing_bars, open_repeats
from symbotunes.music.abc.beams import beamed
from symbotunes.music.abc.keys import MODES, Key, parse_key
from symbotunes.music.abc.lengths import factor, parse_meter
from symbotunes.music.abc.phrases import can_be_broken, parse_tokens, scaled, tied
from symbotunes.music.abc.reader import ParsedTune
from symbotunes.music.abc.spelling import explicit_accidentals, respell, shorter_way
from symbotunes.music.abc.tokens import (
    Bar,
    Item,
    Phrase,
    Sound,
    Tuplet,
    default_q,
    duration_token,
)
from symbotunes.music.abc.tune import AbcError

Root = Literal["C", "keep"]
BARS_PER_LINE = 4
_TOKEN = re.compile(
    r"(?P<duration>(?=[0-9/<>])([0-9]*)((?:/[0-9]*)*)(>{1,3}|<{1,3})?)"
    r"|\|[|\]](?!:)|\([2-9](?::[1-9]:[1-9])?|\|[1-9](?:[,-][1-9])*|:\||\|:|\||\[|\]"
    r"|(?:\^\^|__|[=^_])?[A-Ga-g][,']*|z|-"
)
_PROMPT_FIELD = re.compile(
    r"M:[ \t]*(?P<meter>\S+)|L:[ \t]*(?P<unit>\S+)|K:[ \t]*(?P<key>[A-GH][#b]?(?:[ \t]*(?:"
    + "|".join([*MODES, "ion", "aeo"])
    + r")[a-z]*|m\b)?(?!\S)|\S+)",
    re.IGNORECASE,
)
_LIKE_A_FIELD = re.compile(r"\A[A-Za-z](?= *:)")
_OTHER_FIELD = re.compile(r"^[A-JN-Zm-z]:.*$", re.MULTILINE)


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


def sound_tokens(sound: Sound) -> list[str]:
    """Tokens of one note, chord or rest."""
    duration = duration_token(sound.eighths, sound.broken)
    tail = [duration] if duration else []
    if not sound.pitches:
        return ["z", *tail]
    if len(sound.pitches) == 1:
        pitch = sound.pitches[0]
        return [str(pitch), *tail, *(["-"] if pitch.tied else [])]
    inside = []
    for pitch in sound.pitches:
        inside += [str(pitch), *(["-"] if pitch.tied else [])]
    return ["[", *inside, "]", *tail]


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


def to_abc(tokens: Sequence[str], *, number: int = 1, title: str = "Untitled") -> str:
    """Valid ABC of the tokens; what is not well-formed is mended as `parse_tokens` says.

    Args:
        tokens: any list.
        number: reference number, ``X:``.
        title: one line; control characters become spaces, comment signs are escaped.
    """
    phrase = parse_tokens(tokens)
    safe = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", title).split()).replace("%", r"\%")
    head = [f"X:{number}", f"T:{safe or 'Untitled'}", f"M:{phrase.meter}", "L:1/8"]
    # A line that began with "A :|" would read like a field; "A1" is the same note.
    body = [_LIKE_A_FIELD.sub(r"\g<0>1", line) for line in _lines(phrase)]
    return "\n".join([*head, f"K:{phrase.key}", *body]) + "\n"


def _lines(phrase: Phrase) -> list[str]:
    lines: list[str] = []
    words: list[str] = []
    bars, glue = 0, ""
    closing, joined = closing_bars(phrase.items), beamed(phrase)
    for index, item in enumerate(phrase.items):
        text = closing.get(index) or "".join(item_tokens(item, phrase.meter))
        if isinstance(item, Tuplet):
            glue = text  # stands against its first note
            continue
        if index in joined:
            words[-1] += text
        else:
            words.append(glue + text)
        glue = ""
        bars += isinstance(item, Bar) and item.sign in ("|", ":|")
        if bars == BARS_PER_LINE:
            lines.append(" ".join(words))
            words, bars = [], 0
    return [*lines, " ".join(words)] if words else lines


def from_abc(text: str) -> list[str]:
    """Tokens of ABC that `to_abc` wrote, exactly those that were written.

    Raises:
        AbcError: if it holds anything else.
    """
    head, body = [], []
    for line in text.splitlines():
        if line[:2] in ("M:", "K:"):
            head.append(line.strip())
        elif line[1:2] != ":" or line[:1] in "|:":
            body.append(line)
    return [*head, *lex(" ".join(body))]


def lex(text: str) -> list[str]:
    """Tokens of a body in the folk-rnn language, spaces or not; ``A/`` and ``A1`` are understood.

    Raises:
        AbcError: naming what is no token.
    """
    tokens, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found = _TOKEN.match(text, at)
        if not found:
            word = text[at:].split()[0]
            raise AbcError("no music in ABC", word[:20])
        token = "|" if found[0] in ("||", "|]") else found[0]
        if found["duration"]:
            token = duration_token(factor(found[2], found[3]), found[4] or "")
        tokens += [token] if token else []
        at = found.end()
    return tokens


def prompt_tokens(text: str) -> list[str]:
    """Tokens of the beginning of a tune, as a user types it: ``M:6/8 K:Cdor A2 B``.

    Meter and key may stand on lines of their own or not; ``K:C`` means the major key. Other fields
    are passed over, but lengths must count eighths.

    Raises:
        AbcError: naming what is no token.
    """
    text = _OTHER_FIELD.sub(" ", text.replace("\\n", "\n"))
    head = []
    for found in _PROMPT_FIELD.finditer(text):
        if found["meter"]:
            head.append(f"M:{parse_meter(found['meter'])}")
        elif found["key"]:
            head.append(f"K:{parse_key(found['key'])}")
        elif found["unit"] != "1/8":
            raise AbcError("lengths must count eighths, L:1/8", found[0])
    return [*head, *lex(_PROMPT_FIELD.sub(" ", text))]
