"""What all tokenizers of windows do: read a file, cut it at bar lines, say why it has no window."""

import copy
import hashlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

import numpy as np
import symusic
from numpy.typing import NDArray

from symbotunes.errors import require_whole_number
from symbotunes.music.grid.melody import MelodyClasses
from symbotunes.music.grid.phrases import Placed
from symbotunes.music.grid.quantize import STEPS_PER_BAR, GridNotes, meters_in_words, quantize
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.notes import MidiNotes, read_midi
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.music.midi.timing import require_grid
from symbotunes.music.midi.tracks import TrackName, chosen_tracks, tracks_of
from symbotunes.tokenizers.base import GrammarCheck, Ids, Rendition, Tokenizer, Unencodable
from symbotunes.tokenizers.reading import Reading

MAX_SECONDS = 1800.0  # the authors' code drops longer pieces
MAX_NOTES = 10_000  # and those with more notes


class Windows(Tokenizer[MidiPiece]):
    """Base of melodies, drums and trios.

    Args:
        bars: length of a window, in bars of 4/4.
        max_examples: maximum number of windows per piece, chosen by a seed derived from its bytes;
            ``None``: all.
        reading: fields of `Reading`.

    Raises:
        UserError: if a number is not at least 1, or a choice is unknown.
    """

    FORMAT: ClassVar[str] = "midi"
    FRAMED: ClassVar[bool] = False
    STATE: ClassVar[tuple[str, ...] | None] = ()

    def __init__(self, bars: int, max_examples: int | None = None, **reading: Any) -> None:
        require_whole_number("bars", bars)
        require_whole_number("max_examples", max_examples, optional=True)
        self.bars = bars
        self.max_examples = max_examples
        self.reading = Reading(**reading)
        self.tracks: Sequence[TrackName] | None = None

    @property
    def steps(self) -> int:
        """Number of sixteenths in a window, T."""
        return self.bars * STEPS_PER_BAR

    @property
    def melody_classes(self) -> MelodyClasses | None:
        """The pitches of the melody's classes, if the first track is a melody; else ``None``."""
        return None

    def widened(self) -> "tuple[Windows, str] | None":
        """A copy that accepts any instrument, with a remark; ``None`` if this one does already."""
        return None

    def windows(self, notes: GridNotes) -> NDArray[Any]:
        """``[N, T]`` or ``[N, T, F]``: every window of a piece, at every bar line."""
        return self.placed(notes).rows

    @abstractmethod
    def placed(self, notes: GridNotes) -> Placed:
        """The same, with their places in the piece."""

    @abstractmethod
    def excerpt(self, notes: GridNotes) -> Placed:
        """One window for each melody, or one window, of notes in as many bars as a window has."""

    @abstractmethod
    def score(self, ids: Ids) -> symusic.Score:
        """The music of one window."""

    def without_key(self, ids: NDArray[Any]) -> NDArray[Any]:
        """Windows ``[N, T]`` or ``[N, T, F]`` such that all transpositions of one are equal.

        Where nothing has a key, they are what they were.
        """
        return ids

    def missing(self, notes: MidiNotes) -> str:  # noqa: ARG002
        """Which instruments a piece lacks, in words; empty if it lacks none."""
        return ""

    def absent(self, notes: MidiNotes) -> str:
        """Why a piece has no windows."""
        what = f"no {self.bars} bars of {type(self).__name__.lower()} in 4/4"
        if missing := self.missing(notes):
            return f"{what}: {missing}"
        if len(notes.tempos) > 1 and self.reading.tempo_changes == "restart":
            with suppress(MidiError):
                if len(self.windows(quantize(notes, tempo_changes="ignore"))):
                    return f"{what} between changes of tempo (tempo_changes=ignore reads across)"
        if any(top != bottom for _, top, bottom in notes.meters):
            return f"{what}: {meters_in_words(notes)}"
        return what

    def read_all(self, piece: MidiPiece) -> MidiNotes:
        """The notes of all tracks of a piece.

        Raises:
            MidiError: if it cannot be read.
        """
        return read_midi(
            piece.events,
            max_seconds=MAX_SECONDS,
            max_notes=MAX_NOTES,
            meter_tracks=self.reading.meter_tracks,
        )

    def read(self, piece: MidiPiece) -> MidiNotes:
        """The notes of a piece that windows are made of.

        Raises:
            MidiError: if it cannot be read, or has no grid.
        """
        notes = self.chosen(piece, self.read_all(piece))
        require_grid(notes.start_tick, notes.ticks_per_quarter, self.reading.max_off_grid)
        return notes

    def chosen(self, piece: MidiPiece, notes: MidiNotes) -> MidiNotes:
        """The notes of the tracks that were chosen."""
        if self.tracks is None:
            return notes
        parts = [track.part for track in chosen_tracks(tracks_of(piece.walked, notes), self.tracks)]
        return notes.where(np.isin(notes.part, parts))

    def on_track(self, track: TrackName) -> "Windows":
        """A copy that reads one track, whatever its program.

        Raises:
            ValueError: if windows are of several tracks.
        """
        chosen = copy.copy(self)
        chosen.tracks = [track]
        return chosen

    def tokenize(self, piece: MidiPiece) -> Sequence[Ids]:
        try:
            notes = self.read(piece)
            grid = quantize(notes, tempo_changes=self.reading.tempo_changes)
            windows = self.windows(grid)
        except MidiError as error:
            raise Unencodable(error.reason, error.detail) from error
        if not len(windows):
            raise Unencodable(self.absent(notes))
        if self.max_examples is not None and len(windows) > self.max_examples:
            seed = int.from_bytes(hashlib.sha256(piece.data).digest()[:8])
            chosen = np.random.default_rng(seed).choice(len(windows), self.max_examples, False)
            windows = windows[np.sort(chosen)]
        return list(windows)

    def remarks(self, piece: MidiPiece) -> Sequence[str]:
        events = piece.events
        end = int(events.tick.max(initial=0))
        whole, first = events.clock, events.first_clock
        remarks = []
        if whole.until(end) != first.until(end):
            which = f"read (meter_tracks={self.reading.meter_tracks})"
            which = which if self.reading.meter_tracks == "all" else f"not {which}"
            remarks.append(f"tempos or meters on another track than the first, {which}")
        clock = whole if self.reading.meter_tracks == "all" else first
        restarts = self.reading.tempo_changes == "restart"
        if restarts and clock.breaks_bars(end, events.ticks_per_quarter):
            remarks.append("a tempo changes inside a bar and begins a new one (tempo_changes)")
        return remarks

    def render_ids(self, ids: Ids, title: str, *, number: int = 1) -> Rendition:  # noqa: ARG002
        return Rendition(self.score(np.asarray(ids)), grammar=self.check(np.asarray(ids)))

    def check(self, ids: Ids) -> GrammarCheck | None:  # noqa: ARG002
        """Errors in one window; ``None`` if any numbers are allowed."""
        return None

    def bar_starts(self, ids: Ids) -> NDArray[np.int64]:
        return np.arange(0, len(ids), STEPS_PER_BAR)

    def state(self) -> Mapping[str, Any]:
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Nothing is learned from data."""
