"""The notes of a piece as arrays, in time steps of a 24th of a quarter note."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import symusic
from numpy.typing import NDArray

RESOLUTION = 24  # time steps per quarter note
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Notes:
    """Notes ``[N]`` of all tracks in time steps.

    Attributes:
        start: of each note.
        end: of each note.
        pitch: MIDI pitch, or the drum.
        track: index of its track.
        drum: whether its track is one of drums.
        bar: length of a bar.
    """

    start: Ints
    end: Ints
    pitch: Ints
    track: Ints
    drum: NDArray[np.bool_]
    bar: int

    @property
    def length(self) -> int:
        """Where the last note ends."""
        return int(self.end.max(initial=0))

    @property
    def pitches(self) -> Ints:
        """Pitches of the notes that have one."""
        return self.pitch[~self.drum]

    @cached_property
    def at_once(self) -> Ints:
        """``[T]`` how many pitches sound in each time step."""
        on = np.zeros((self.length + 1, 128), np.int32)
        pitched = ~self.drum
        np.add.at(on, (self.start[pitched], self.pitch[pitched]), 1)
        np.add.at(on, (self.end[pitched], self.pitch[pitched]), -1)
        return np.asarray((on.cumsum(0)[:-1] > 0).sum(1), np.int64)


def notes_of(score: symusic.Score) -> Notes:
    """The notes of a score, and the bar that most of it has."""
    columns: dict[str, list[Ints]] = {"start": [], "end": [], "pitch": [], "track": [], "drum": []}
    scale = RESOLUTION / score.ticks_per_quarter
    for index, track in enumerate(score.tracks):
        fields = track.notes.numpy()
        time, duration = (fields[name].astype(np.int64) for name in ("time", "duration"))
        columns["start"].append(np.rint(time * scale).astype(np.int64))
        columns["end"].append(np.rint((time + duration) * scale).astype(np.int64))
        columns["pitch"].append(fields["pitch"].astype(np.int64))
        columns["track"].append(np.full(len(time), index, np.int64))
        columns["drum"].append(np.full(len(time), int(track.is_drum), np.int64))
    joined = {
        name: np.concatenate(parts) if parts else np.empty(0, np.int64)
        for name, parts in columns.items()
    }
    drum = joined.pop("drum").astype(bool)
    return Notes(drum=drum, bar=_bar(score), **joined)


def _bar(score: symusic.Score) -> int:
    """Time steps of a bar."""
    if not len(score.time_signatures):
        return 4 * RESOLUTION
    signatures = sorted(score.time_signatures, key=lambda signature: signature.time)
    ends = [
        *(signature.time for signature in signatures[1:]),
        max(score.end(), signatures[-1].time),
    ]
    # The first may be that of an upbeat.
    pairs = zip(signatures, ends, strict=True)
    longest, _ = max(pairs, key=lambda pair: pair[1] - pair[0].time)
    return int(max(1, round(4 * RESOLUTION * longest.numerator / longest.denominator)))
