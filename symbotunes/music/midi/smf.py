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

from symbotunes.music.midi.container import END_OF_TRACK, WRONG_LENGTH, is_border, read_chunks
from symbotunes.music.midi.decoding import (
    FAR,
    ChannelEvents,
    Integers,
    number,
    read_channel_events,
    read_deltas,
    ticks_of,
    variable,
)
from symbotunes.music.midi.error import MidiError

MAX_PAYLOAD = 10**6  # bytes of one meta or system exclusive event
_DATA_BYTES = [0] * 128 + [2] * 64 + [1] * 32 + [2] * 16 + [0] * 16  # of channel events, by status
# Bytes of an event with two data bytes from its head on, by its head: the data alone under running
# status, status and data under a status of its own; 0 for all other events.
_HOP = np.array([2] * 128 + [3] * 64 + [0] * 32 + [3] * 16 + [0] * 16, np.int64)
_LEAP = 8  # hops that are taken at once; a power of two
_COMMON_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}
_SMALLEST_META = {0x20: 1, 0x51: 3, 0x54: 5, 0x58: 4, 0x59: 2}  # bytes of payload, by type
_KNOWN_META = frozenset([*range(8), 0x09, 0x20, 0x21, 0x2F, 0x51, 0x54, 0x58, 0x59, 0x7F])
_KEPT_META = {0x51: 3, 0x58: 4, 0x59: 2}  # bytes of payload that count; texts are kept whole
_TEXTS = range(1, 8)
_TEMPO, _METER, _KEY, _OFFSET = 0x51, 0x58, 0x59, 0x54
_MAX_DENOMINATOR = 7  # as an exponent of two


@dataclass
class Walk:
    """Where the events of a file are. An event is named by the index of its first byte.

    Every channel event has been checked: no reader after this one sees a data byte above 127 or a
    tick that does not fit in 32 bits.

    Attributes:
        data: the file, without what it was wrapped in.
        format: from the header.
        ticks_per_quarter: from the header.
        raw: the bytes of the file, padded with zeros.
        deltas_end: [bytes] where a delta time would end that began here.
        starts: [events] all events in order.
        others: those that are not channel events.
        forgotten: those whose delta time does not count.
        tempos: (event, microseconds per quarter).
        meters: (event, numerator, denominator).
        metas: (event, bytes from the status byte on) of tempos, meters, keys and texts.
        borders: where each track begins, and where the last one ends.
        deltas: [events] delta times in ticks, counted or not.
        first_of: [tracks + 1] number of each track's first event, then the number of events.
        ticks: [events] time since the beginning of the track.
        channel: the channel events.
    """

    data: bytes
    format: int
    ticks_per_quarter: int
    raw: NDArray[np.uint8]
    deltas_end: Integers
    starts: Integers
    others: list[int] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    tempos: list[tuple[int, int]] = field(default_factory=list)
    meters: list[tuple[int, int, int]] = field(default_factory=list)
    metas: list[tuple[int, bytes]] = field(default_factory=list)
    borders: list[int] = field(default_factory=list)
    deltas: Integers = field(init=False)
    first_of: Integers = field(init=False)
    ticks: Integers = field(init=False)
    channel: ChannelEvents = field(init=False)


def walk(data: bytes) -> Walk:
    """Find the events of a Standard MIDI File.

    Raises:
        MidiError: if the bytes are not a complete, valid file, or count in frames rather than
            quarters.
    """
    chunks = read_chunks(data)
    data = chunks.data
    raw = np.frombuffer(data + bytes(4), np.uint8)
    deltas_end = _next_low(raw)
    hops = _hops(raw, deltas_end)
    leaps = hops
    for _ in range(_LEAP.bit_length() - 1):  # doubling: 2, 4, 8 hops
        leaps = leaps[leaps]
    walked = Walk(
        data,
        chunks.format,
        chunks.ticks_per_quarter,
        raw,
        deltas_end,
        starts=np.zeros(0, np.int64),
        borders=[chunks.tracks[0][0]],
    )
    singles: list[int] = []
    rows: list[int] = []  # first events of rows of `_LEAP` channel events with two data bytes
    for begin, end in chunks.tracks:
        try:
            _scan(data, (hops.data, leaps.data), (begin, end), (singles, rows), walked)
        except IndexError:
            raise MidiError("truncated") from None
        walked.borders.append(end)
    walked.starts = _all_starts(hops, singles, rows)
    _decode(walked)
    return walked


def _decode(walked: Walk) -> None:
    """Fill in times and channel events."""
    starts, raw = walked.starts, walked.raw
    walked.first_of = np.searchsorted(starts, walked.borders)
    walked.deltas = read_deltas(walked.data, raw, starts, walked.deltas_end)
    walked.ticks = ticks_of(walked.deltas, walked.first_of)
    is_channel = np.ones(len(starts), np.bool_)
    is_channel[np.searchsorted(starts, walked.others)] = False
    numbers = np.flatnonzero(is_channel)
    heads = walked.deltas_end[starts[numbers]] + 1
    walked.channel = read_channel_events(raw, heads, numbers, walked.ticks, walked.first_of)


def _all_starts(hops: Integers, singles: list[int], rows: list[int]) -> Integers:
    """[events] the single events and those of the rows, in order."""
    reached = np.zeros(len(hops), np.bool_)
    reached[singles] = True
    firsts = np.array(rows, np.int64)
    for _ in range(_LEAP):
        reached[firsts] = True
        firsts = hops[firsts]
    return np.flatnonzero(reached)


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
    byte is omitted and that of the last channel event applies. `size` is the number of its data
    bytes, 0 before the first channel event. Meta events and system messages do not change it: the
    standard ends running status there, but players go on, and so do the files that need it.

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
    size = 0
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
        if head < 128:
            raise MidiError("data without a status byte")
        walked.others.append(event)  # a meta event or a system message
        at = _other(data, at, head, event, walked)
    if at != end or not (data.endswith(END_OF_TRACK, chunk[0], end) or is_border(data, end)):
        raise MidiError("truncated" if at > len(data) else WRONG_LENGTH)


def _payload(data: bytes, at: int) -> tuple[bytes, int]:
    """The bytes of an event that states its length, and where it ends."""
    size, at = number(data, at)
    if size > MAX_PAYLOAD:
        raise MidiError("oversized event")
    if at + size > len(data):
        raise MidiError("truncated")
    return data[at : at + size], at + size


def _other(data: bytes, at: int, status: int, event: int, walked: Walk) -> int:
    """Skip an event other than a channel event; returns where it ends.

    What system messages hold is not checked: no reader after this one sees it.
    """
    if status == 0xFF:
        kind = data[at]
        payload, at = _payload(data, at + 1)
        _keep(kind, payload, event, walked)
        return at
    if status in (0xF0, 0xF7):
        return _payload(data, at)[1]
    if status not in _COMMON_BYTES:
        raise MidiError("undefined status byte")
    return at + _COMMON_BYTES[status]


def _keep(kind: int, payload: bytes, event: int, walked: Walk) -> None:
    """Check a meta event as strictly as common readers do; keep what readers want."""
    if kind not in _KNOWN_META:
        walked.forgotten.append(event)  # mido, and so note-seq, drops the time before these
    if len(payload) < _SMALLEST_META.get(kind, 0) or (kind == 0 and len(payload) == 1):
        raise MidiError("bad meta event")
    if kind in _KEPT_META:
        payload = payload[: _KEPT_META[kind]]
        walked.metas.append((event, bytes([0xFF, kind, len(payload)]) + payload))
    elif kind in _TEXTS:
        walked.metas.append((event, bytes([0xFF, kind]) + variable(len(payload)) + payload))
    if kind == _TEMPO:
        tempo = int.from_bytes(payload, "big")
        if tempo == 0:
            raise MidiError("zero tempo")
        walked.tempos.append((event, tempo))
    elif kind == _METER:
        if payload[0] == 0 or payload[1] > _MAX_DENOMINATOR:
            raise MidiError("bad time signature", f"{payload[0]}/{2 ** payload[1]}")
        walked.meters.append((event, payload[0], 2 ** payload[1]))
    elif kind == _KEY and not ((payload[0] + 7) % 256 < 15 and payload[1] < 2):
        raise MidiError("bad key signature", f"{payload[0]}, {payload[1]}")
    elif kind == _OFFSET and not (
        payload[0] < 128 and payload[1] < 60 and payload[2] < 60 and payload[4] < 100
    ):
        raise MidiError("bad meta event")
