"""Standard MIDI files: from bytes to their events, exactly as they stand.

symusic gives finished notes: it has paired note-ons with note-offs, dropped those left over, put
the tempos of all tracks into one list and forgotten the channels. Whoever has to agree with another
reader to the last note needs the events, so they are read here. Where the next event would begin if
one began here is worked out for all bytes at once; one short loop then hops from event to event.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

MAX_TICK = 10**10
MAX_PAYLOAD = 10**6  # bytes of one meta or system exclusive event
_DATA_BYTES = [0] * 128 + [2] * 64 + [1] * 32 + [2] * 16 + [0] * 16  # of channel events, by status
_HOP = np.array([2] * 128 + [3] * 64 + [0] * 32 + [3] * 16 + [0] * 16, np.int32)  # from the head on
_FAR = 3  # bytes of a delta time before its last; longer ones are read one by one
_COMMON_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}
_SMALLEST_META = {0x20: 1, 0x51: 3, 0x54: 5, 0x58: 4, 0x59: 2}  # bytes of payload, by type
_KNOWN_META = frozenset([*range(8), 0x09, 0x20, 0x21, 0x2F, 0x51, 0x54, 0x58, 0x59, 0x7F])
_TEMPO, _METER, _KEY, _OFFSET = 0x51, 0x58, 0x59, 0x54
_MAX_DENOMINATOR = 28  # as a power of two


class MidiError(ValueError):
    """MIDI that cannot be read, or that does not hold what is asked of it.

    Attributes:
        reason: a short phrase that receipts count, the same for all files with the same trouble.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


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


@dataclass
class _Walk:
    """What the walk over the tracks finds; events are numbered across tracks.

    Attributes:
        starts: index of the first byte of each event, that of its delta time.
        others: numbers of the events that are no channel's.
        forgotten: numbers of the events whose delta time does not count.
        tempos: (event, microseconds per quarter).
        meters: (event, numerator, denominator).
    """

    starts: list[int] = field(default_factory=list)
    others: list[int] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    tempos: list[tuple[int, int]] = field(default_factory=list)
    meters: list[tuple[int, int, int]] = field(default_factory=list)


def parse(data: bytes) -> MidiEvents:
    """The events of a Standard MIDI File.

    Raises:
        MidiError: if the bytes are no whole, valid file, or count in frames rather than quarters.
    """
    tracks_left, ticks_per_quarter, at = _header(data)
    raw = np.frombuffer(data + bytes(4), np.uint8)
    deltas_end = _next_low(raw)
    hops = _hops(raw, deltas_end).data
    walk, counts = _Walk(), [0]
    for _ in range(tracks_left):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "big")
        if len(data) < at + 8 + size:
            raise MidiError("truncated")
        if name != b"MTrk":
            raise MidiError("no track where one should be")
        if size == 0:
            raise MidiError("empty track")
        try:
            _scan(data, hops, at + 8, at + 8 + size, walk)
        except IndexError:
            raise MidiError("truncated") from None
        counts.append(len(walk.starts))
        at += 8 + size
    return _events(data, raw, deltas_end, ticks_per_quarter, walk, counts)


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


def _next_low(raw: NDArray[np.uint8]) -> NDArray[np.int32]:
    """[bytes] index of the first byte below 128 from each one on: there a delta time would end."""
    low = np.where(raw < 128, np.arange(len(raw), dtype=np.int32), np.int32(len(raw) - 1))
    return np.minimum.accumulate(low[::-1])[::-1]


def _hops(raw: NDArray[np.uint8], deltas_end: NDArray[np.int32]) -> NDArray[np.int32]:
    """[bytes] where the next event begins if one began here, with two data bytes; else 0."""
    head = np.minimum(deltas_end + 1, len(raw) - 1, dtype=np.int32)
    hop = _HOP[raw[head]]
    simple = (hop > 0) & (deltas_end - np.arange(len(raw), dtype=np.int32) <= _FAR)
    return np.where(simple, head + hop, np.int32(0))


def _scan(data: bytes, hops: memoryview, at: int, end: int, walk: _Walk) -> None:
    """Walk over the events of one track chunk, ``data[at:end]``.

    Raises:
        IndexError: if the last event has no end.
    """
    start_of = walk.starts.append
    size = running = 0  # running: the last status that was no channel's, if it came last
    while at < end:
        start_of(at)
        hop = hops[at]
        if hop and size == 2:
            at = hop
            continue
        while data[at] > 127:
            at += 1
        head = data[at + 1]
        at += 1 + (head > 127)
        if head < 128:
            if size:
                at += size
            else:
                walk.others.append(len(walk.starts) - 1)
                at = _continued(data, at, running, walk)
        elif _DATA_BYTES[head]:
            size = _DATA_BYTES[head]
            at += size
        else:
            if head != 0xFF:
                size, running = 0, head
            walk.others.append(len(walk.starts) - 1)
            at = _other(data, at, head, walk)
    if at != end:
        raise MidiError("truncated")


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    value = data[at] & 127
    while data[at] > 127:
        at += 1
        value = value << 7 | data[at] & 127
    return value, at + 1


def _payload(data: bytes, at: int) -> tuple[bytes, int]:
    """The bytes of an event that says its length, and where it ends."""
    size, at = _number(data, at)
    if size > MAX_PAYLOAD:
        raise MidiError("oversized event")
    if at + size > len(data):
        raise MidiError("truncated")
    return data[at : at + size], at + size


def _other(data: bytes, at: int, status: int, walk: _Walk) -> int:
    """Pass over an event that is no channel's, keep tempo and meter; returns where it ends."""
    if status == 0xFF:
        kind = data[at]
        payload, at = _payload(data, at + 1)
        _keep(kind, payload, walk)
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


def _continued(data: bytes, at: int, running: int, walk: _Walk) -> int:
    """Running status after an event that is no channel's: rare, and mostly an error."""
    if running in (0xF0, 0xF7):  # readers drop the byte that stands where a status should
        return _other(data, at + 1, running, walk)
    if not _COMMON_BYTES.get(running):
        raise MidiError("data without a status byte")
    return _other(data, at, running, walk)


def _keep(kind: int, payload: bytes, walk: _Walk) -> None:
    """Check a meta event as strictly as common readers do; keep tempo and meter."""
    event = len(walk.starts) - 1
    if kind not in _KNOWN_META:
        walk.forgotten.append(event)  # mido, and so note-seq, forgets the time before these
    if len(payload) < _SMALLEST_META.get(kind, 0) or (kind == 0 and len(payload) == 1):
        raise MidiError("bad meta event")
    if kind == _TEMPO:
        walk.tempos.append((event, int.from_bytes(payload[:3], "big")))
    elif kind == _METER:
        if payload[1] > _MAX_DENOMINATOR:
            raise MidiError("bad time signature")
        walk.meters.append((event, payload[0], 2 ** payload[1]))
    elif kind == _KEY and not ((payload[0] + 7) % 256 < 15 and payload[1] < 2):
        raise MidiError("bad key signature")
    elif kind == _OFFSET and not (
        payload[0] < 128 and payload[1] < 60 and payload[2] < 60 and payload[4] < 100
    ):
        raise MidiError("bad meta event")


def _events(
    data: bytes,
    raw: NDArray[np.uint8],
    deltas_end: NDArray[np.int32],
    ticks_per_quarter: int,
    walk: _Walk,
    counts: list[int],
) -> MidiEvents:
    """Times, status and data bytes of the channel events, and the clock of the first track."""
    starts = np.array(walk.starts, np.int64)
    ends = deltas_end[starts]
    ticks = _ticks(data, raw, starts, ends, walk.forgotten, counts)
    is_channel = np.ones(len(starts), np.bool_)
    is_channel[walk.others] = False
    track = np.repeat(np.arange(len(counts) - 1), np.diff(counts))[is_channel]
    head = ends[is_channel] + 1
    stated = raw[head] > 127
    sources = np.maximum.accumulate(np.where(stated, np.arange(len(head)), 0))
    status = raw[head[sources]].astype(np.int64)
    first = raw[head + stated].astype(np.int64)
    second = raw[head + stated + 1].astype(np.int64)
    takes_two = (status < 0xC0) | (status >= 0xE0)
    if (first > 127).any() or (second[takes_two] > 127).any():
        raise MidiError("data byte above 127")
    tempos = tuple((int(ticks[at]), tempo) for at, tempo in walk.tempos if at < counts[1])
    meters = tuple((int(ticks[at]), top, low) for at, top, low in walk.meters if at < counts[1])
    if any(tempo == 0 for _, tempo in tempos):
        raise MidiError("zero tempo")
    if any(numerator == 0 for _, numerator, _ in meters):
        raise MidiError("bad time signature")
    tick = ticks[is_channel]
    return MidiEvents(ticks_per_quarter, track, tick, status, first, second, tempos, meters)


def _ticks(
    data: bytes,
    raw: NDArray[np.uint8],
    starts: Integers,
    ends: NDArray[np.int32],
    forgotten: list[int],
    counts: list[int],
) -> Integers:
    """[events] time of each since its track began; deltas lie between ``starts`` and ``ends``."""
    length = ends - starts
    deltas = raw[ends].astype(np.int64)
    for back in range(1, _FAR + 1):
        more = np.flatnonzero(length >= back)
        deltas[more] |= (raw[ends[more] - back].astype(np.int64) & 127) << 7 * back
    for event in np.flatnonzero(length > _FAR):
        deltas[event] = min(_number(data, int(starts[event]))[0], MAX_TICK)
    deltas[forgotten] = 0
    so_far = np.append(0, np.cumsum(deltas))
    ticks: Integers = so_far[1:] - np.repeat(so_far[counts[:-1]], np.diff(counts))
    if ticks.max() >= MAX_TICK:
        raise MidiError("too long")
    return ticks
