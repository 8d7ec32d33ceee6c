"""Windows of one piece with their places in it: track and bars, numbered as engraved."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from symbotunes.errors import UserError
from symbotunes.music.excerpt import Excerpt, in_words
from symbotunes.music.grid.phrases import Placed
from symbotunes.music.grid.quantize import (
    STEPS_PER_BAR,
    STEPS_PER_QUARTER,
    quantize,
    quantize_bars,
    section_borders,
)
from symbotunes.music.midi.bars import BarLines, Section, sections_of
from symbotunes.music.midi.notes import MidiNotes
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.music.midi.timing import USUAL, distance_from_grid
from symbotunes.music.midi.tracks import MidiTrack, tracks_of
from symbotunes.tokenizers.base import Ids, Unencodable
from symbotunes.tokenizers.windows import Windows

QUARTERS = 4  # of the bars that models of windows read
SHOWN = 20  # tracks that a message lists
_TICK = Fraction(1, 960)  # quarters; positions in seconds are exact to less than this


@dataclass(frozen=True)
class Window:
    """A window and where it comes from.

    Attributes:
        ids: ``[T]`` or ``[T, F]``.
        bars: of the piece, in words.
        place: the tracks and the bars, in words.
        played: the tracks that it is made of.
        tracks: all tracks of the piece that have notes.
    """

    ids: Ids
    bars: str
    place: str
    played: tuple[str, ...]
    tracks: tuple[str, ...]


class _Piece:
    """A piece as windows are cut from it.

    Args:
        piece: the file.
        tokenizer: of the model.
        upbeat: whether its first bar is an upbeat after a silence.

    Raises:
        MidiError: if it cannot be read.
    """

    def __init__(self, piece: MidiPiece, tokenizer: Windows, *, upbeat: bool) -> None:
        self.tokenizer = tokenizer
        self.notes = tokenizer.read(piece)
        self.tracks = tracks_of(piece.walked, tokenizer.read_all(piece))
        division = self.notes.ticks_per_quarter
        end = Fraction(int(self.notes.end_tick.max()), division)
        self.free = distance_from_grid(self.notes.start_tick, division) > USUAL
        self.lines = BarLines(_sections(self.notes), end, shift=-int(upbeat))
        parts = dict(zip(self.notes.instrument.tolist(), self.notes.part.tolist(), strict=True))
        self._by_instrument: Mapping[int, MidiTrack] = {
            instrument: track
            for instrument, part in parts.items()
            for track in self.tracks
            if track.part == part
        }

    def windows(self, placed: Placed, bars: Sequence[str]) -> list[Window]:
        """The windows of a placement, with the bars of each in words."""
        everything = tuple(str(track) for track in self.tracks[:SHOWN])
        return [
            self._window(ids, players, words, everything)
            for ids, players, words in zip(
                placed.rows, placed.instruments.tolist(), bars, strict=True
            )
        ]

    def misfit(self, bars: range) -> str:
        """Which of some bars does not last four quarters, in words; empty if all do.

        An upbeat is filled up with silence before it.
        """
        for number in bars:
            length = self.lines.start(number + 1) - self.lines.start(number)
            if length != QUARTERS and not (number == 0 and length < QUARTERS):
                return f"bar {number} lasts {float(length):g} quarters"
        return ""

    def excerpt(self, bars: range) -> list[Window]:
        """A window that begins with some bars; none if they are silent."""
        begin = self.lines.start(bars[-1] + 1) - QUARTERS * len(bars)
        grid = quantize_bars(self.notes, begin, len(bars))
        placed = self.tokenizer.excerpt(grid)
        if not len(placed.rows):
            return []
        words = in_words(bars)
        heard = set((grid.start // STEPS_PER_BAR).tolist())
        silent = [number for index, number in enumerate(bars) if index not in heard]
        if silent:
            plural = "bar" if len(silent) == 1 else "bars"
            verb = "is" if len(silent) == 1 else "are"
            words += f" ({plural} {', '.join(map(str, silent))} {verb} silent)"
        if len(bars) < self.tokenizer.bars:
            words += f" filled up with silence to {self.tokenizer.bars} bars"
        return self.windows(placed.where(np.arange(1)), [words])

    def _window(
        self, ids: Ids, players: Sequence[int], bars: str, tracks: tuple[str, ...]
    ) -> Window:
        bars = f"{bars} (onsets lie on no grid: their rhythm is rounded)" if self.free else bars
        known = [self._by_instrument[number] for number in players if number >= 0]
        played = tuple(str(track) for track in known)
        if not played:  # drums, which all tracks play together
            return Window(ids, bars, bars, (), ())
        plural = "track" if len(played) == 1 else "tracks"
        return Window(ids, bars, f"{plural} {', '.join(played)}, {bars}", played, tracks)


def every_window(piece: MidiPiece, tokenizer: Windows, *, upbeat: bool) -> list[Window]:
    """All windows of a piece, as in training; a phrase too short for one is filled with silence.

    Raises:
        MidiError: if it cannot be read, or no bar lasts four quarters.
        Unencodable: if it has no window.
    """
    source = _Piece(piece, tokenizer, upbeat=upbeat)
    changes = tokenizer.reading.tempo_changes
    placed = tokenizer.placed(quantize(source.notes, tempo_changes=changes))
    if len(placed.rows):
        starts = _starts(source.notes, placed, changes)
        return source.windows(placed, [_bars(source, start) for start in starts])
    now = Fraction(int(source.notes.start_tick.min()), source.notes.ticks_per_quarter)
    last = source.lines.last
    first = max(source.lines.first, min(source.lines.number_at(now), last - tokenizer.bars + 1))
    bars = range(first, min(last, first + tokenizer.bars - 1) + 1)
    windows = [] if source.misfit(bars) else source.excerpt(bars)
    if not windows:
        raise Unencodable(tokenizer.absent(source.notes))
    return windows


def excerpt_windows(
    piece: MidiPiece, tokenizer: Windows, bars: Excerpt, key: str, *, upbeat: bool
) -> list[Window]:
    """Windows of chosen bars, one after another; the last of each range is filled with silence.

    Args:
        piece: the file.
        tokenizer: of the model.
        bars: which.
        key: the setting that names them, for errors.
        upbeat: whether the piece begins with a silence before an upbeat.

    Raises:
        MidiError: if the piece cannot be read.
        Unencodable: if nothing is played there.
        UserError: if there is no such bar, or it does not last four quarters.
    """
    source = _Piece(piece, tokenizer, upbeat=upbeat)
    first, last = source.lines.first, source.lines.last
    windows: list[Window] = []
    for chosen in bars:
        if chosen[0] < first or chosen[0] > last:
            raise UserError(f"{key}: {piece.id} has bars {first} to {last}, no bar {chosen[0]}")
        if misfit := source.misfit(chosen):
            raise UserError(f"{key}: {misfit}, and the model reads bars of four quarters")
        for start in range(chosen[0], chosen[-1] + 1, tokenizer.bars):
            windows += source.excerpt(range(start, min(chosen[-1] + 1, start + tokenizer.bars)))
    if not windows:
        missing = tokenizer.missing(source.notes)
        raise Unencodable(missing or "nothing that the model reads is played in these bars")
    return windows


def _sections(notes: MidiNotes) -> list[Section]:
    """The sections of a piece by its meters."""
    return sections_of(
        (Fraction(tick, notes.ticks_per_quarter), (top, bottom))
        for tick, (_, top, bottom) in zip(notes.meter_ticks, notes.meters, strict=True)
    )


def _starts(notes: MidiNotes, placed: Placed, tempo_changes: str) -> Iterator[Fraction]:
    """Quarters from the beginning of the piece to each window."""
    borders = section_borders(notes, tempo_changes=tempo_changes)
    if tempo_changes == "ignore":
        quarters = borders / notes.ticks_per_quarter
    else:
        times, rates = (np.array(column) for column in zip(*notes.tempos, strict=True))
        passed = np.concatenate([[0.0], np.cumsum(np.diff(times) * rates[:-1] / 60)])
        at = np.searchsorted(times, borders, side="right") - 1
        quarters = passed[at] + (borders - times[at]) * rates[at] / 60
    for section, step in zip(placed.section.tolist(), placed.step.tolist(), strict=True):
        now = quarters[section] + step / STEPS_PER_QUARTER
        yield round(now / float(_TICK)) * _TICK


def _bars(source: _Piece, start: Fraction) -> str:
    """The bars of a window that begins at ``start``, in words."""
    first = source.lines.number_at(start)
    words = in_words(range(first, first + source.tokenizer.bars))
    inside = start - source.lines.start(first)
    return f"{words}, from {float(inside):g} quarters after the bar line" if inside else words
