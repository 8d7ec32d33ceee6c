"""From ticks to seconds."""

from bisect import bisect_right

import symusic

DEFAULT_BPM = 120.0  # of MIDI, if no tempo is given


class Clock:
    """Converts ticks of a score to seconds.

    Args:
        score: in ticks.
    """

    def __init__(self, score: symusic.Score) -> None:
        changes = {0: DEFAULT_BPM}
        for tempo in sorted(score.tempos, key=lambda tempo: tempo.time):
            if tempo.qpm > 0:
                changes[max(0, int(tempo.time))] = float(tempo.qpm)
        self.changes_ticks = sorted(changes)
        self._pace: list[float] = [
            60.0 / changes[at] / score.ticks_per_quarter for at in self.changes_ticks
        ]  # seconds per tick
        self._seconds = [0.0]
        for index, at in enumerate(self.changes_ticks[1:]):
            ticks = at - self.changes_ticks[index]
            self._seconds.append(self._seconds[-1] + ticks * self._pace[index])

    def seconds(self, ticks: int) -> float:
        """Seconds from the beginning to a tick."""
        index = max(0, bisect_right(self.changes_ticks, ticks) - 1)
        beyond = ticks - self.changes_ticks[index]
        return self._seconds[index] + beyond * self._pace[index]
