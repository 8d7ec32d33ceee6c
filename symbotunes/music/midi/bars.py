"""The bars of a score in ticks: where a file's meters really put them, without silence around."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import symusic

from symbotunes.music.excerpt import Excerpt
from symbotunes.music.midi.error import MidiError

COMMON_TIME = (4, 4)  # where a file states no meter
SNAP = Fraction(1, 20)  # quarters; nearer to a bar line, a change of meter is meant to be on it

Meter = tuple[int, int]  # numerator and denominator


@dataclass(frozen=True)
class Section:
    """Bars of one meter.

    Attributes:
        start: quarters from the beginning of the score.
        meter: of every bar.
    """

    start: Fraction
    meter: Meter

    @property
    def bar(self) -> Fraction:
        """Quarters in a bar."""
        return quarters(self.meter)


def quarters(meter: Meter) -> Fraction:
    """Length of a bar in quarters."""
    return Fraction(4 * meter[0], meter[1])


def sections(score: symusic.Score) -> list[Section]:
    """The sections of a score, see `sections_of`."""
    changes = sorted(score.time_signatures, key=lambda signature: signature.time)
    return sections_of(
        (
            Fraction(max(0, int(change.time)), score.ticks_per_quarter),
            (int(change.numerator), int(change.denominator)),
        )
        for change in changes
    )


def sections_of(changes: Iterable[tuple[Fraction, Meter]]) -> list[Section]:
    """The sections of a piece, each from one change of meter to the next.

    A change begins a bar, whether the bar before it is complete or not. Of several changes at one
    moment the last counts; one to the meter that a section has already is none.

    Args:
        changes: quarters from the beginning, in order, and meters.
    """
    stated = {Fraction(0): COMMON_TIME}
    stated |= {start: meter for start, meter in changes if min(meter) > 0}
    kept: list[Section] = []
    for start, meter in stated.items():
        if not kept or kept[-1].meter != meter:
            kept.append(Section(start, meter))
    return kept


@dataclass(frozen=True)
class BarLines:
    """The bars of a piece, numbered as engraved: an upbeat is bar 0.

    Attributes:
        sections: of the piece.
        end: quarters from the beginning to its end.
        shift: what is added to the numbers.
    """

    sections: Sequence[Section]
    end: Fraction
    shift: int = 0

    def number_at(self, now: Fraction) -> int:
        """The bar that holds a moment, in quarters from the beginning."""
        return self._count(now) + self.first

    def start(self, number: int) -> Fraction:
        """Quarters from the beginning to a bar, which may lie after the end."""
        left = number - self.first
        for section, following in pairwise([*self.sections, None]):
            assert section is not None
            bars = left + 1 if following is None else _bars_between(section, following.start)
            if left < bars:
                return section.start + left * section.bar
            left -= bars
        raise AssertionError("the last section has no end")

    @property
    def first(self) -> int:
        """Number of the first bar: 0 for an upbeat, which is shorter than the bar after it."""
        first = self.sections[0]
        if len(self.sections) == 1 or _bars_between(first, self.sections[1].start) != 1:
            return 1 + self.shift
        second = self.sections[1]
        return int(min(first.bar, second.start) >= second.bar) + self.shift

    @property
    def last(self) -> int:
        """Number of the last bar."""
        now = max(Fraction(0), self.end - Fraction(1, 1_000_000))
        return self.number_at(now)

    def _count(self, now: Fraction) -> int:
        """Bars that have ended by then."""
        count = 0
        for section, following in pairwise([*self.sections, None]):
            assert section is not None
            if following is None or now < following.start:
                return count + int((now - section.start) // section.bar)
            count += _bars_between(section, following.start)
        raise AssertionError("the last section has no end")


def _bars_between(section: Section, end: Fraction) -> int:
    """Bars of a section, the last of which may be cut short."""
    return int(-((section.start - end) // section.bar))


def without_silence(score: symusic.Score) -> symusic.Score:
    """A copy from the bar of the first note to the end of the last one.

    The meter, tempo and key that hold in the first bar are kept, at its beginning.

    Raises:
        MidiError: if there is no note.
    """
    tracks = [track for track in score.tracks if len(track.notes)]
    if not tracks:
        raise MidiError("no notes")
    columns = [track.notes.numpy() for track in tracks]
    first = min(int(notes["time"].min()) for notes in columns)
    end = max(int((notes["time"] + notes["duration"]).max()) for notes in columns)
    begin = _bar_line_before(score, max(first, 0))
    # `clip` states at its beginning the meter, tempo and key that hold there.
    return score.clip(begin, end, clip_end=False).shift_time(-begin)


def _bar_line_before(score: symusic.Score, tick: int) -> int:
    """Where the bar begins that holds a tick."""
    now = Fraction(tick, score.ticks_per_quarter)
    holding = [section for section in sections(score) if section.start <= now][-1]
    bars = (now - holding.start) // holding.bar
    return int((holding.start + bars * holding.bar) * score.ticks_per_quarter)


def spoken_sections(score: symusic.Score, known: Collection[Meter]) -> list[Section]:
    """The sections of a score such that each begins where a bar of the one before it ends.

    A bar that a change cuts short, such as an upbeat, becomes a bar of a shorter meter. Changes of
    meter very near to a bar line are moved to it.

    Args:
        score: in ticks.
        known: the meters that can be expressed.

    Raises:
        MidiError: naming the first meter or bar that cannot be expressed.
    """
    spoken: list[Section] = []
    stated = sections(score)
    end = Fraction(int(score.end()), score.ticks_per_quarter)
    stated = [section for section in stated if section.start < end or section.start == 0]
    start = Fraction(0)
    for section, following in zip(stated, [*stated[1:], None], strict=True):
        if following is None:
            spoken.append(Section(start, _known(section.meter, known, upbeat=False)))
            break
        bars, rest = divmod(following.start - start, section.bar)
        if rest >= section.bar - SNAP:
            bars, rest = bars + 1, Fraction(0)
        elif rest <= SNAP:
            rest = Fraction(0)
        if bars:
            upbeat = bars == 1 and not rest and not spoken
            meter = _known(section.meter, known, upbeat=upbeat)
            spoken.append(Section(start, meter))
            start += bars * section.bar
        if rest:
            spoken.append(Section(start, _short(rest, section.meter, known)))
            start += spoken[-1].bar
    return list(_merged(spoken))


def _merged(sections: Sequence[Section]) -> Iterator[Section]:
    """Without sections that go on in the meter of the one before."""
    meter = None
    for section in sections:
        if section.meter != meter:
            yield section
        meter = section.meter


def _known(meter: Meter, known: Collection[Meter], *, upbeat: bool) -> Meter:
    """The meter; for an upbeat bar, one of the same length will do."""
    if meter in known:
        return meter
    if upbeat and (same := _of_length(quarters(meter), meter, known)):
        return same
    name = f"{meter[0]}/{meter[1]}"
    raise MidiError(f"upbeat of {name}" if upbeat else f"meter {name}", "not in the vocabulary")


def _short(length: Fraction, meter: Meter, known: Collection[Meter]) -> Meter:
    """The meter of a bar that a change of meter cuts short."""
    if (same := _of_length(length, meter, known)) is None:
        raise MidiError(
            f"a bar of {meter[0]}/{meter[1]} cut short by a change of meter",
            f"after {float(length):g} quarters",
        )
    return same


def _of_length(length: Fraction, like: Meter, known: Collection[Meter]) -> Meter | None:
    """A known meter of a length in quarters, with the denominator of another if possible."""
    near = [meter for meter in known if abs(quarters(meter) - length) <= SNAP]
    return min(near, key=lambda meter: (meter[1] != like[1], meter[1], meter[0]), default=None)


def on_grid(score: symusic.Score, bars: Sequence[Section], steps: int) -> symusic.Score:
    """A copy on MidiTok's grid, with these bars.

    MidiTok would cut the onsets of meters down to whole ticks in floating point, and then move
    those that no longer lie on a bar line to the next one.

    Args:
        score: in ticks.
        bars: from the beginning of the score.
        steps: of every beat, which is the denominator of the meter.
    """
    division = steps * max(section.meter[1] for section in bars) // 4
    gridded = score.copy() if division == score.tpq else score.resample(division, min_dur=1)
    gridded.time_signatures = symusic.core.TimeSignatureTickList(
        [symusic.TimeSignature(int(section.start * division), *section.meter) for section in bars]
    )
    return gridded


def bar_lines(score: symusic.Score) -> BarLines:
    """The bars of a score."""
    return BarLines(sections(score), Fraction(max(1, int(score.end())), score.ticks_per_quarter))


def chosen_bars(score: symusic.Score, bars: Excerpt) -> symusic.Score:
    """Some bars of a score, one range after another.

    Args:
        score: in ticks, with a meter at its beginning.
        bars: as engraved, in the order in which they are wanted.

    Raises:
        ValueError: naming a bar that the score does not have.
    """
    lines = bar_lines(score)
    chosen: symusic.Score | None = None
    length = 0
    for numbers in bars:
        for number in (numbers[0], numbers[-1]):
            if not lines.first <= number <= lines.last:
                raise ValueError(f"it has bars {lines.first} to {lines.last}, no bar {number}")
        begin = int(lines.start(numbers[0]) * score.ticks_per_quarter)
        end = int(lines.start(numbers[-1] + 1) * score.ticks_per_quarter)
        part = score.clip(begin, end, clip_end=len(bars) > 1).shift_time(length - begin)
        length += end - begin
        chosen = part if chosen is None else _joined(chosen, part)
    assert chosen is not None
    return chosen


def _joined(chosen: symusic.Score, part: symusic.Score) -> symusic.Score:
    """A score with the events of a later part, which has the same tracks."""
    for track, more in zip(chosen.tracks, part.tracks, strict=True):
        track.notes.extend(more.notes)
    for kept, later in (
        (chosen.time_signatures, part.time_signatures),
        (chosen.tempos, part.tempos),
    ):
        for event in later:
            if not len(kept) or not _means_the_same(kept[-1], event):
                kept.append(event)
    return chosen


def _means_the_same(before: Any, event: Any) -> bool:
    """Whether a meter or tempo is what holds already."""
    again = event.copy()
    again.time = before.time
    return bool(again == before)
