"""Four voices on a grid of sixteenths, and their notes as MIDI of four tracks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import symusic
from numpy.typing import NDArray

from symbotunes.music.midi.error import MidiError

VOICES = ("Soprano", "Alto", "Tenor", "Bass")
SILENT = -1  # in place of the pitch of a voice that rests
STEPS_PER_QUARTER = 4
TICKS_PER_STEP = 120
TEMPO = 80.0  # quarters per minute, to listen to
CHOIR = 52  # General MIDI program, counted from 0
VELOCITY = 80


@dataclass(frozen=True)
class VoiceGrid:
    """What four voices sing at every sixteenth.

    Attributes:
        pitches: ``[T, 4]`` MIDI pitches, soprano to bass; `SILENT` where a voice rests. A melody
            alone is ``[T, 1]``.
        begins: of the same shape, whether a note begins; a voice that sings on holds its note.
    """

    pitches: NDArray[np.int64]
    begins: NDArray[np.bool_]

    @classmethod
    def joined(cls, pitches: NDArray[np.int64]) -> "VoiceGrid":
        """A grid that does not tell repeated notes from held ones: equal neighbors are one note."""
        changes = np.ones(pitches.shape, bool)
        changes[1:] = pitches[1:] != pitches[:-1]
        return cls(pitches, changes & (pitches != SILENT))

    def score(self) -> symusic.Score:
        """MIDI of four tracks, soprano to bass, each with the name of its voice."""
        score = symusic.Score(STEPS_PER_QUARTER * TICKS_PER_STEP)
        score.tempos.append(symusic.Tempo(0, TEMPO))
        for voice, name in enumerate(VOICES):
            track = symusic.Track(program=CHOIR, name=name)
            track.notes = self._notes(voice)
            score.tracks.append(track)
        return score

    def _notes(self, voice: int) -> symusic.core.NoteTickList:
        pitches, begins = self.pitches[:, voice], self.begins[:, voice]
        # A note ends where another begins, or the voice rests.
        borders = np.flatnonzero(begins | (pitches == SILENT))
        ends = np.append(borders[1:], len(pitches))
        sounds = pitches[borders] != SILENT
        starts, ends = borders[sounds], ends[sounds]
        return symusic.Note.from_numpy(
            time=(starts * TICKS_PER_STEP).astype(np.int32),
            duration=((ends - starts) * TICKS_PER_STEP).astype(np.int32),
            pitch=pitches[starts].astype(np.int8),
            velocity=np.full(len(starts), VELOCITY, np.int8),
        )


def read_voices(score: symusic.Score) -> VoiceGrid:
    """The notes that are heard at each sixteenth, from the first note on.

    What begins and ends between two points of the grid is not heard. Voices are the tracks that
    have their names, or else the four tracks with notes, in the order of the file.

    Args:
        score: times in ticks.

    Raises:
        MidiError: if there are not four tracks, or a track sounds two notes at once.
    """
    return _heard(_four_tracks(score), score.ticks_per_quarter)[0]


def read_melody(score: symusic.Score) -> tuple[VoiceGrid, int]:
    """The same of the first track with notes, ``[T, 1]``, and the steps of silence before it.

    Raises:
        MidiError: if there is none, or it sounds two notes at once.
    """
    sounding = [track for track in score.tracks if len(track.notes) and not track.is_drum]
    if not sounding:
        raise MidiError("no notes")
    return _heard(sounding[:1], score.ticks_per_quarter)


def _heard(tracks: Sequence[symusic.Track], quarter: int) -> tuple[VoiceGrid, int]:
    """What is heard of some tracks from their first note on, and the steps before it."""
    columns = [track.notes.numpy() for track in tracks]
    starts = [notes["time"].astype(np.int64) for notes in columns]
    ends = [notes["time"].astype(np.int64) + notes["duration"] for notes in columns]
    first = min(int(ticks.min()) for ticks in starts if len(ticks))
    offset = first * STEPS_PER_QUARTER // quarter
    steps = max(int(_steps_until(ticks, quarter).max()) for ticks in ends if len(ticks)) - offset
    pitches = np.full((steps, len(tracks)), SILENT, np.int64)
    begins = np.zeros(pitches.shape, bool)
    for voice, (track, notes) in enumerate(zip(tracks, columns, strict=True)):
        order = np.argsort(starts[voice], kind="stable")
        start, end = starts[voice][order], ends[voice][order]
        if (start[1:] < end[:-1]).any():
            raise MidiError("a voice with two notes at once", track.name)
        spans = (_steps_until(ticks, quarter) - offset for ticks in (start, end))
        for pitch, begin, stop in zip(notes["pitch"][order], *spans, strict=True):
            pitches[begin:stop, voice] = pitch
            begins[begin : min(begin + 1, stop), voice] = True
    return VoiceGrid(pitches, begins), offset


def _four_tracks(score: symusic.Score) -> list[symusic.Track]:
    sounding = [track for track in score.tracks if len(track.notes) and not track.is_drum]
    if not sounding:
        raise MidiError("no notes")
    named = {track.name.strip().casefold(): track for track in (*score.tracks, *sounding)}
    if all(voice.casefold() in named for voice in VOICES):
        return [named[voice.casefold()] for voice in VOICES]  # any of which may be silent
    if len(sounding) != len(VOICES):
        raise MidiError("not in four voices", f"{len(sounding)} tracks have notes")
    return sounding


def _steps_until(ticks: NDArray[np.int64], quarter: int) -> NDArray[np.int64]:
    """Number of points of the grid before each tick."""
    return -(-ticks * STEPS_PER_QUARTER // quarter)
