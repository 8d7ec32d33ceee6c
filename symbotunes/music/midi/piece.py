"""A piece of MIDI, as a file or as a score made from one, with its provenance."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
import symusic

from symbotunes.music.midi.canonical import canonical
from symbotunes.music.midi.container import unwrapped
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.events import MidiEvents, read_events
from symbotunes.music.midi.notes import MAX_BYTES as MAX_EVENT_BYTES
from symbotunes.music.midi.smf import Walk, walk
from symbotunes.music.mirex import is_prompt, read_prompt

__all__ = ["MidiError", "MidiPiece", "read_midi_bytes"]

MAX_BYTES = 64 * 2**20  # the largest MIDI files of the web hold some MiB
STEPS_PER_QUARTER = 12  # of `MidiPiece.content`: sixteenths and triplets both fall on the grid


class _Reading:
    """What is read from a file, or written from a score; each part on first use."""

    def __init__(self, music: "bytes | symusic.Score") -> None:
        self.music = music

    @cached_property
    def score(self) -> symusic.Score:
        if not isinstance(self.music, bytes):
            return self.music
        data = canonical(self.walked)
        try:
            return symusic.Score.from_midi(data)
        except Exception as error:  # the C++ reader raises exceptions of many kinds
            raise MidiError("unreadable MIDI", str(error)) from error

    @cached_property
    def data(self) -> bytes:
        return self.music if isinstance(self.music, bytes) else bytes(self.music.dumps_midi())

    @cached_property
    def walked(self) -> Walk:
        return walk(self.data)

    @cached_property
    def events(self) -> MidiEvents:
        if len(self.data) > MAX_EVENT_BYTES:
            raise MidiError("file larger than 8 MiB")
        return read_events(self.walked)

    def __reduce__(self) -> "tuple[type, tuple[bytes | symusic.Score]]":
        """Pickle without what was read, which is larger than the file."""
        return _Reading, (self.music,)


@dataclass(frozen=True)
class MidiPiece:
    """One MIDI file, or a version of one, with its provenance.

    A file is scanned and parsed on first use, and only once, even if its labels are replaced
    (`dataclasses.replace`); a score is written to bytes only for a reader that needs them. Neither
    counts in comparisons, and neither is pickled for other processes.

    Attributes:
        id: unique within its corpus, for example ``lmd_full/0/0a0b.mid``.
        music: the bytes of the file, or the score in ticks that a step made; not to be changed.
        title: for people, or empty.
        collection: folder or book that contains it, or empty.
        split: the split that the piece must go to; ``None`` lets ``loader.split`` decide.
        family: content of the piece that a step made this one of; empty if it was found as it is.
        work: the source's own name of the work, which all its versions share; empty if it has none.
        only: ``train`` or ``held-out`` for a version that is of use on that side alone, or empty.
    """

    id: str
    music: "bytes | symusic.Score"  # symusic's types do not support | at run time
    title: str = ""
    collection: str = ""
    split: str | None = None
    family: bytes = b""
    work: str = ""
    only: str = ""

    # Callers leave this as None; `__post_init__` then sets it.
    _reading: _Reading = field(default=cast("_Reading", None), repr=False, compare=False)

    def __post_init__(self) -> None:
        """Keep what was parsed if this is the same music under other labels."""
        if self._reading is None or self._reading.music is not self.music:
            object.__setattr__(self, "_reading", _Reading(self.music))

    @property
    def score(self) -> symusic.Score:
        """A copy of the notes in ticks, which the caller may change.

        Raises:
            MidiError: if the bytes are not a complete, valid MIDI file with ticks per quarter.
        """
        return self.parsed.copy()

    @property
    def parsed(self) -> symusic.Score:
        """The notes in ticks, shared: not to be changed.

        Raises:
            MidiError: if the bytes are not a complete, valid MIDI file with ticks per quarter.
        """
        return self._reading.score

    @property
    def data(self) -> bytes:
        """The bytes of the file, or of the file that the score is written to."""
        return self._reading.data

    @property
    def walked(self) -> Walk:
        """Where the events of the file are.

        Raises:
            MidiError: if the bytes are not a complete, valid MIDI file.
        """
        return self._reading.walked

    @property
    def events(self) -> MidiEvents:
        """The channel events of the file and its clock.

        Raises:
            MidiError: if the bytes are not a complete, valid MIDI file, or too many.
        """
        return self._reading.events

    def content(self) -> bytes:
        """Onset, pitch, is-drum and duration of every note, sorted, as little-endian int32 [N, 4].

        Times are in twelfths of a quarter from the first onset. Tempo, velocity, names, programs
        and the order of tracks make no difference.

        Raises:
            MidiError: if the file cannot be read or holds no note.
        """
        score = self.parsed
        tracks = [(track.notes.numpy(), track.is_drum) for track in score.tracks]
        rows = [
            np.stack(
                [
                    notes["time"].astype(np.int64),
                    notes["pitch"].astype(np.int64),
                    np.full(len(notes["time"]), is_drum, np.int64),
                    notes["duration"].astype(np.int64),
                ],
                axis=1,
            )
            for notes, is_drum in tracks
        ]
        table = np.concatenate([np.zeros((0, 4), np.int64), *rows])
        if not len(table):
            raise MidiError("no notes")
        table[:, 0] -= table[:, 0].min()
        for column in (0, 3):
            table[:, column] = _steps(table[:, column], score.ticks_per_quarter)
        order = np.lexsort(table.T[::-1])
        return table[order].astype("<i4").tobytes()


def _steps(ticks: np.ndarray, ticks_per_quarter: int) -> np.ndarray:
    """Ticks to the nearest step of the grid, halves upwards, without floating point."""
    return (2 * STEPS_PER_QUARTER * ticks + ticks_per_quarter) // (2 * ticks_per_quarter)


def read_midi_bytes(path: Path) -> bytes:
    """The bytes of a file that begins like MIDI, or of the MIDI that a prompt of MIREX says.

    Raises:
        MidiError: if it is empty, too large, unreadable or something else.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise MidiError("larger than 64 MiB", f"{size:,} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise MidiError(f"unreadable file: {error.strerror}") from error
    if not data:
        raise MidiError("empty file")
    if data[:200].lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise MidiError("a web page, not MIDI")
    if is_prompt(path):
        return bytes(read_prompt(data).dumps_midi())
    unwrapped(data)
    return data
