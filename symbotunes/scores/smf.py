"""Standard MIDI files: from bytes to their events, exactly as they stand.

symusic gives finished notes: it has paired note-ons with note-offs, dropped those left over, put
the tempos of all tracks into one list and forgotten the channels. Whoever has to agree with another
reader to the last note needs the events, so they are read here. One short loop finds where each
event begins; everything after it works on arrays.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

MAX_TICK = 10**10
MAX_PAYLOAD = 10**6  # bytes of one meta or system exclusive event
_DATA_BYTES = [0] * 128 + [2] * 64 + [1] * 32 + [2] * 16 + [0] * 16  # of channel events, by status
_COMMON_BYTES = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}
_SMALLEST_META = {0x20: 1, 0x51: 3, 0x54: 5, 0x58: 4, 0x59: 2}  # bytes of payload, by type
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
class _Track:
    """What the loop over one track finds: ticks and places of channel events, and the clock."""

    ticks: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)  # index of the first data byte
    tempos: list[tuple[int, int]] = field(default_factory=list)
    meters: list[tuple[int, int, int]] = field(default_factory=list)


def parse(data: bytes) -> MidiEvents:
    """The events of a Standard MIDI File.

    Raises:
        MidiError: if the bytes are no whole, valid file, or count in frames rather than quarters.
    """
    tracks_left, ticks_per_quarter, at = _header(data)
    tracks = []
    for _ in range(tracks_left):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "big")
        if len(data) < at + 8 + size:
            raise MidiError("truncated")
        if name != b"MTrk":
            raise MidiError("no track where one should be")
        if size == 0:
            raise MidiError("empty track")
        tracks.append(_scan(data, at + 8, at + 8 + size))
        at += 8 + size
    clock = tracks[0]
    if any(tempo == 0 for _, tempo in clock.tempos):
        raise MidiError("zero tempo")
    if any(numerator == 0 for _, numerator, _ in clock.meters):
        raise MidiError("bad time signature")
    return _events(data, tracks, ticks_per_quarter)


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


def _scan(data: bytes, at: int, end: int) -> _Track:
    """Walk over the events of one track chunk, ``data[at:end]``."""
    found = _Track()
    note_tick, note_place = found.ticks.append, found.places.append
    sizes = _DATA_BYTES
    tick = size = running = 0  # running: the last status that was no channel's, if it came last
    try:
        while at < end:
            delta = data[at]
            at += 1
            if delta > 127:
                delta, at = _number(data, at - 1)
            tick += delta
            head = data[at]
            if head > 127:
                at += 1
                if sizes[head]:
                    size = sizes[head]
                else:
                    if head != 0xFF:
                        size, running = 0, head
                    at = _other(data, at, head, tick, found)
                    continue
            elif not size:
                at = _continued(data, at, running)
                continue
            note_tick(tick)
            note_place(at)
            at += size
    except IndexError:
        raise MidiError("truncated") from None
    if at > end:
        raise MidiError("truncated")
    if tick >= MAX_TICK:
        raise MidiError("too long")
    return found


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


def _other(data: bytes, at: int, status: int, tick: int, found: _Track) -> int:
    """Pass over an event that is no channel's, keep tempo and meter; returns where it ends."""
    if status == 0xFF:
        kind = data[at]
        payload, at = _payload(data, at + 1)
        _keep(kind, payload, tick, found)
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


def _continued(data: bytes, at: int, running: int) -> int:
    """Running status after an event that is no channel's: rare, and mostly an error."""
    if running in (0xF0, 0xF7):  # readers drop the byte that stands where a status should
        return _other(data, at + 1, running, 0, _Track())
    if not _COMMON_BYTES.get(running):
        raise MidiError("data without a status byte")
    return _other(data, at, running, 0, _Track())


def _keep(kind: int, payload: bytes, tick: int, found: _Track) -> None:
    """Check a meta event as strictly as common readers do; keep tempo and meter."""
    if len(payload) < _SMALLEST_META.get(kind, 0) or (kind == 0 and len(payload) == 1):
        raise MidiError("bad meta event")
    if kind == _TEMPO:
        found.tempos.append((tick, int.from_bytes(payload[:3], "big")))
    elif kind == _METER:
        if payload[1] > _MAX_DENOMINATOR:
            raise MidiError("bad time signature")
        found.meters.append((tick, payload[0], 2 ** payload[1]))
    elif kind == _KEY and not ((payload[0] + 7) % 256 < 15 and payload[1] < 2):
        raise MidiError("bad key signature")
    elif kind == _OFFSET and not (
        payload[0] < 128 and payload[1] < 60 and payload[2] < 60 and payload[4] < 100
    ):
        raise MidiError("bad meta event")


def _events(data: bytes, tracks: list[_Track], ticks_per_quarter: int) -> MidiEvents:
    """Gather the data bytes of all events and fill in running status."""
    raw = np.frombuffer(data + b"\0", np.uint8).astype(np.int64)
    lengths = [len(track.places) for track in tracks]
    places = np.array([place for track in tracks for place in track.places], np.int64)
    ticks = np.array([tick for track in tracks for tick in track.ticks], np.int64)
    before = raw[places - 1]  # the status byte, or the last byte of a delta time
    stated = np.maximum.accumulate(np.where(before > 127, np.arange(len(places)), 0))
    status = before[stated]
    first, second = raw[places], raw[places + 1]
    takes_two = (status < 0xC0) | (status >= 0xE0)
    if (first > 127).any() or (second[takes_two] > 127).any():
        raise MidiError("data byte above 127")
    return MidiEvents(
        ticks_per_quarter=ticks_per_quarter,
        track=np.repeat(np.arange(len(tracks)), lengths),
        tick=ticks,
        status=status,
        first=first,
        second=second,
        tempos=tuple(tracks[0].tempos),
        meters=tuple(tracks[0].meters),
    )
