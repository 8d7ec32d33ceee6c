"""The times and the data bytes of all events of a file at once, checked."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.midi.error import MidiError

Integers = NDArray[np.int64]

MAX_TICK = 2**31 - 1  # symusic counts ticks in 32 bits
FAR = 3  # bytes of a delta time before its last; longer ones are read one by one


@dataclass(frozen=True)
class ChannelEvents:
    """The channel events of a file in the order of its bytes.

    Attributes:
        number: [C] index of each among all events of the file.
        track: [C] number of the track chunk.
        tick: [C] time since the beginning of the track.
        status: [C] status byte, running status filled in.
        first: [C] first data byte, at most 127.
        second: [C] second data byte, at most 127; 0 for events that have none.
    """

    number: Integers
    track: Integers
    tick: Integers
    status: Integers
    first: Integers
    second: Integers


def number(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length number and where it ends: base 128, top bit set except in the last byte."""
    value = data[at] & 127
    while data[at] > 127:
        at += 1
        value = value << 7 | data[at] & 127
    return value, at + 1


def variable(value: int) -> bytes:
    """A number below 2^28 as a variable-length number."""
    digits = [value & 127]
    while value := value >> 7:
        digits.insert(0, value & 127 | 128)
    return bytes(digits)


def read_deltas(
    data: bytes, raw: NDArray[np.uint8], starts: Integers, deltas_end: Integers
) -> Integers:
    """[events] the delta time of each event.

    A delta time is a big-endian number in base 128: every byte but its last has the top bit set.
    Those of up to `FAR` + 1 bytes are put together for all events at once, from the last byte
    backwards; longer ones, which only contrived files have, one at a time.

    Args:
        data: the file.
        raw: its bytes.
        starts: [events] first byte of each event.
        deltas_end: [bytes] where a delta time would end that began here.
    """
    ends = deltas_end[starts]
    length = ends - starts
    deltas: Integers = raw[ends].astype(np.int64)
    for back in range(1, FAR + 1):
        more = np.flatnonzero(length >= back)
        deltas[more] |= (raw[ends[more] - back].astype(np.int64) & 127) << 7 * back
    for event in np.flatnonzero(length > FAR):
        deltas[event] = min(number(data, int(starts[event]))[0], MAX_TICK)
    return deltas


def ticks_of(deltas: Integers, first_of: Integers) -> Integers:
    """[events] ticks since the beginning of each event's track.

    Args:
        deltas: [events] delta times.
        first_of: [tracks + 1] number of each track's first event, then the number of events.

    Raises:
        MidiError: if a track is too long for 32 bits.
    """
    so_far = np.append(0, np.cumsum(deltas))
    ticks: Integers = so_far[1:] - np.repeat(so_far[first_of[:-1]], np.diff(first_of))
    if len(ticks) and ticks.max() >= MAX_TICK:
        raise MidiError("too long")
    return ticks


def read_channel_events(
    raw: NDArray[np.uint8], heads: Integers, numbers: Integers, ticks: Integers, first_of: Integers
) -> ChannelEvents:
    """The channel events of a file.

    Args:
        raw: its bytes.
        heads: [C] the byte after the delta time of each channel event.
        numbers: [C] index of each among all events.
        ticks: [events] of all events.
        first_of: [tracks + 1] number of each track's first event, then the number of events.

    Raises:
        MidiError: if a data byte is above 127.
    """
    # The byte after the delta time is either a status byte (above 127), or, under running status,
    # the first data byte. Each event takes the status of the last event that stated one.
    stated = raw[heads] > 127
    sources = np.maximum.accumulate(np.where(stated, np.arange(len(heads)), 0))
    status = raw[heads[sources]].astype(np.int64)
    first = raw[heads + stated].astype(np.int64)
    takes_two = (status < 0xC0) | (status >= 0xE0)
    second = np.where(takes_two, raw[heads + stated + 1], 0).astype(np.int64)
    largest = max(first.max(initial=0), second.max(initial=0))
    if largest > 127:
        raise MidiError("data byte above 127", str(largest))
    track = np.repeat(np.arange(len(first_of) - 1), np.diff(first_of))[numbers]
    return ChannelEvents(numbers, track, ticks[numbers], status, first, second)
