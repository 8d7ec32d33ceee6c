"""Notation of a piece as the page of the studio takes it: drawings, times and notes."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import symusic

from symbotunes.generation.sample import Sample
from symbotunes.music.abc.error import AbcError
from symbotunes.render.notation.notation import EngravingError, run_engraver
from symbotunes.render.notation.timed import (
    DrawnNote,
    Run,
    TimedNotation,
    bar_times,
    timed_abc,
    timed_score,
)
from symbotunes.render.piano_roll.clock import Clock
from symbotunes.studio.opening import typed

NEAR = Fraction(1, 4)  # quarters by which a note may be engraved early or late
MOST_NOTES = 300  # of a score, which are drawn in 2 s; the page waits, and its roll has all notes
DIGITS = 4  # of seconds: a tenth of a millisecond


def notation_of_text(abc: str, run: Run = run_engraver) -> dict[str, Any]:
    """Notation of a text that is not a piece yet, see `notation_of`.

    Raises:
        UserError: with line and column, if it cannot be read.
    """
    return notation_of(typed(abc), run)


def notation_of(sample: Sample, run: Run = run_engraver) -> dict[str, Any]:
    """Notation of a piece, as JSON.

    Args:
        sample: the piece.
        run: runs the engraver.

    Returns:
        ``remarks``: such as how much is drawn. ``svg``: pages, none if it cannot be engraved.
        ``timemap``: when notes and bars begin and end, in seconds; a bar without notes has its
        moment, too. ``bars``: numbers and the ids of their measures. ``notes``: of the piano roll,
        with the ids of their drawings.
    """
    score = sample.score.to("tick")
    timed = _engraved(sample, score, run)
    clock = Clock(score)

    def seconds(quarters: Fraction) -> float:
        return round(clock.seconds(round(quarters * score.ticks_per_quarter)), DIGITS)

    moments = [
        {"seconds": seconds(now), "on": on, "off": off, "bar": bar}
        for now, on, off, bar in _moments(timed)
    ]
    return {
        "remarks": list(timed.warnings),
        "svg": [timed.svg] if timed.svg else [],
        "timemap": moments,
        "bars": [{"number": number, "ids": list(ids)} for number, ids in timed.measures],
        "notes": list(_notes(sample, score, clock, timed.notes)),
    }


def _timed(sample: Sample, score: symusic.Score, run: Run) -> TimedNotation:
    if sample.abc is not None:
        return timed_abc(sample.abc, run)
    return timed_score(score, run, most_notes=MOST_NOTES)


def _engraved(sample: Sample, score: symusic.Score, run: Run) -> TimedNotation:
    """The notation, or only its times where there is none."""
    try:
        return _timed(sample, score, run)
    except (EngravingError, AbcError):
        return TimedNotation("", (), (), bar_times(score), ())


def _moments(timed: TimedNotation) -> Iterator[tuple[Fraction, list[str], list[str], int]]:
    """Quarters, the notes that begin and end there, and the bar that sounds."""
    on: dict[Fraction, list[str]] = defaultdict(list)
    off: dict[Fraction, list[str]] = defaultdict(list)
    for note in timed.notes:
        if note.id:
            on[note.begin].append(note.id)
            off[note.end].append(note.id)
    starts = [now for now, _ in timed.bars]
    for now in sorted({*on, *off, *starts}):
        index = max(0, bisect_right(starts, now) - 1)
        yield now, on[now], off[now], timed.bars[index][1] if timed.bars else 1


def _notes(
    sample: Sample, score: symusic.Score, clock: Clock, drawn: Sequence[DrawnNote]
) -> Iterator[dict[str, Any]]:
    """The notes as they sound, in seconds, each with its nearest drawing."""
    by_pitch: dict[int, list[DrawnNote]] = defaultdict(list)
    for note in drawn:
        by_pitch[note.pitch].append(note)
    for number, track in enumerate(track for track in score.tracks if len(track.notes)):
        flags = _flags(sample, score, number)
        for note, is_given in zip(track.notes, flags or [False] * len(track.notes), strict=True):
            begin = Fraction(note.time, score.ticks_per_quarter)
            candidates = by_pitch[note.pitch]
            nearest = min(candidates, key=lambda one: abs(one.begin - begin), default=None)
            is_near = nearest is not None and abs(nearest.begin - begin) <= NEAR
            if nearest is not None and is_near:
                candidates.remove(nearest)
            yield {
                "id": nearest.id if nearest is not None and is_near else "",
                "start": round(clock.seconds(note.time), DIGITS),
                "end": round(clock.seconds(note.time + note.duration), DIGITS),
                "pitch": note.pitch,
                "track": number,
                "given": is_given,
            }


def _flags(sample: Sample, score: symusic.Score, number: int) -> Sequence[bool]:
    """Which notes of a track with notes were given; empty if that is not known."""
    if not sample.given:
        return ()
    flags = [
        flags for flags, track in zip(sample.given, score.tracks, strict=True) if len(track.notes)
    ]
    return flags[number]
