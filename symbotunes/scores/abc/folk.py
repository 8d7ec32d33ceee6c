"""Normalising tunes to the folk-rnn representation, and writing its tokens as ABC."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Literal

from symbotunes.scores.abc.keys import NATURAL, Key
from symbotunes.scores.abc.reader import ParsedTune
from symbotunes.scores.abc.tokens import (
    LINE_END,
    Bar,
    Item,
    Phrase,
    Pitch,
    Sound,
    Tuplet,
    alterations,
    can_be_broken,
    default_q,
    duration_token,
    parse_tokens,
    sounding_eighths,
)
from symbotunes.scores.abc.tune import AbcError

Root = Literal["C", "keep"]
BARS_PER_LINE = 4
_TOKEN = re.compile(
    r"\|[|\]](?!:)|\(\d(?::\d:\d)?|\|\d(?:[,-]\d)*|:\||\|:|\||\[|\]|(?:\^\^|__|[=^_])?[A-Ga-g][,']*|z|-"
    r"|\d*(?:/\d+)?[<>]{0,3}"
)


def normalise(tune: ParsedTune, root: Root = "C") -> list[str]:
    """The tune as folk-rnn tokens: meter, key, then notes, durations in eighths and bar signs.

    Args:
        tune: as it was read.
        root: ``C`` moves the tonic to the nearest C and keeps the mode; ``keep`` keeps the key.

    Raises:
        AbcError: if the tune cannot be spelled, or its tuplets or broken rhythm are cut short.
    """
    source = replace(tune, items=tuple(explicit_accidentals(tune)))
    items = merge_ties(even_broken_rhythm(open_repeats(close_bars(source))))
    phrase = Phrase(tune.meter, tune.key, tuple(items), ())
    key = Key(0, 0, tune.key.mode) if root == "C" else tune.key
    tokens = respell(phrase, key)
    problems = [text for text in parse_tokens(tokens).problems if "bar sign" not in text]
    if problems:
        raise AbcError(problems[0])
    return tokens


def explicit_accidentals(tune: ParsedTune) -> list[Item]:
    """The items with every accidental written out, as the source's own bar signs let them hold.

    Bar signs that are added later then change no note.
    """
    phrase = Phrase(tune.meter, tune.key, tune.items, ())
    return [
        replace(
            item,
            pitches=tuple(
                replace(pitch, accidental=alter)
                for pitch, alter in zip(item.pitches, alters, strict=True)
            ),
        )
        if isinstance(item, Sound)
        else item
        for item, alters in zip(tune.items, alterations(phrase), strict=True)
    ]


def even_broken_rhythm(items: Sequence[Item]) -> list[Item]:
    """Broken rhythm only where it has a meaning, see `can_be_broken`."""
    result = list(items)
    before: Sound | None = None
    for index, item in enumerate(result):
        if not isinstance(item, Sound):
            continue
        after = next((one for one in result[index + 1 :] if isinstance(one, Sound)), None)
        if item.broken and after is not None and not can_be_broken(before, item, after):
            item = result[index] = replace(item, broken="")
        before = item
    return result


def open_repeats(items: Sequence[Item]) -> list[Item]:
    """Every ``:|`` gets the ``|:`` that it goes back to, unless that is the beginning.

    The first goes back to the beginning. A later one without ``|:`` goes back to the last double
    bar, or to the repeat before it.
    """
    result: list[Item] = []
    opened, double, closed = True, None, None  # the tune begins open; places in `result`
    for index, item in enumerate(items):
        result.append(item)
        if not isinstance(item, Bar):
            continue
        here = len(result) - 1
        if item.sign == "|:":
            opened = True
        elif item.sign == "||":
            double = here
        elif item.sign == ":|":
            if not opened and double is not None:
                result[double] = Bar("|:")
            elif not opened and closed is not None:
                result.insert(closed + 1, Bar("|:"))
                here += 1
            opened = ending_at(items, index + 1)
            double, closed = None, here
    return [Bar("|") if item == Bar("||") else item for item in result]


def ending_at(items: Sequence[Item], index: int) -> bool:
    """Whether an ending such as ``|2`` stands at a place."""
    item = items[index] if index < len(items) else None
    return isinstance(item, Bar) and item.sign[1:2].isdigit()


def close_bars(tune: ParsedTune) -> list[Item]:
    """Bar signs in canonical order; full bars that end with their line and have none get one."""
    full = None if tune.meter == "none" else 8 * Fraction(tune.meter)
    lengths = sounding_eighths(_scaled(tune.items))
    result: list[Item] = []
    filled = Fraction(0)
    signs: list[str] = []
    for item, length in zip(tune.items, lengths, strict=True):
        if isinstance(item, Bar):
            if item != LINE_END:
                signs.append(item.sign)
            elif full is not None and filled == full and not signs:
                signs.append("|")
            continue
        if signs:
            result += canonical_bars(signs, first=not result)
            signs, filled = [], Fraction(0)
        result.append(item)
        filled += length
    if full is not None and not signs:
        signs.append("|")
    return [*result, *canonical_bars(signs, first=False)]


def canonical_bars(signs: Iterable[str], *, first: bool) -> list[Item]:
    """Bar signs that stand side by side, in one order: end of repeat, ending, start of repeat."""
    given = list(signs)
    endings = [sign for sign in given if sign[1:2].isdigit()]
    result = [Bar(":|")] if ":|" in given and not first else []
    result += [Bar(sign) for sign in endings[-1:]]
    result += [Bar("|:")] if "|:" in given else []
    if not result and not first:
        result.append(Bar("||" if "||" in given else "|"))
    return list(result)


def _scaled(items: Sequence[Item]) -> list[Item]:
    """The items with the factors of their tuplets."""
    result: list[Item] = []
    left, scale = 0, Fraction(1)
    for item in items:
        if isinstance(item, Tuplet):
            left, scale = item.r, Fraction(item.q, item.p)
        elif isinstance(item, Sound) and left:
            item = replace(item, scale=scale)
            left -= 1
        result.append(item)
    return result


def merge_ties(items: Sequence[Item]) -> list[Item]:
    """Tied notes inside a bar become one; ties that lead to another pitch are slurs and go.

    Notes in tuplets and broken rhythm stay as they are.
    """
    result: list[Item] = []
    in_tuplet = 0
    for index, item in enumerate(items):
        if isinstance(item, Tuplet):
            in_tuplet = item.r
        if not isinstance(item, Sound):
            result.append(item)
            continue
        following = items[index + 1 :]
        item = replace(item, pitches=_real_ties(item, following))
        last = result[-1] if result else None
        if not in_tuplet and _can_merge(last, item):
            assert isinstance(last, Sound)
            result[-1] = replace(
                last, pitches=item.pitches, eighths=last.eighths + item.eighths
            )
            accidental = last.pitches[0].accidental
            result[-1] = replace(
                result[-1],
                pitches=(replace(item.pitches[0], accidental=accidental),),
                broken=item.broken,
            )
        else:
            result.append(item)
        in_tuplet = max(0, in_tuplet - 1)
    return result


def _can_merge(last: Item | None, item: Sound) -> bool:
    return (
        isinstance(last, Sound)
        and len(last.pitches) == len(item.pitches) == 1
        and last.pitches[0].tied
        and last.scale == 1
        and not last.broken
        and not item.broken
        and item.pitches[0].accidental in (None, last.pitches[0].accidental)
    )


def _real_ties(item: Sound, following: Sequence[Item]) -> tuple[Pitch, ...]:
    """Ties only where the next sound holds the same written pitch."""
    if not any(pitch.tied for pitch in item.pitches):
        return item.pitches
    after = next((one for one in following if isinstance(one, Sound)), None)
    names = {(pitch.letter, pitch.octave) for pitch in after.pitches} if after else set()
    return tuple(
        replace(pitch, tied=pitch.tied and (pitch.letter, pitch.octave) in names)
        for pitch in item.pitches
    )


def respell(phrase: Phrase, key: Key) -> list[str]:
    """The phrase with its tonic moved to that of `key`, by the shorter way, spelled for it.

    Raises:
        AbcError: if a note would need three sharps or flats.
    """
    steps = key.letter - phrase.key.letter
    semitones = key.pitch_class - phrase.key.pitch_class
    if semitones > 6:
        steps, semitones = steps - 7, semitones - 12
    elif semitones < -6:
        steps, semitones = steps + 7, semitones + 12
    tokens = [f"M:{phrase.meter}", f"K:{key}"]
    speller = Speller(key)
    for item, alters in zip(phrase.items, alterations(phrase), strict=True):
        if isinstance(item, Sound):
            item = replace(
                item,
                pitches=tuple(
                    speller.spell(pitch, pitch.midi(alter) + semitones, steps)
                    for pitch, alter in zip(item.pitches, alters, strict=True)
                ),
            )
        elif isinstance(item, Bar):
            speller.bar()
        tokens += item_tokens(item, phrase.meter)
    return tokens


class Speller:
    """Decides which accidentals must be written.

    One is written wherever a reader could take the note otherwise, whether it lets accidentals hold
    for one octave or for all; so every program hears the same.
    """

    def __init__(self, key: Key) -> None:
        self.signature = key.signature
        self.everywhere: dict[int, int] = {}
        self.here: dict[tuple[int, int], int] = {}

    def bar(self) -> None:
        """A bar sign: accidentals end."""
        self.everywhere.clear()
        self.here.clear()

    def spell(self, pitch: Pitch, midi: int, steps: int) -> Pitch:
        """The pitch moved by letter steps, with the accidental that makes it sound as `midi`.

        Raises:
            AbcError: if it would need three sharps or flats.
        """
        position = pitch.octave * 7 + pitch.letter + steps
        octave, letter = divmod(position, 7)
        alter = midi - 12 * (octave + 1) - NATURAL[letter]
        if abs(alter) > 2:
            raise AbcError("needs three sharps or flats when moved")
        default = self.signature[letter]
        understood = {
            self.everywhere.get(letter, default),
            self.here.get((letter, octave), default),
        }
        if understood == {alter}:
            return Pitch(letter, octave, None, pitch.tied)
        self.everywhere[letter] = alter
        self.here[letter, octave] = alter
        return Pitch(letter, octave, alter, pitch.tied)


def sound_tokens(sound: Sound) -> list[str]:
    """Tokens of one note, chord or rest."""
    duration = duration_token(sound.eighths, sound.broken)
    tail = [duration] if duration else []
    if not sound.pitches:
        return ["z", *tail]
    if len(sound.pitches) == 1:
        pitch = sound.pitches[0]
        return [str(replace(pitch, tied=False)), *tail, *(["-"] if pitch.tied else [])]
    inside = []
    for pitch in sound.pitches:
        inside += [str(replace(pitch, tied=False)), *(["-"] if pitch.tied else [])]
    return ["[", *inside, "]", *tail]


def item_tokens(item: Item, meter: str) -> list[str]:
    """Tokens of one item."""
    if isinstance(item, Bar):
        return [item.sign]
    if isinstance(item, Tuplet):
        default = item.q == default_q(item.p, meter) and item.r == item.p
        return [f"({item.p}" if default else f"({item.p}:{item.q}:{item.r}"]
    return sound_tokens(item)


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
    return "\n".join([*head, f"K:{phrase.key}", *_lines(phrase)]) + "\n"


def _lines(phrase: Phrase) -> list[str]:
    lines: list[str] = []
    words: list[str] = []
    bars, glue = 0, ""
    closing = closing_bars(phrase.items)
    for index, item in enumerate(phrase.items):
        text = closing.get(index) or "".join(item_tokens(item, phrase.meter))
        if isinstance(item, Tuplet):
            glue = text  # stands against its first note
            continue
        words.append(glue + text)
        glue = ""
        bars += isinstance(item, Bar) and item.sign in ("|", ":|")
        if bars == BARS_PER_LINE:
            lines.append(" ".join(words))
            words, bars = [], 0
    return [*lines, " ".join(words)] if words else lines


def closing_bars(items: Sequence[Item]) -> dict[int, str]:
    """Plain bar signs that are written double, by place: the last, and the ends of last endings.

    Tokens do not tell where a last ending stops; it is given as many bars as the one before it.
    """
    result: dict[int, str] = {}
    bars, length, left = 0, 0, 0  # bars of this ending, of the one before, still to come
    for index, item in enumerate(items):
        if not isinstance(item, Bar):
            continue
        if item.sign[1:2].isdigit():
            length, bars = bars, 1
            left = length if not item.sign.startswith("|1") else 0
        elif item.sign == "|":
            bars += 1
            left -= 1
            if left == 0:
                result[index] = "||"
        else:
            left = 0
    if items and items[-1] == Bar("|"):
        result[len(items) - 1] = "|]"
    return result


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
    """Tokens of a body in the folk-rnn language, spaces or not.

    Raises:
        AbcError: naming what is no token.
    """
    tokens, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found = _TOKEN.match(text, at)
        if not found or found.end() == at:
            word = text[at:].split()[0]
            raise AbcError("no token", word[:20])
        tokens.append("|" if found[0] in ("||", "|]") else found[0])
        at = found.end()
    return tokens


def prompt_tokens(text: str) -> list[str]:
    """Tokens of the beginning of a tune, as a user types it: ``M:6/8 K:Cdor A2 B``.

    Fields may be on lines of their own; a lone ``K:C`` means the major key.

    Raises:
        AbcError: naming what is no token.
    """
    head, rest = [], text.replace("\\n", "\n")
    for field in re.findall(r"[MK]:\s*\S+", rest):
        head.append(re.sub(r"\s", "", field))
    rest = re.sub(r"^[XTLRQ]:.*$|[MK]:\s*\S+", " ", rest, flags=re.MULTILINE)
    head = [f"{field}maj" if re.fullmatch(r"K:[A-G][#b]?", field) else field for field in head]
    head = [re.sub(r"^(K:[A-G][#b]?)m$", r"\1min", field) for field in head]
    named = {"M:C": "M:4/4", "M:C|": "M:2/2"}
    return [*(named.get(field, field) for field in head), *lex(rest)]
