"""Notation that knows when its notes sound, for a cursor that moves with the music."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import symusic

from symbotunes.music.abc.phrases import parse_tokens, sounding_eighths
from symbotunes.music.abc.playback import placed_notes, play_order, stretches_of
from symbotunes.music.abc.text import from_abc
from symbotunes.music.abc.tokens import Bar, Phrase, Sound
from symbotunes.music.midi.bars import bar_lines
from symbotunes.render.notation.notation import (
    MAX_NOTES,
    numbers_of_bars,
    plain_abc,
    plain_midi,
    run_engraver,
    sanitize,
)

MOST_BARS = 4096  # a broken score must not require a million
Run = Callable[..., tuple[bytes, list[str]]]  # see `run_engraver`


@dataclass(frozen=True)
class DrawnNote:
    """A note as it is played, and its drawing.

    Attributes:
        id: of the element in the drawing; of tied notes, the first; empty if it is not known.
        begin: quarters from the beginning of the music, repeats played out.
        end: the same.
        pitch: MIDI number.
    """

    id: str
    begin: Fraction
    end: Fraction
    pitch: int


@dataclass(frozen=True)
class TimedNotation:
    """Notation with times.

    Attributes:
        svg: one page as tall as the music, with the ids of its elements.
        warnings: those of the engraver.
        measures: numbers of the bars, and the ids of the measures that they consist of.
        bars: quarters from the beginning at which a bar begins to sound, and its number, in the
            order in which they sound.
        notes: in the order in which they begin.
    """

    svg: str
    warnings: tuple[str, ...]
    measures: tuple[tuple[int, tuple[str, ...]], ...]
    bars: tuple[tuple[Fraction, int], ...]
    notes: tuple[DrawnNote, ...]


def timed_abc(abc: str, run: Run = run_engraver) -> TimedNotation:
    """Engrave ABC from `to_abc`.

    The times are those of `score_of`: Verovio does not play out repeats.

    Args:
        abc: the tune.
        run: runs the engraver.

    Raises:
        EngravingError: if Verovio cannot read it, crashes, or takes too long.
        AbcError: if it is not ABC from `to_abc`.
    """
    numbers = numbers_of_bars(abc)
    drawn, log = run("abc", plain_abc(abc), ",".join(map(str, numbers)), "timed")
    engraved = json.loads(drawn)
    phrase = parse_tokens(from_abc(abc), changes=True)
    return TimedNotation(
        sanitize(engraved["svg"], keeps_ids=True),
        tuple(log),
        _measures((int(number), name) for name, number in engraved["measures"] if number),
        tuple(_played_bars(phrase, numbers)),
        tuple(_played_notes(phrase, engraved["sounds"])),
    )


def timed_score(
    score: symusic.Score, run: Run = run_engraver, *, most_notes: int = MAX_NOTES
) -> TimedNotation:
    """Engrave a score, as `engrave_score` does.

    Notes are where they are engraved: on a grid.

    Args:
        score: the music.
        run: runs the engraver.
        most_notes: how many of its notes are engraved, about 5 ms each; all its bars have times.

    Raises:
        EngravingError: if it cannot be engraved, or takes too long.
    """
    kind, midi, cut = plain_midi(score, most_notes)
    drawn, log = run(kind, midi, "", "timed")
    engraved = json.loads(drawn)
    bars = bar_times(score)
    measures = [(name, _quarters(now)) for name, now in engraved["measures"]]
    notes = [
        DrawnNote(name, _quarters(begin), _quarters(end), pitch)
        for name, begin, end, pitch in engraved["notes"]
    ]
    # Verovio moves a bar by what the bars before it hold too much: a drawn measure is the bar of
    # its place, and what it holds is moved with it.
    drawn_at = [now for _, now in measures]
    late = [now - bar for now, (bar, _) in zip(drawn_at, bars, strict=False)] or [Fraction(0)]
    notes = [_moved(note, late[_index(drawn_at, note.begin, len(late))]) for note in notes]
    return TimedNotation(
        sanitize(engraved["svg"], keeps_ids=True),
        (*cut, *log),
        _measures((number, name) for (name, _), (_, number) in zip(measures, bars, strict=False)),
        bars,
        tuple(sorted(notes, key=lambda note: note.begin)),
    )


def _index(starts: Sequence[Fraction], now: Fraction, count: int) -> int:
    return min(max(0, bisect_right(starts, now) - 1), count - 1)


def _moved(note: DrawnNote, late: Fraction) -> DrawnNote:
    return replace(note, begin=note.begin - late, end=note.end - late)


def bar_times(score: symusic.Score) -> tuple[tuple[Fraction, int], ...]:
    """Quarters from the beginning to each bar of a score, and its number, as far as `MOST_BARS`."""
    lines = bar_lines(score.to("tick"))
    last = min(lines.last, lines.first + MOST_BARS - 1)
    return tuple((lines.start(number), number) for number in range(lines.first, last + 1))


def _quarters(value: float) -> Fraction:
    """Verovio writes thirds and the like as decimals."""
    return Fraction(value).limit_denominator(960)


def _measures(named: Iterable[tuple[int, str]]) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Ids of measures by the number of their bar; a repeat sign splits a bar into two."""
    ids: dict[int, tuple[str, ...]] = {}
    for number, name in named:
        ids[number] = (*ids.get(number, ()), name)
    return tuple(ids.items())


def _played_bars(phrase: Phrase, numbers: Sequence[int]) -> Iterator[tuple[Fraction, int]]:
    """When bars begin to sound, and their numbers; a bar that is repeated begins once more."""
    stretches = stretches_of(phrase.items)
    lengths = sounding_eighths(phrase.items)
    now = Fraction(0)
    last: int | None = None  # number of the bar that sounds, if no sign has followed
    for index in play_order(phrase):
        item = phrase.items[index]
        if isinstance(item, Bar):
            last = None
        elif isinstance(item, Sound):
            stretch = stretches[index]
            number = numbers[stretch] if stretch < len(numbers) else stretch + 1
            if number != last:
                yield now, number
            last = number
        now += lengths[index] / 2


def _played_notes(phrase: Phrase, sounds: Sequence[Sequence[str]]) -> Iterator[DrawnNote]:
    """The notes with their drawings.

    Args:
        phrase: the music.
        sounds: ids of each note or chord of the drawing, in the order in which they are written.
    """
    written = [
        index for index, item in enumerate(phrase.items) if isinstance(item, Sound) and item.pitches
    ]
    ids: Mapping[int, Sequence[str]] = {}
    if len(written) == len(sounds):  # otherwise Verovio has read something else
        ids = dict(zip(written, sounds, strict=True))
    for note, (index, which) in placed_notes(phrase):
        names = ids.get(index, ())
        name = names[which] if which < len(names) else ""
        yield DrawnNote(name, note.onset, note.onset + note.duration, note.pitch)
