"""The events of a MIDI file as arrays."""

from dataclasses import dataclass

import numpy as np

from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.smf import FAR, MAX_TICK, Integers, Walk, number


@dataclass(frozen=True)
class MidiEvents:
    """The channel events of a file in the order of its bytes, and its first track's clock.

    Attributes:
        ticks_per_quarter: from the header.
        track: [E] number of the track chunk.
        tick: [E] time since the beginning of the track.
        status: [E] status byte, running status filled in.
        first: [E] first data byte.
        second: [E] second data byte; meaningless for events that have one.
        tempos: (tick, microseconds per quarter) of the first track, in order.
        meters: (tick, numerator, denominator) of the first track, in order.
    """

    ticks_per_quarter: int
    track: Integers
    tick: Integers
    status: Integers
    first: Integers
    second: Integers
    tempos: tuple[tuple[int, int], ...]
    meters: tuple[tuple[int, int, int], ...]


def read_events(walked: Walk) -> MidiEvents:
    """The events of a Standard MIDI File whose event positions are known.

    Raises:
        MidiError: if the file is invalid.
    """
    starts, raw = walked.starts, walked.raw
    first_of = np.searchsorted(starts, walked.borders)  # number of each track's first event
    ticks = _ticks(walked, first_of)
    # Keep the channel events, each with the number of its track.
    is_channel = np.ones(len(starts), np.bool_)
    is_channel[np.searchsorted(starts, walked.others)] = False
    track = np.repeat(np.arange(len(first_of) - 1), np.diff(first_of))[is_channel]
    # The byte after the delta time is either a status byte (above 127), or, under running status,
    # the first data byte. Each event takes the status of the last event that stated one.
    head = walked.deltas_end[starts[is_channel]] + 1
    stated = raw[head] > 127
    sources = np.maximum.accumulate(np.where(stated, np.arange(len(head)), 0))
    status = raw[head[sources]].astype(np.int64)
    first = raw[head + stated].astype(np.int64)
    second = raw[head + stated + 1].astype(np.int64)
    takes_two = (status < 0xC0) | (status >= 0xE0)
    if (first > 127).any() or (second[takes_two] > 127).any():
        raise MidiError("data byte above 127")
    tempos, meters = _clock(walked, starts[: first_of[1]], ticks)
    tick = ticks[is_channel]
    return MidiEvents(walked.ticks_per_quarter, track, tick, status, first, second, tempos, meters)


def _clock(
    walked: Walk, starts: Integers, ticks: Integers
) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int, int], ...]]:
    """Tempos and meters of the first track, whose events are ``starts``."""
    end = walked.borders[1]
    tempos = [tempo for tempo in walked.tempos if tempo[0] < end]
    meters = [meter for meter in walked.meters if meter[0] < end]
    if any(tempo == 0 for _, tempo in tempos):
        raise MidiError("zero tempo")
    if any(numerator == 0 for _, numerator, _ in meters):
        raise MidiError("bad time signature")
    tempo_ticks = ticks[np.searchsorted(starts, [at for at, _ in tempos])].tolist()
    meter_ticks = ticks[np.searchsorted(starts, [at for at, _, _ in meters])].tolist()
    return (
        tuple((at, tempo) for at, (_, tempo) in zip(tempo_ticks, tempos, strict=True)),
        tuple((at, top, low) for at, (_, top, low) in zip(meter_ticks, meters, strict=True)),
    )


def _ticks(walked: Walk, first_of: Integers) -> Integers:
    """[events] ticks since the beginning of each event's track.

    A delta time is a big-endian number in base 128: every byte but its last has the top bit set.
    Those of up to `FAR` + 1 bytes are put together for all events at once, from the last byte
    backwards; longer ones, which only contrived files have, one at a time.

    Args:
        walked: positions of the events.
        first_of: [tracks + 1] number of each track's first event, then the number of events.
    """
    starts, raw = walked.starts, walked.raw
    ends = walked.deltas_end[starts]
    length = ends - starts
    deltas = raw[ends].astype(np.int64)
    for back in range(1, FAR + 1):
        more = np.flatnonzero(length >= back)
        deltas[more] |= (raw[ends[more] - back].astype(np.int64) & 127) << 7 * back
    for event in np.flatnonzero(length > FAR):
        deltas[event] = min(number(walked.data, int(starts[event]))[0], MAX_TICK)
    deltas[np.searchsorted(starts, walked.forgotten)] = 0
    so_far = np.append(0, np.cumsum(deltas))
    ticks: Integers = so_far[1:] - np.repeat(so_far[first_of[:-1]], np.diff(first_of))
    if ticks.max() >= MAX_TICK:
        raise MidiError("too long")
    return ticks
