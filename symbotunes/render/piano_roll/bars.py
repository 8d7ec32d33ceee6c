"""Where the bars of a score begin."""

from dataclasses import dataclass

import symusic

MAX_BARS = 4096  # a broken score must not require a million lines


@dataclass(frozen=True)
class Bars:
    """The bar lines of a score.

    Attributes:
        onsets_ticks: where each bar begins, and finally where the last one ends.
        beats_ticks: the length of a beat in each bar.
    """

    onsets_ticks: tuple[int, ...]
    beats_ticks: tuple[int, ...]

    @property
    def first_number(self) -> int:
        """Number of the first bar: 0 for an upbeat, which is shorter than the next bar."""
        starts = self.onsets_ticks
        return 0 if self.count > 1 and 2 * starts[1] < starts[0] + starts[2] else 1

    @property
    def count(self) -> int:
        """Number of bars."""
        return len(self.beats_ticks)


def bars_of(score: symusic.Score) -> Bars:
    """Count bars from tick 0 by the time signatures, or in 4/4 where there is none.

    An upbeat with a time signature of its own is a bar; otherwise the first bar is full.

    Args:
        score: in ticks.
    """
    changes = _changes(score)
    end = max(1, int(score.end()))
    onsets, now, index = [0], 0, 0
    beats: list[int] = []
    while now < end and len(beats) < MAX_BARS:
        while index + 1 < len(changes) and changes[index + 1][0] <= now:
            index += 1
        _, bar, beat = changes[index]
        following = changes[index + 1][0] if index + 1 < len(changes) else None
        # A new time signature begins a bar, even if the old bar is not complete.
        now = min(now + bar, following) if following is not None else now + bar
        onsets.append(now)
        beats.append(beat)
    if now < end:  # the rest is one long bar
        onsets[-1] = end
    return Bars(tuple(onsets), tuple(beats))


def _changes(score: symusic.Score) -> list[tuple[int, int, int]]:
    """Onset, bar length and beat length of every time signature, in ticks, from 0."""
    quarter = int(score.ticks_per_quarter)
    changes = {0: (4 * quarter, quarter)}
    for signature in sorted(score.time_signatures, key=lambda signature: signature.time):
        top, bottom = int(signature.numerator), int(signature.denominator)
        if top < 1 or bottom < 1:
            continue
        unit = max(1, 4 * quarter // bottom)
        compound = bottom >= 8 and top % 3 == 0 and top > 3
        changes[max(0, int(signature.time))] = (top * unit, unit * 3 if compound else unit)
    return [(onset, *lengths) for onset, lengths in sorted(changes.items())]
