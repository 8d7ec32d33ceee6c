"""The rows of a piano roll: a row for each semitone, and below them one for each drum."""

from dataclasses import dataclass

import symusic

NAMES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
BLACK = frozenset({1, 3, 6, 8, 10})  # pitch classes
DRUM_ROW = 1.6  # semitones; leaves room for the names of drums
MIN_SPAN = 14  # semitones; a tune of three notes is not magnified
DRUM_NAMES = {  # General MIDI 1 percussion key map, the common ones
    35: "Kick", 36: "Kick", 37: "Side stick", 38: "Snare", 39: "Clap", 40: "Snare 2",
    41: "Low tom", 42: "Hi-hat", 43: "Low tom", 44: "Pedal hat", 45: "Tom", 46: "Open hat",
    47: "Tom", 48: "High tom", 49: "Crash", 50: "High tom", 51: "Ride", 53: "Ride bell",
    54: "Tambourine", 56: "Cowbell", 57: "Crash 2", 59: "Ride 2",
}  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """The rows of a roll, in semitones from bottom to top.

    Attributes:
        low: lowest MIDI pitch shown; the row of pitch ``p`` is from ``p - 0.5`` to ``p + 0.5``.
        high: highest one.
        drums: drum pitches, downwards from below `low`.
    """

    low: int
    high: int
    drums: tuple[int, ...]

    @property
    def bottom(self) -> float:
        """Lower edge of the lowest row."""
        return self.low - 0.5 - DRUM_ROW * len(self.drums)

    @property
    def count(self) -> float:
        """Height in semitones."""
        return self.high + 0.5 - self.bottom

    def row(self, pitch: int, *, is_drum: bool) -> float:
        """The middle of a note's row."""
        if not is_drum:
            return pitch
        return self.low - 0.5 - DRUM_ROW * (self.drums.index(pitch) + 0.5)

    def labels(self, row_height: float) -> list[tuple[float, str]]:
        """Rows and their names: all white keys if rows are high enough, and always every C.

        Args:
            row_height: in px.
        """
        shown = {0, 2, 4, 5, 7, 9, 11} if row_height >= 18 else {0, 7} if row_height >= 7 else {0}
        pitched: list[tuple[float, str]] = [
            (pitch, pitch_name(pitch))
            for pitch in range(self.low, self.high + 1)
            if pitch % 12 in shown
        ]
        return pitched + [
            (self.row(drum, is_drum=True), DRUM_NAMES.get(drum, f"Drum {drum}"))
            for drum in self.drums
        ]


def rows_of(score: symusic.Score) -> Rows:
    """The rows that a score needs, with a margin of at least one semitone."""
    pitched = [note.pitch for track in score.tracks if not track.is_drum for note in track.notes]
    drums = {int(note.pitch) for track in score.tracks if track.is_drum for note in track.notes}
    low, high = (min(pitched), max(pitched)) if pitched else (60, 72)
    missing = max(2, MIN_SPAN - (high - low))
    low, high = max(0, low - missing // 2), min(127, high + (missing + 1) // 2)
    return Rows(int(low), int(high), tuple(sorted(drums)))


def pitch_name(pitch: int) -> str:
    """Scientific pitch notation: 60 is C4, 69 is A4."""
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}"
