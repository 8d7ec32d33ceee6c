"""How tokens sound: notes in time, with repeats and endings played out."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import symusic

from symbotunes.music.abc.accidentals import alterations_in
from symbotunes.music.abc.keys import Key
from symbotunes.music.abc.phrases import (
    as_phrase,
    parse_tokens,
    sounding_eighths,
    upbeat_eighths,
)
from symbotunes.music.abc.repeats import is_ending
from symbotunes.music.abc.tokens import Bar, Change, Item, Phrase, Sound
from symbotunes.music.abc.writing import keys_of, meters_of

TICKS_PER_QUARTER = 480
MAX_NOTES = 20_000  # limits nested repeats
VELOCITY = 96
FIDDLE = 40  # General MIDI program, counted from 0


@dataclass(frozen=True)
class Note:
    """One sounding note.

    Attributes:
        onset: quarters from the beginning.
        duration: quarters.
        pitch: MIDI number.
    """

    onset: Fraction
    duration: Fraction
    pitch: int


def play_order(phrase: Phrase) -> list[int]:
    """Indices of the items in the order in which they are played.

    As in abc2midi, except for a ``:|`` at the end of the last ending, which only closes it here;
    abc2midi starts the section once more and finds no ending for it.
    """
    items = phrase.items
    order: list[int] = []
    start, turn, at = 0, 1, 0
    while at < len(items) and len(order) < MAX_NOTES:
        item = items[at]
        order.append(at)
        sign = item.sign if isinstance(item, Bar) else ""
        if sign == "|:":
            start, turn = at + 1, 1
        elif sign == ":|":
            if turn < _times(items, start):
                turn, at = turn + 1, start
                continue
            start, turn = at + 1, 1
        elif is_ending(items, at) and turn not in _turns(sign):
            at = _after_ending(items, at)
            continue
        at += 1
    return order


def _times(items: Sequence[Item], start: int) -> int:
    """How often the section that begins at `start` is played: as its endings specify, or twice."""
    last = 2
    for index in range(start, len(items)):
        item = items[index]
        if not isinstance(item, Bar):
            continue
        if is_ending(items, index):
            last = max(last, *_turns(item.sign))
        elif item.sign == "|:" or (item.sign == ":|" and not is_ending(items, index + 1)):
            break
    return last


def _turns(sign: str) -> set[int]:
    """On which passes an ending such as ``|1,3`` or ``|1-3`` is played."""
    turns = {0}  # never played, but keeps the set from being empty
    for part in sign[1:].split(","):
        first, *rest = part.split("-")
        turns.update(range(int(first), int(rest[-1] if rest else first) + 1))
    return turns


def _after_ending(items: Sequence[Item], at: int) -> int:
    """Where playback continues if the ending at `at` is skipped."""
    for index in range(at + 1, len(items)):
        item = items[index]
        if item == Bar(":|"):
            return index + 1
        if is_ending(items, index) or item == Bar("|:"):
            return index
    return len(items)


def notes(tokens: Sequence[str]) -> list[Note]:
    """The sounding notes, in order of onset, with ties, tuplets and broken rhythm resolved."""
    return phrase_notes(parse_tokens(tokens))


def phrase_notes(phrase: Phrase) -> list[Note]:
    """The notes of a phrase, see `notes`."""
    return [note for note, _ in placed_notes(phrase)]


def placed_notes(phrase: Phrase) -> list[tuple[Note, tuple[int, int]]]:
    """The notes of a phrase, see `notes`, and where they are written.

    Returns:
        Each note with the index of its item and that of its pitch in it; of tied notes, the first.
    """
    lengths, alters = (
        sounding_eighths(phrase.items),
        alterations_in(phrase.key.signature, phrase.items),
    )
    heard: list[tuple[Note, tuple[int, int]]] = []
    open_ties: dict[int, int] = {}  # pitch of a tied note -> its index in `heard`
    now = Fraction(0)
    for index in play_order(phrase):
        item = phrase.items[index]
        if not isinstance(item, Sound):
            continue
        duration = lengths[index] / 2
        tied: dict[int, int] = {}
        for which, (pitch, alter) in enumerate(zip(item.pitches, alters[index], strict=True)):
            number = pitch.midi(alter)
            position = open_ties.get(number)
            if position is None:
                position = len(heard)
                heard.append((Note(now, duration, number), (index, which)))
            else:
                held, place = heard[position]
                heard[position] = (Note(held.onset, held.duration + duration, number), place)
            if pitch.tied:
                tied[number] = position
        open_ties = tied
        now += duration
    return heard


def stretches_of(items: Sequence[Item]) -> list[int]:
    """The stretch of music between signs to which each item belongs, counted from 0.

    A sign has the number of the stretch before it, -1 if there is none.
    """
    numbers, number, inside = [], -1, False
    for item in items:
        is_sign = isinstance(item, Bar | Change)
        number += not is_sign and not inside
        inside = not is_sign
        numbers.append(number)
    return numbers


def stretch_ticks(phrase: Phrase, stretches: Collection[int]) -> list[tuple[int, int]]:
    """When stretches of music between signs are heard, in ticks, as often as repeats play them.

    Args:
        phrase: of a tune.
        stretches: their numbers, counted from 0 in the order in which they are written.

    Returns:
        Beginnings and ends, in order.
    """
    numbers = stretches_of(phrase.items)
    lengths = sounding_eighths(phrase.items)
    now, heard = Fraction(0), []
    for index in play_order(phrase):
        if isinstance(phrase.items[index], Sound):
            begin, now = now, now + lengths[index] / 2
            if numbers[index] in stretches:
                heard.append((begin, now))
    ticks = [(round(a * TICKS_PER_QUARTER), round(b * TICKS_PER_QUARTER)) for a, b in heard]
    return _joined(ticks)


def _joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans of time without those that begin where the one before them ends."""
    joined: list[tuple[int, int]] = []
    for begin, end in spans:
        if joined and joined[-1][1] == begin:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    return joined


def score_of(
    music: Sequence[str] | Phrase,
    *,
    tempo_bpm: float = 0,
    program: int = FIDDLE,
    upbeat: bool = False,
) -> symusic.Score:
    """The music as a Score with one track, even if it is not well-formed.

    Args:
        music: any tokens, or the phrase parsed from them.
        tempo_bpm: quarters per minute; 0 chooses one that suits the meter.
        program: General MIDI program, counted from 0.
        upbeat: give an upbeat its own time signature, so that bars begin where they are written.
    """
    phrase = as_phrase(music)
    score = symusic.Score(TICKS_PER_QUARTER)
    score.tempos.append(symusic.Tempo(0, tempo_bpm or natural_tempo(phrase.meter)))
    begins = _upbeat(phrase, score) if upbeat and phrase.meter != "none" else 0
    meter, key = "none", None
    for quarters, meter_here, key_here in _signatures(phrase):
        tick = round(quarters * TICKS_PER_QUARTER)
        if meter_here not in (meter, "none"):
            top, _, bottom = meter_here.partition("/")
            begin = tick or begins
            score.time_signatures.append(symusic.TimeSignature(begin, int(top), int(bottom)))
        if key_here != key:
            score.key_signatures.append(symusic.KeySignature(tick, *_midi_key(key_here)))
        meter, key = meter_here, key_here
    track = symusic.Track(program=program, name="Melody")
    for note in phrase_notes(phrase):
        onset = round(note.onset * TICKS_PER_QUARTER)
        duration = max(1, round(note.duration * TICKS_PER_QUARTER))
        if 0 <= note.pitch <= 127:
            track.notes.append(symusic.Note(onset, duration, note.pitch, VELOCITY))
    score.tracks.append(track)
    return score


def _signatures(phrase: Phrase) -> Iterator[tuple[Fraction, str, Key]]:
    """Meter and key at the beginning, and wherever others may begin as it is played.

    Yields:
        Quarters from the beginning, the meter and the key.
    """
    yield Fraction(0), phrase.meter, phrase.key
    if not any(isinstance(item, Change) for item in phrase.items):
        return
    meters = list(meters_of(phrase.meter, phrase.items))
    keys = list(keys_of(phrase.key, phrase.items))
    lengths = sounding_eighths(phrase.items)
    now = Fraction(0)
    for index in play_order(phrase):
        if isinstance(phrase.items[index], Sound):
            yield now, meters[index], keys[index]
            now += lengths[index] / 2


def _upbeat(phrase: Phrase, score: symusic.Score) -> int:
    """Write the time signature of an upbeat, if there is one; the tick at which it ends."""
    quarters = upbeat_eighths(phrase) / 2
    ticks, whole = quarters * TICKS_PER_QUARTER, quarters / 4
    # MIDI only has powers of two: an upbeat from a tuplet gets no time signature.
    if not quarters or ticks.denominator > 1 or whole.denominator & (whole.denominator - 1):
        return 0
    unit = max(8, whole.denominator)
    signature = symusic.TimeSignature(0, int(whole * unit), unit)
    score.time_signatures.append(signature)
    return int(ticks)


def natural_tempo(meter: str) -> float:
    """Quarters per minute at which a dance in this meter is comfortably heard."""
    if meter in ("6/8", "9/8", "12/8", "3/8"):
        return 165.0  # 110 dotted quarters
    if meter in ("2/2", "4/2", "3/2"):
        return 160.0
    return 120.0


def _midi_key(key: Key) -> tuple[int, int]:
    """Sharps (negative: flats) and 1 for minor, as MIDI writes a key signature."""
    return max(-7, min(7, key.sharps)), int(key.mode in ("min", "dor", "phr", "loc"))
