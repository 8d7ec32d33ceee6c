"""A piece as a Standard MIDI File, with where it comes from."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import symusic

from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.smf import walk

__all__ = ["MidiError", "MidiPiece", "read_midi_bytes"]

__all__ = ["MidiError", "MidiPiece", "read_midi_bytes"]

MAX_BYTES = 64 * 2**20  # the largest MIDI files of the web hold some MiB
STEPS_PER_QUARTER = 12  # of `MidiPiece.content`: sixteenths and triplets both fall on the grid


@dataclass(frozen=True)
class MidiPiece:
    """One MIDI file with its provenance.

    Attributes:
        id: unique within its corpus, for example ``lmd_full/0/0a0b.mid``.
        data: the bytes of the file.
        title: for people, or empty.
        collection: folder or book that it was found in, or empty.
        split: the split that the piece must go to; ``None`` lets its content decide.
        family: content of the piece that this one is a version of; empty if it is none.
    """

    id: str
    data: bytes
    title: str = ""
    collection: str = ""
    split: str | None = None
    family: bytes = b""

    @property
    def score(self) -> symusic.Score:
        """The notes in ticks, parsed anew at every call: the caller may change them.

        Raises:
            MidiError: if the bytes are no whole, valid MIDI file with ticks per quarter.
        """
        _check(self.data)
        try:
            score = symusic.Score.from_midi(self.data)
        except Exception as error:  # the C++ reader raises whatever it likes
            raise MidiError("unreadable MIDI", str(error)) from error
        if score.ticks_per_quarter <= 0:
            raise MidiError("no ticks per quarter", self.id)
        return score

    def content(self) -> bytes:
        """Onset, pitch, drum or not, duration of every note, sorted, as little-endian int32 [N, 4].

        Times are in twelfths of a quarter from the first onset. Tempo, velocity, names, programs
        and the order of tracks make no difference.

        Raises:
            MidiError: if the file cannot be read or holds no note.
        """
        score = self.score
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
            raise MidiError("no notes", self.id)
        table[:, 0] -= table[:, 0].min()
        for column in (0, 3):
            table[:, column] = _steps(table[:, column], score.ticks_per_quarter)
        order = np.lexsort(table.T[::-1])
        return table[order].astype("<i4").tobytes()


@lru_cache(maxsize=2)
def _check(data: bytes) -> None:
    """Refuse broken files: a few of them crash symusic, and with it the process.

    The file at hand is remembered, since its content and its notes are asked for in turn.

    Raises:
        MidiError: if the bytes are no whole, valid file.
    """
    walk(data)


def _steps(ticks: np.ndarray, ticks_per_quarter: int) -> np.ndarray:
    """Ticks to the nearest step of the grid, halves upwards, without floating point."""
    return (2 * STEPS_PER_QUARTER * ticks + ticks_per_quarter) // (2 * ticks_per_quarter)


def read_midi_bytes(path: Path) -> bytes:
    """The bytes of a file that begins like MIDI.

    Raises:
        MidiError: if it is empty, too large, unreadable or something else.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise MidiError("larger than 64 MiB", path.name)
        data = path.read_bytes()
    except OSError as error:
        raise MidiError(f"unreadable file: {error.strerror}", path.name) from error
    if not data:
        raise MidiError("empty file", path.name)
    if not data.startswith(b"MThd"):
        page = data[:200].lstrip().lower().startswith((b"<!doctype", b"<html"))
        raise MidiError("a web page, not MIDI" if page else "not a MIDI file", path.name)
    return data
