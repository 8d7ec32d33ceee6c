"""A typed prompt as tokens: the beginning of a tune, read and normalized as a tune from a file.

Its end may be incomplete: a bar, a repeat, a chord, a tuplet, a tie. So that the steps for whole
tunes can be taken, it is completed first, and what completed it is cut off again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise, takewhile

from symbotunes.music.abc.accidentals import written_out
from symbotunes.music.abc.barlines import close_bars
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import Key, parse_key
from symbotunes.music.abc.lengths import parse_meter
from symbotunes.music.abc.normalize import plain_form, spell
from symbotunes.music.abc.phrases import misplaced_token, parse_tokens, scaled, tied
from symbotunes.music.abc.prompt.elements import Music, read_elements
from symbotunes.music.abc.prompt.fields import TypedText, split_fields
from symbotunes.music.abc.prompt.meter import meter_of_bars
from symbotunes.music.abc.reader import ParsedTune, parse
from symbotunes.music.abc.repeats import balanced_repeats
from symbotunes.music.abc.tokens import (
    LINE_END,
    ONE,
    Bar,
    Item,
    Phrase,
    Sound,
    Tuplet,
    kind,
    make_pitch,
)
from symbotunes.music.abc.writing import open_chord_tokens, phrase_tokens

_ANY_NOTE = Sound((make_pitch(0, 4, None, False),), ONE)


@dataclass(frozen=True)
class TypedBeginning:
    """The beginning of a tune that a user typed.

    Attributes:
        tokens: meter and key, as far as they are given, and the music, in the key that was typed.
        key: its key, or ``None`` if it has none.
        remarks: what was left out of what was typed, and what was added, for people.
    """

    tokens: tuple[str, ...]
    key: Key | None = None
    remarks: tuple[str, ...] = ()


def read_typed(text: str, *, changes: bool = False) -> TypedBeginning:
    r"""Read a prompt, ABC or tokens: ``M:6/8 K:Cdor A2 B`` or ``M:6/8 K:Cdor A 2 B``.

    ABC is read as in files, except that fields may stand on one line (``\n`` may also be typed as a
    backslash and an n), that lengths are in eighths unless ``L:`` says otherwise, and that what is
    no music is refused. Tokens are taken as they are.

    Args:
        text: of the prompt.
        changes: whether meter and key may change after a bar sign.

    Raises:
        AbcError: naming what cannot be read.
    """
    text = text.replace("\\n", "\n").replace("\r\n", "\n").strip()
    words = text.split()
    if words and all(kind(word) != "unknown" for word in words):
        return _with_meter(_read_tokens(words, changes=changes))
    return _with_meter(_read_abc(split_fields(text), changes=changes))


def _read_tokens(words: Sequence[str], *, changes: bool) -> TypedBeginning:
    misplaced = misplaced_token(words, changes=changes)
    if misplaced:
        raise AbcError(misplaced[1], misplaced[0])
    head = sorted(takewhile(lambda word: kind(word) in ("meter", "key"), words), reverse=True)
    music = words[len(head) :]
    _refuse_accidental_of_key(words)
    key = next((parse_key(word[2:]) for word in head if kind(word) == "key"), None)
    return TypedBeginning((*head, *music), key)


def _refuse_accidental_of_key(words: Sequence[str]) -> None:
    """Refuse ``K:Amix ^g A B``, unless lengths show that these are tokens, not ABC.

    Raises:
        AbcError: if the accidental may belong to the key or be a note.
    """
    if any(kind(word) == "duration" for word in words):
        return
    for before, word in pairwise(words):
        if kind(before) == "key" and kind(word) == "pitch" and word[0] in "^_=":
            raise AbcError(
                "a note or an accidental of the key", f"{before} {word}; for a note, write {word}1"
            )


def _read_abc(typed: TypedText, *, changes: bool) -> TypedBeginning:
    music = read_elements(typed.music)
    meter = typed.meter and parse_meter(typed.meter)
    head = ["X:1", *([f"M:{meter}"] if meter else []), f"L:{typed.unit or '1/8'}"]
    tune = parse(
        "\n".join([*head, f"K:{typed.key or 'C'}", music.text]), beginning=True, changes=changes
    )
    tokens = _tokens_of(tune, music)
    head = [f"M:{meter}"] if meter else []
    head += [f"K:{tune.key}"] if typed.key else []
    tokens = [*head, *tokens]
    if not tokens:
        raise AbcError("neither notes nor a meter or key", typed.music.strip() or "nothing")
    left_out = list(dict.fromkeys([*typed.left_out, *music.left_out]))
    remarks = [f"left out {', '.join(left_out)}"] if left_out else []
    remarks += _passed_over(tune)
    if meter not in (None, "none") and typed.unit is None and Fraction(meter) < Fraction(3, 4):
        remarks.append("without L:, lengths are in eighths")
    if typed.accidentals:
        word = typed.accidentals[0]
        if not any(kind(token) == "pitch" for token in tokens):
            raise AbcError("accidentals of a key without notes", f"for a note, write {word}1")
        remarks.append(f"{word} is read as part of the key; for a note, write {word}1")
    return TypedBeginning(tuple(tokens), tune.key if typed.key else None, tuple(remarks))


def _tokens_of(tune: ParsedTune, music: Music) -> list[str]:
    """Tokens of the music of a beginning, without meter and key."""
    items = list(tune.items)
    while items and items[-1] == LINE_END:
        items.pop()
    if not items:
        return ["["] if music.open_bracket else []
    added = _completion(items)
    whole = replace(tune, items=(*items, *added))
    plain = plain_form(whole)
    _refuse_losses(whole, plain)
    kept = list(spell(plain, "keep").phrase.items[: -len(added)])
    end = ["["] if music.open_bracket else []
    if music.open_chord:
        chord = kept.pop()
        assert isinstance(chord, Sound)
        end = open_chord_tokens(chord)
    return [*phrase_tokens(tune.meter, tune.key, kept)[2:], *end]


def _refuse_losses(tune: ParsedTune, plain: Phrase) -> None:
    """Refuse what `plain_form` mends without a word in tunes from files.

    Raises:
        AbcError: for repeats without a counterpart, and broken rhythm that is made even.
    """
    _, problems = balanced_repeats(close_bars(scaled(tune.items), plain.bar_eighths))
    if problems:
        raise AbcError(problems[0])
    typed, kept = (
        sum(1 for item in items if isinstance(item, Sound) and item.broken)
        for items in (tune.items, plain.items)
    )
    if kept < typed:
        raise AbcError("broken rhythm between unequal notes")


def _passed_over(tune: ParsedTune) -> list[str]:
    """What normalization leaves out: bar signs before the music, and ties to another pitch."""
    items = [item for item in written_out(tune.key.signature, tune.items) if item != LINE_END]
    remarks = []
    if items and isinstance(items[0], Bar) and items[0].sign in ("|", "||", ":|"):
        remarks.append("left out the bar sign before the first note")
    sounds = [item for item in items if isinstance(item, Sound)]
    for sound, after in pairwise(sounds):
        reached = {tied(pitch, False) for pitch in after.pitches}
        if any(pitch.tied and tied(pitch, False) not in reached for pitch in sound.pitches):
            remarks.append("left out a tie to another pitch")
            break
    return remarks


def _completion(items: Sequence[Item]) -> list[Item]:
    """What completes the end of a beginning; as many items are left of it when it is normalized."""
    last = items[-1]
    sounds = [item for item in items if isinstance(item, Sound)]
    before = sounds[-1] if sounds else _ANY_NOTE
    sounded = any(sound.pitches for sound in sounds)
    pitches = before.pitches if sounded else _ANY_NOTE.pitches
    again = Sound(tuple(tied(pitch, False) for pitch in pitches), before.eighths)
    closing = Bar(":|" if _repeat_is_open(items) else "|")
    if missing := _missing_from_tuplet(items):
        return [*[again] * missing, closing]
    if not isinstance(last, Sound) or not sounded or last.broken:
        return [again, closing]  # if only to keep two bar signs from becoming one
    if any(pitch.tied for pitch in last.pitches):
        return [Bar("|"), again, closing]  # in one bar, the two would become one note
    return [closing]


def _missing_from_tuplet(items: Sequence[Item]) -> int:
    """How many sounds the last tuplet lacks; a bar sign after it cuts it short for good."""
    left = 0
    for item in items:
        if isinstance(item, Tuplet):
            left = item.r
        elif isinstance(item, Sound):
            left = max(0, left - 1)
    return 0 if isinstance(items[-1], Bar) else left


def _repeat_is_open(items: Sequence[Item]) -> bool:
    """Whether the music ends within a repeat or its first ending."""
    is_open = False
    for item in items:
        if isinstance(item, Bar):
            if item.sign == ":|":
                is_open = False
            elif item.sign == "|:" or item.sign.startswith("|1"):
                is_open = True
    return is_open


def _with_meter(beginning: TypedBeginning) -> TypedBeginning:
    """Add the meter that the bars tell if none is given, and remark on what is missing."""
    tokens = beginning.tokens
    remarks = list(beginning.remarks)
    if not any(kind(token) == "meter" for token in tokens):
        meter = meter_of_bars(parse_tokens(tokens, changes=True).items)
        if meter:
            tokens = (f"M:{meter}", *tokens)
            remarks.append(f"M:{meter} is added, as the bars have {8 * Fraction(meter)} eighths")
        else:
            remarks.append("without M:, samples are written in 4/4")
    if beginning.key is None and any(kind(token) == "pitch" for token in tokens):
        remarks.append("without K:, samples are written in C major")
    return replace(beginning, tokens=tokens, remarks=tuple(remarks))
