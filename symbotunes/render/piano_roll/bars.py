"""Where the bars of a score begin."""

from dataclasses import dataclass

import symusic

MOST_BARS = 4096  # a broken score must not ask for a million lines


@dataclass(frozen=True)
class Bars:
    """The bar lines of a score.

    Attributes:
        onsets_ticks: where each bar begins, and last where the last one ends.
        beats_ticks: the length of a beat in each bar.
    """

    onsets_ticks: tuple[int, ...]
    beats_ticks: tuple[int, ...]

    @property
    def first_number(self) -> int:
        """What the first bar is called: 0 if it is shorter than the next, an upbeat."""
        starts = self.onsets_ticks
        return 0 if self.count > 1 and 2 * starts[1] < starts[0] + starts[2] else 1

    @property
    def count(self) -> int:
        """Number of bars."""
        return len(self.beats_ticks)


def bars_of(score: symusic.Score) -> Bars:
    """Count bars from tick 0 by the time signatures, 4/4 where none is given.

    An upbeat is a bar of its own where it has a time signature; else the first bar is full.

    Args:
        score: in ticks.
    """
    changes = _changes(score)
    end = max(1, int(score.end()))
    onsets, now, index = [0], 0, 0
    beats: list[int] = []
    while now < end and len(beats) < MOST_BARS:
        while index + 1 < len(changes) and changes[index + 1][0] <= now:
            index += 1
        _, bar, beat = changes[index]
        ahead = changes[index + 1][0] if index + 1 < len(changes) else None
        # A new time signature begins a bar, also where the old bar is not over.
        now = min(now + bar, ahead) if ahead is not None else now + bar
        onsets.append(now)
        beats.append(beat)
    if now < end:  # the rest is one long bar
        onsets[-1] = end
    return Bars(tuple(onsets), tuple(beats))


def _changes(score: symusic.Score) -> list[tuple[int, int, int]]:
    """Onset, bar length and beat length of every time signature, in ticks, from 0 on."""
    quarter = int(score.ticks_per_quarter)
    changes = {0: (4 * quarter, quarter)}
    for signature in sorted(score.time_signatures, key=lambda each: each.time):
        top, bottom = int(signature.numerator), int(signature.denominator)
        if top < 1 or bottom < 1:
            continue
        unit = max(1, 4 * quarter // bottom)
        compound = bottom >= 8 and top % 3 == 0 and top > 3
        changes[max(0, int(signature.time))] = (top * unit, unit * 3 if compound else unit)
    return [(onset, *lengths) for onset, lengths in sorted(changes.items())]
