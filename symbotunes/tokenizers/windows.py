"""Windows of bars in sixteenths, as MusicVAE reads them: melodies, drums, trios.

Roberts et al. 2018, https://arxiv.org/abs/1803.05428; extraction as in the authors' code. A piece
yields many examples of the same length, without ``bos`` and ``eos``.
"""

import copy
import hashlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

import numpy as np
import symusic
from numpy.typing import NDArray

from symbotunes.errors import UserError, require_whole_number
from symbotunes.music.grid.decode import decode_drums, decode_melody, decode_trio
from symbotunes.music.grid.drums import NINE_DRUMS, SIXTY_ONE_DRUMS, drum_examples
from symbotunes.music.grid.melody import (
    ALL_PITCHES,
    MELODY_PROGRAMS,
    PIANO,
    MelodyClasses,
    melody_examples,
    silent_offs,
    without_key,
)
from symbotunes.music.grid.quantize import STEPS_PER_BAR, GridNotes, meters_in_words, quantize
from symbotunes.music.grid.trio import BASS_PROGRAMS, trio_examples
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.notes import MidiNotes, read_midi
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.music.midi.timing import require_grid
from symbotunes.music.midi.tracks import TrackName, chosen_tracks, tracks_of
from symbotunes.tokenizers.base import (
    NO_ID,
    GrammarCheck,
    Ids,
    Rendition,
    Tokenizer,
    Unencodable,
    Vocabulary,
)
from symbotunes.tokenizers.reading import Reading

MAX_SECONDS = 1800.0  # the authors' code drops longer pieces
MAX_NOTES = 10_000  # and those with more notes
PITCHES = {"piano": PIANO, "midi": ALL_PITCHES}
KITS = {"nine": NINE_DRUMS, "full": SIXTY_ONE_DRUMS}


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

    @abstractmethod
    def windows(self, notes: GridNotes) -> NDArray[Any]:
        """``[N, T]`` or ``[N, T, F]``: every window of a piece, at every bar line."""

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

    def read(self, piece: MidiPiece) -> MidiNotes:
        """The notes of a piece that windows are made of.

        Raises:
            MidiError: if it cannot be read, or has no grid.
        """
        notes = self.chosen(
            piece,
            read_midi(
                piece.events,
                max_seconds=MAX_SECONDS,
                max_notes=MAX_NOTES,
                meter_tracks=self.reading.meter_tracks,
            ),
        )
        require_grid(notes.start_tick, notes.ticks_per_quarter, self.reading.max_off_grid)
        return notes

    def chosen(self, piece: MidiPiece, notes: MidiNotes) -> MidiNotes:  # noqa: ARG002
        """The notes of the tracks that the config chooses."""
        return notes

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


class Melody(Windows):
    """Monophonic melodies, one class per sixteenth: hold or rest, note-off, pitches.

    Lost are velocity, tempo, what is shorter than a sixteenth, all but the highest of the notes
    that begin together, and music that is not in 4/4.

    Args:
        bars: length of a window.
        pitches: ``piano``: 21 to 108, 90 classes, as in the authors' code; ``midi``: all 128, 130
            classes, as in the paper.
        programs: lowest and highest General MIDI program to use; ``None``: all but drums.
        max_examples: maximum number of windows per piece; ``None``: all.
        tracks: names or numbers of the tracks to use, whatever their programs; ``None``: all.
        reading: fields of `Reading`.
    """

    SCHEMA: ClassVar[int] = 1

    def __init__(
        self,
        bars: int = 2,
        pitches: str = "piano",
        programs: Sequence[int] | None = (MELODY_PROGRAMS.start, MELODY_PROGRAMS.stop - 1),
        max_examples: int | None = None,
        tracks: Sequence[TrackName] | None = None,
        **reading: Any,
    ) -> None:
        super().__init__(bars, max_examples, **reading)
        self.classes: MelodyClasses = one_of(PITCHES, pitches, "pitches")
        if programs is None or tracks is not None:
            self.programs = None
        else:
            self.programs = range(programs[0], programs[1] + 1)
        self.tracks = tracks

    @property
    def melody_classes(self) -> MelodyClasses:
        return self.classes

    @property
    def pitch_classes(self) -> MelodyClasses:
        return self.classes

    def widened(self) -> tuple[Windows, str] | None:
        if self.programs is None:
            return None
        wide = copy.copy(self)
        wide.programs = None
        first, last = self.programs[0], self.programs[-1]
        return wide, f"of instruments outside programs {first} to {last}"

    def chosen(self, piece: MidiPiece, notes: MidiNotes) -> MidiNotes:
        if self.tracks is None:
            return notes
        parts = [track.part for track in chosen_tracks(tracks_of(piece.walked, notes), self.tracks)]
        return notes.where(np.isin(notes.part, parts))

    def absent(self, notes: MidiNotes) -> str:
        heard = set(notes.program[~notes.is_drum].tolist())
        if self.programs is not None and heard and not heard & set(self.programs):
            return f"no instrument of programs {self.programs[0]} to {self.programs[-1]}"
        return super().absent(notes)

    def missing(self, notes: MidiNotes) -> str:
        return "only drums" if notes.is_drum.all() else ""

    def windows(self, notes: GridNotes) -> NDArray[Any]:
        return melody_examples(notes, self.bars, classes=self.classes, programs=self.programs)

    def score(self, ids: Ids) -> symusic.Score:
        return decode_melody(ids, classes=self.classes)

    def without_key(self, ids: NDArray[Any]) -> NDArray[Any]:
        return without_key(ids)

    def check(self, ids: Ids) -> GrammarCheck:
        """Count note-offs while no note sounds, which no melody has."""
        return GrammarCheck(silent_offs(ids), int(ids.size))

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(self.classes.count, NO_ID, NO_ID)


class Drums(Windows):
    """Drum patterns: the set of drums hit at each sixteenth, as a number.

    Args:
        bars: length of a window.
        kit: ``nine``: 9 kinds of drums, 512 classes; ``full``: 61 pitches, one bit each.
        max_examples: maximum number of windows per piece; ``None``: all.
        reading: fields of `Reading`.
    """

    SCHEMA: ClassVar[int] = 1

    def __init__(
        self, bars: int = 2, kit: str = "nine", max_examples: int | None = None, **reading: Any
    ) -> None:
        super().__init__(bars, max_examples, **reading)
        self.kit = one_of(KITS, kit, "kit")

    def missing(self, notes: MidiNotes) -> str:
        return "" if notes.is_drum.any() else "no drums"

    def windows(self, notes: GridNotes) -> NDArray[Any]:
        return drum_examples(notes, self.bars, kit=self.kit)

    def score(self, ids: Ids) -> symusic.Score:
        return decode_drums(ids, kit=self.kit)

    @property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary(2 ** len(self.kit), NO_ID, NO_ID)


class Trio(Windows):
    """Melody, bass and drums that sound together, three numbers per sixteenth.

    Args:
        bars: length of a window.
        pitches: as for `Melody`; for melody and bass.
        max_examples: maximum number of windows per piece; ``None``: all.
        reading: fields of `Reading`.
    """

    SCHEMA: ClassVar[int] = 1
    FIELDS: ClassVar[int] = 3

    def __init__(
        self,
        bars: int = 16,
        pitches: str = "piano",
        max_examples: int | None = None,
        **reading: Any,
    ) -> None:
        super().__init__(bars, max_examples, **reading)
        self.classes: MelodyClasses = one_of(PITCHES, pitches, "pitches")

    @property
    def melody_classes(self) -> MelodyClasses:
        return self.classes

    def missing(self, notes: MidiNotes) -> str:
        pitched = notes.program[~notes.is_drum]
        missing = [
            f"no {name}"
            for name, is_there in (
                ("melody (programs 0 to 31)", np.isin(pitched, MELODY_PROGRAMS).any()),
                ("bass (programs 32 to 39)", np.isin(pitched, BASS_PROGRAMS).any()),
                ("drums", notes.is_drum.any()),
            )
            if not is_there
        ]
        return ", ".join(missing)

    def windows(self, notes: GridNotes) -> NDArray[Any]:
        return trio_examples(notes, self.bars, classes=self.classes, unique=True)

    def score(self, ids: Ids) -> symusic.Score:
        return decode_trio(ids, classes=self.classes)

    def without_key(self, ids: NDArray[Any]) -> NDArray[Any]:
        """Melody and bass move together, drums stay."""
        return np.concatenate([without_key(ids[..., :2]), ids[..., 2:]], axis=-1)

    def check(self, ids: Ids) -> GrammarCheck:
        """As for `Melody`, in melody and bass; any drums are allowed."""
        return GrammarCheck(sum(silent_offs(ids[:, track]) for track in (0, 1)), int(ids.size))

    @property
    def vocabulary(self) -> Vocabulary:
        """One id for each class of the three tracks."""
        return Vocabulary(2 * self.classes.count + 2 ** len(NINE_DRUMS), NO_ID, NO_ID)


def one_of(choices: Mapping[str, Any], name: str, key: str) -> Any:
    """The choice with a name.

    Raises:
        UserError: naming the choices, if there is no such name.
    """
    if name not in choices:
        raise UserError(f"{key}={name}: choose {' or '.join(choices)}")
    return choices[name]
