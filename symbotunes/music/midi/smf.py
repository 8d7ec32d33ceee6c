"""Standard MIDI files: where in the bytes each event begins, and what tempo and meter they state.

Not symusic, because it gives finished notes: it has paired note-ons with note-offs, dropped those
left over, merged the tempos of all tracks and discarded the channels. To agree with another reader
to the last note, the events are needed.

The scan is fast because Python looks at few bytes. For every byte of the file at once, NumPy
computes where the next event would begin if an event began at that byte (`_hops`); a short loop
then hops from event to event (`_scan`).
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.midi.error import MidiError

Integers = NDArray[np.int64]

MAX_TICK = 10**10
MAX_PAYLOAD = 10**6  # bytes of one meta or system exclusive event
_DATA_BYTES = [0] * 128 + [2] * 64 + [1] * 32 + [2] * 16 + [0] * 16  # of channel events, by status
# Bytes of an event with two data bytes from its head on, by its head: the data alone under running
# status, status and data under a status of its own; 0 for all other events.
_HOP = np.array([2] * 128 + [3] * 64 + [0] * 32 + [3] * 16 + [0] * 16, np.int64)
_LEAP = 8  # hops that are taken at once; a power of two
FAR = 3  # bytes of a delta time before its last; longer ones are read one by one
_COMMON_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}
_SMALLEST_META = {0x20: 1, 0x51: 3, 0x54: 5, 0x58: 4, 0x59: 2}  # bytes of payload, by type
_KNOWN_META = frozenset([*range(8), 0x09, 0x20, 0x21, 0x2F, 0x51, 0x54, 0x58, 0x59, 0x7F])
_TEMPO, _METER, _KEY, _OFFSET = 0x51, 0x58, 0x59, 0x54
_MAX_DENOMINATOR = 28  # as an exponent of two


@dataclass
class Walk:
    """Where the events of a file are. An event is named by the index of its first byte.

    Attributes:
        data: the file.
        ticks_per_quarter: from the header.
        raw: the bytes of the file, padded with zeros.
        deltas_end: [bytes] where a delta time would end that began here.
        starts: [events] all events in order.
        others: those that are not channel events.
        forgotten: those whose delta time does not count.
        tempos: (event, microseconds per quarter).
        meters: (event, numerator, denominator).
        borders: where each track begins, and where the last one ends.
    """

    data: bytes
    ticks_per_quarter: int
    raw: NDArray[np.uint8]
    deltas_end: Integers
    starts: Integers
    others: list[int] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    tempos: list[tuple[int, int]] = field(default_factory=list)
    meters: list[tuple[int, int, int]] = field(default_factory=list)
    borders: list[int] = field(default_factory=list)


def walk(data: bytes) -> Walk:
    """Find the events of a Standard MIDI File.

    Raises:
        MidiError: if the bytes are not a complete, valid file, or count in frames rather than
            quarters.
    """
    tracks, ticks_per_quarter, at = _header(data)
    raw = np.frombuffer(data + bytes(4), np.uint8)
    deltas_end = _next_low(raw)
    hops = _hops(raw, deltas_end)
    leaps = hops
    for _ in range(_LEAP.bit_length() - 1):  # doubling: 2, 4, 8 hops
        leaps = leaps[leaps]
    walked = Walk(
        data, ticks_per_quarter, raw, deltas_end, starts=np.zeros(0, np.int64), borders=[at]
    )
    singles: list[int] = []
    rows: list[int] = []  # first events of rows of `_LEAP` channel events with two data bytes
    for _ in range(tracks):
        begin, end = _track(data, at)
        try:
            _scan(data, (hops.data, leaps.data), (begin, end), (singles, rows), walked)
        except IndexError:
            raise MidiError("truncated") from None
        at = end
        walked.borders.append(at)
    walked.starts = _all_starts(hops, singles, rows)
    return walked


def _track(data: bytes, at: int) -> tuple[int, int]:
    """Where the events of the track chunk at ``at`` begin and end."""
    name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "big")
    if len(data) < at + 8 + size:
        raise MidiError("truncated")
    if name != b"MTrk":
        raise MidiError("no track where one should be")
    if size == 0:
        raise MidiError("empty track")
    return at + 8, at + 8 + size


def _all_starts(hops: Integers, singles: list[int], rows: list[int]) -> Integers:
    """[events] the single events and those of the rows, in order."""
    reached = np.zeros(len(hops), np.bool_)
    reached[singles] = True
    firsts = np.array(rows, np.int64)
    for _ in range(_LEAP):
        reached[firsts] = True
        firsts = hops[firsts]
    return np.flatnonzero(reached)


def _header(data: bytes) -> tuple[int, int, int]:
    """Number of tracks, ticks per quarter, and where the first track begins."""
    if data[:4] != b"MThd":
        raise MidiError("not a MIDI file")
    size = int.from_bytes(data[4:8], "big")
    if len(data) < 14 or size < 6:
        raise MidiError("truncated")
    tracks = int.from_bytes(data[10:12], "big", signed=True)
    division = int.from_bytes(data[12:14], "big", signed=True)
    if tracks <= 0:
        raise MidiError("no tracks")
    if division == 0:
        raise MidiError("zero ticks per quarter")
    if division < 0:
        raise MidiError("time in frames, not in quarters")
    return tracks, division, 8 + size


def _next_low(raw: NDArray[np.uint8]) -> Integers:
    """[bytes] index of the first byte below 128 at or after each: where a delta time would end."""
    low = np.where(raw < 128, np.arange(len(raw), dtype=np.int64), np.int64(len(raw) - 1))
    return np.minimum.accumulate(low[::-1])[::-1]


def _hops(raw: NDArray[np.uint8], deltas_end: Integers) -> Integers:
    """[bytes] where the next event begins, if one with two data bytes begins here; else 0."""
    last = len(raw) - 1
    head = np.minimum(deltas_end + 1, last, dtype=np.int64)
    hop = _HOP[raw[head]]
    simple = (hop > 0) & (deltas_end - np.arange(len(raw), dtype=np.int64) <= FAR)
    hops = np.where(simple & (head + hop <= last), head + hop, np.int64(0))
    hops[0] = 0  # index 0 leads to itself, so that an interrupted row of hops ends there
    return hops


def _scan(
    data: bytes,
    jumps: tuple[memoryview, memoryview],
    chunk: tuple[int, int],
    starts: tuple[list[int], list[int]],
    walked: Walk,
) -> None:
    """Walk over the events of one track.

    An event is a delta time, then a status byte and data bytes; under running status, the status
    byte is omitted and the last one applies. Two variables hold the running status. `size` is the
    number of data bytes of an event without a status byte: 0 before the first channel event, and
    after a system message, which ends running status. `running` is the status of that system
    message, which `_continued` needs. A meta event changes neither, as in other readers.

    Most events have two data bytes, and where the next one begins is known for all bytes at once.
    So while `size` is 2, the loop tries a leap over `_LEAP` events, then a hop over one, and only
    then reads the bytes. Both tables hold 0 where an event is not that simple, so a leap is refused
    if any of its events is of another kind.

    Args:
        data: the file.
        jumps: where one hop and where `_LEAP` hops lead from each byte.
        chunk: where the events begin and end.
        starts: filled with single events and with the first events of rows.
        walked: receives the events that are not channel events.

    Raises:
        IndexError: if the last event has no end.
    """
    hops, leaps = jumps
    at, end = chunk
    singles, rows = starts
    size = running = 0
    # Invariant: `at` is where an event begins, and every event before it is recorded in `starts`:
    # itself, or the first event of its row.
    while at < end:
        if size == 2:
            leap = leaps[at]
            if 0 < leap <= end:  # a leap beyond the chunk would end in the next one's header
                rows.append(at)
                at = leap
                continue
            if hops[at]:
                singles.append(at)
                at = hops[at]
                continue
        event = at
        singles.append(event)
        while data[at] > 127:  # the delta time: its last byte is the first below 128
            at += 1
        head = data[at + 1]  # a status byte, or under running status the first data byte
        at += 1 + (head > 127)  # past the status, to the first data byte
        if _DATA_BYTES[head]:  # a channel event's status, which runs on from here
            size = _DATA_BYTES[head]
        if size and head < 0xF0:  # a channel event, under its own or the running status
            at += size
            continue
        # A meta event, a system message, or data that follow a system message without a status.
        walked.others.append(event)
        if head < 128:
            at = _continued(data, at, running, event, walked)
            continue
        if head != 0xFF:
            size, running = 0, head
        at = _other(data, at, head, event, walked)
    if at != end:
        raise MidiError("truncated")


def number(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length number and where it ends: base 128, top bit set except in the last byte."""
    value = data[at] & 127
    while data[at] > 127:
        at += 1
        value = value << 7 | data[at] & 127
    return value, at + 1


def _payload(data: bytes, at: int) -> tuple[bytes, int]:
    """The bytes of an event that states its length, and where it ends."""
    size, at = number(data, at)
    if size > MAX_PAYLOAD:
        raise MidiError("oversized event")
    if at + size > len(data):
        raise MidiError("truncated")
    return data[at : at + size], at + size


def _other(data: bytes, at: int, status: int, event: int, walked: Walk) -> int:
    """Skip an event other than a channel event, keeping tempo and meter; returns where it ends."""
    if status == 0xFF:
        kind = data[at]
        payload, at = _payload(data, at + 1)
        _keep(kind, payload, event, walked)
        return at
    if status in (0xF0, 0xF7):
        payload, at = _payload(data, at)
        payload = payload[payload[:1] == b"\xf0" :]
        payload = payload[: len(payload) - (payload[-1:] == b"\xf7")]
    elif status in _COMMON_BYTES:
        size = _COMMON_BYTES[status]
        payload, at = data[at : at + size], at + size
    else:
        raise MidiError("undefined status byte")
    if payload and max(payload) > 127:
        raise MidiError("data byte above 127")
    return at


def _continued(data: bytes, at: int, running: int, event: int, walked: Walk) -> int:
    """Running status after a system message: rare, and usually an error."""
    if running in (0xF0, 0xF7):  # readers drop the byte in place of the status
        return _other(data, at + 1, running, event, walked)
    if not _COMMON_BYTES.get(running):
        raise MidiError("data without a status byte")
    return _other(data, at, running, event, walked)


def _keep(kind: int, payload: bytes, event: int, walked: Walk) -> None:
    """Check a meta event as strictly as common readers do; keep tempo and meter."""
    if kind not in _KNOWN_META:
        walked.forgotten.append(event)  # mido, and so note-seq, drops the time before these
    if len(payload) < _SMALLEST_META.get(kind, 0) or (kind == 0 and len(payload) == 1):
        raise MidiError("bad meta event")
    if kind == _TEMPO:
        walked.tempos.append((event, int.from_bytes(payload[:3], "big")))
    elif kind == _METER:
        if payload[1] > _MAX_DENOMINATOR:
            raise MidiError("bad time signature")
        walked.meters.append((event, payload[0], 2 ** payload[1]))
    elif kind == _KEY and not ((payload[0] + 7) % 256 < 15 and payload[1] < 2):
        raise MidiError("bad key signature")
    elif kind == _OFFSET and not (
        payload[0] < 128 and payload[1] < 60 and payload[2] < 60 and payload[4] < 100
    ):
        raise MidiError("bad meta event")
