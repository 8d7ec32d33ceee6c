"""What a user asks for, as tasks: to continue, accompany or fill in a MIDI file."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from symbotunes.errors import UserError
from symbotunes.files import why_no_file
from symbotunes.generation.arrival.sampler import Task
from symbotunes.music.arrival.reading import read_notes
from symbotunes.music.arrival.vocabulary import (
    MOST_INSTRUMENTS,
    UNITS_PER_SECOND,
    Triplets,
    as_controls,
    as_events,
    durations,
    instruments,
    times,
)
from symbotunes.music.excerpt import Excerpt
from symbotunes.music.midi.bars import bar_lines
from symbotunes.music.midi.notes import Seconds
from symbotunes.music.midi.piece import MidiPiece, read_midi_bytes
from symbotunes.music.midi.tracks import TrackName, score_of_track

NOTHING: Triplets = np.zeros((0, 3), np.int64)
_SPAN = re.compile(r"\s*(\d{1,6}(?:\.\d+)?)\s*-\s*(\d{1,6}(?:\.\d+)?)\s*")


@dataclass(frozen=True)
class EventInput:
    """A MIDI file that music is written for.

    Attributes:
        key: setting and file, for errors.
        piece: the file.
        events: ``[N, 3]`` its notes, in order of time.
    """

    key: str
    piece: MidiPiece
    events: Triplets

    @classmethod
    def read(cls, path: Path, *, track: TrackName | None = None) -> "EventInput":
        """Read a file, or a track of it alone.

        Raises:
            UserError: if it cannot be read, or has no notes or too many instruments.
        """
        name = f"sample.input={path}"
        if reason := why_no_file(path):
            raise UserError(f"{name}: {reason}")
        try:
            piece = MidiPiece(path.name, read_midi_bytes(path))
            if track is not None:
                piece = MidiPiece(path.name, score_of_track(piece.score, track))
            events = _events(piece)
        except ValueError as error:
            raise UserError(f"{name}: {error}") from error
        if not len(events):
            raise UserError(f"{name}: there are no notes")
        count = len(np.unique(instruments(events)))
        if count > MOST_INSTRUMENTS:
            raise UserError(
                f"{name}: it has {count} instruments, and the model knows at most "
                f"{MOST_INSTRUMENTS} at once"
            )
        return cls(name, piece, events)

    @property
    def end(self) -> int:
        """Units until its last note ends."""
        return int((times(self.events) + durations(self.events)).max())

    def until(self, seconds: float) -> Triplets:
        """The events before a moment."""
        kept = self.events[times(self.events) < _units(seconds)]
        if not len(kept):
            raise UserError(f"{self.key}: no note begins before {seconds:g} s")
        return kept

    def track(self, name: TrackName) -> Triplets:
        """The events of a track.

        Raises:
            UserError: if there is none, listing those that there are.
        """
        try:
            return _events(MidiPiece(self.piece.id, score_of_track(self.piece.score, name)))
        except ValueError as error:
            raise UserError(f"{self.key}: {error}") from error

    def with_events(self, task: Task, written: Triplets) -> "EventInput":
        """The file after a task: what was given, and what was written."""
        events = np.concatenate([task.before, as_events(task.given), written])
        return replace(self, events=events[np.argsort(times(events), kind="stable")])

    def span_of(self, bars: range) -> tuple[int, int]:
        """Units at which some bars begin and end.

        Raises:
            UserError: naming a bar that it does not have.
        """
        lines = bar_lines(self.piece.parsed)
        for number in (bars[0], bars[-1]):
            if not lines.first <= number <= lines.last:
                raise UserError(
                    f"{self.key}: it has bars {lines.first} to {lines.last}, no bar {number}"
                )
        events = self.piece.events
        quarters = [lines.start(bars[0]), lines.start(bars[-1] + 1)]
        ticks = np.array([int(place * events.ticks_per_quarter) for place in quarters], np.int64)
        clock = Seconds(events.clock.tempos, events.ticks_per_quarter)
        start, end = np.rint(UNITS_PER_SECOND * clock.seconds(ticks)).astype(int).tolist()
        return start, end


def _events(piece: MidiPiece) -> Triplets:
    return read_notes(piece.walked).events()


def continuation(before: Triplets, start: int, seconds: float | None) -> Task:
    """Music after some events.

    Args:
        before: ``[N, 3]``, none of which is later than `start`.
        start: units from which on music is written.
        seconds: how much is written; ``None``: as many tokens as are allowed.
    """
    end = None if seconds is None else start + _units(seconds)
    return Task(before, NOTHING, start, end)


def accompaniment(source: EventInput, track: TrackName, seconds: float | None) -> Task:
    """Music around a track.

    Args:
        source: the file.
        track: that is given.
        seconds: from the beginning, how much is written; ``None``: until the track ends.
    """
    given = source.track(track)
    end = int((times(given) + durations(given)).max()) if seconds is None else _units(seconds)
    return Task(NOTHING, as_controls(given), 0, end)


def gap(source: EventInput, span: tuple[int, int], wanted: frozenset[int] | None) -> Task:
    """Music in a span of a file, between what is before and what is after it.

    Args:
        source: the file.
        span: units; notes that begin from the first to before the second are written anew.
        wanted: instruments whose notes are; ``None``: all. The others' are given.

    Raises:
        UserError: if there are no such notes.
    """
    start, end = span
    onsets = times(source.events)
    seconds = f"{start / UNITS_PER_SECOND:g}-{end / UNITS_PER_SECOND:g} s"
    if onsets.max() < start:
        raise UserError(
            f"{source.key}: {seconds} lies behind the last note, which begins at "
            f"{onsets.max() / UNITS_PER_SECOND:g} s"
        )
    replaced = (onsets >= start) & (onsets < end)
    if wanted is not None:
        replaced &= np.isin(instruments(source.events), list(wanted))
    if not replaced.any():
        of = "" if wanted is None else f" of instruments {sorted(wanted)}"
        raise UserError(f"{source.key}: no notes{of} begin in {seconds}")
    kept = ~replaced
    before = source.events[kept & (onsets < start)]
    return Task(before, as_controls(source.events[kept & (onsets >= start)]), start, end)


def read_span(key: str, value: Any) -> tuple[int, int] | None:
    """A span of time as ``10-15``, in units; ``None`` if it is not set.

    Raises:
        UserError: if it is not one.
    """
    if value is None:
        return None
    match = _SPAN.fullmatch(str(value))
    if not match:
        raise UserError(f"{key}={value}: write seconds as 10-15 or 2.5-7")
    start, end = _units(float(match[1])), _units(float(match[2]))
    if start >= end:
        raise UserError(f"{key}={value}: must end after it begins")
    return start, end


def spans_of(
    source: EventInput, span: tuple[int, int] | None, bars: Excerpt | None
) -> list[tuple[int, int]]:
    """The spans that a user chose, by seconds or by bars.

    Raises:
        UserError: unless exactly one of them is given.
    """
    if (span is None) == (bars is None):
        raise UserError("sample=infill needs sample.span=10-15 (seconds) or sample.bars=5-8")
    if span is not None:
        return [span]
    assert bars is not None
    return [source.span_of(part) for part in bars]


def require_positive(key: str, value: float | None) -> None:
    """Check a number that may be left out.

    Raises:
        UserError: if it is not above 0.
    """
    if value is not None and not 0 < value < float("inf"):
        raise UserError(f"{key}={value}: must be above 0")


def _units(seconds: float) -> int:
    return round(seconds * UNITS_PER_SECOND)
