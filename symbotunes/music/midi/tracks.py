"""The tracks of a file as a user names them: parts with notes, numbered from 1.

A part is a channel of a track chunk, in the order of the file, so that a file with everything in
one chunk has tracks as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import symusic

from symbotunes.music.midi.decoding import number
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.notes import MidiNotes
from symbotunes.music.midi.smf import Walk

TrackName = str | int  # a name, in whatever case, or a number

_META, _NAME = 0xFF, 0x03


@dataclass(frozen=True)
class MidiTrack:
    """A part that has notes.

    Attributes:
        number: counted from 1.
        name: as the file states it, or empty.
        part: as in `MidiNotes.part`.
    """

    number: int
    name: str
    part: int

    def __str__(self) -> str:
        return f"{self.number} {self.name}".rstrip()


def tracks_of(walked: Walk, notes: MidiNotes) -> list[MidiTrack]:
    """The parts of a file that have notes."""
    names = _names(walked)
    parts = np.unique(notes.part).tolist()
    return [
        MidiTrack(index, names.get(part >> 4, ""), part)
        for index, part in enumerate(parts, start=1)
    ]


def chosen_tracks(tracks: Sequence[MidiTrack], wanted: Sequence[TrackName]) -> list[MidiTrack]:
    """The tracks with these names or numbers, in the order of the file.

    Raises:
        MidiError: if one is missing, listing those that there are.
    """
    chosen: list[MidiTrack] = []
    for name in wanted:
        matches = [track for track in tracks if _is(track, name)]
        if not matches:
            listed = ", ".join(str(track) for track in tracks[:20]) or "none"
            raise MidiError(f"no track {name}", f"it has {listed}")
        chosen += [track for track in matches if track not in chosen]
    return sorted(chosen, key=lambda track: track.number)


def score_of_track(score: symusic.Score, name: TrackName) -> symusic.Score:
    """A copy of a score with the tracks of a name, or the track of a number, alone.

    Raises:
        ValueError: if there is none, listing those that there are.
    """
    sounding = [track for track in score.tracks if len(track.notes)]
    tracks = [MidiTrack(index, track.name, index) for index, track in enumerate(sounding, start=1)]
    numbers = [track.number for track in chosen_tracks(tracks, [name])]
    chosen = score.copy()
    chosen.tracks = [sounding[number - 1] for number in numbers]
    return chosen


def _is(track: MidiTrack, name: TrackName) -> bool:
    """Whether a track has a name, or else a number."""
    text = str(name).strip()
    return track.name.casefold() == text.casefold() or str(track.number) == text


def _names(walked: Walk) -> dict[int, str]:
    """The first name that each track chunk states, by its number."""
    names: dict[int, str] = {}
    for event, meta in walked.metas:
        if not meta.startswith(bytes([_META, _NAME])):
            continue
        size, begin = number(meta, 2)
        text = meta[begin : begin + size].decode("utf-8", "replace").strip("\0 \t\r\n")
        chunk = int(np.searchsorted(walked.borders, event, side="right")) - 1
        names.setdefault(chunk, "".join(sign for sign in text if sign.isprintable()))
    return names
