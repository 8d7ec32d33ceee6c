"""MIDI files written event by event, so that tests decide about every byte."""

from functools import cache

import numpy as np

Event = tuple[int, bytes]  # tick and the bytes after the delta time


def on(tick: int, pitch: int, channel: int = 0, velocity: int = 64) -> Event:
    return tick, bytes([0x90 | channel, pitch, velocity])


def off(tick: int, pitch: int, channel: int = 0) -> Event:
    return tick, bytes([0x80 | channel, pitch, 0])


def program(tick: int, number: int, channel: int = 0) -> Event:
    return tick, bytes([0xC0 | channel, number])


def tempo(tick: int, microseconds: int) -> Event:
    return tick, b"\xff\x51\x03" + microseconds.to_bytes(3, "big")


def meter(tick: int, numerator: int, denominator: int) -> Event:
    return tick, bytes([0xFF, 0x58, 4, numerator, denominator.bit_length() - 1, 24, 8])


def notes(*triples: tuple[int, int, int], channel: int = 0) -> list[Event]:
    """Events of notes (start, end, pitch), in order of time, note-offs first."""
    events = [on(start, pitch, channel) for start, _, pitch in triples]
    events += [off(end, pitch, channel) for _, end, pitch in triples]
    return sorted(events, key=lambda event: (event[0], event[1][0] >= 0x90))


def delta(ticks: int) -> bytes:
    digits = [ticks & 127]
    while ticks := ticks >> 7:
        digits.insert(0, ticks & 127 | 128)
    return bytes(digits)


def track(*events: Event) -> bytes:
    """A track chunk; running status is used wherever it can be."""
    body, now, running = bytearray(), 0, 0
    for tick, data in events:
        body += delta(tick - now)
        body += data[1:] if data[0] == running else data
        if data[0] < 0xF0:
            running = data[0]
        now = tick
    return b"MTrk" + len(body).to_bytes(4, "big") + bytes(body)


def midi(*tracks: list[Event], ticks_per_quarter: int = 4) -> bytes:
    """A file; with 4 ticks per quarter a tick is a step of the grid."""
    header = b"MThd\0\0\0\6\0\1" + len(tracks).to_bytes(2, "big")
    chunks = b"".join(track(*events) for events in tracks)
    return header + ticks_per_quarter.to_bytes(2, "big") + chunks


@cache
def soup(seed: int) -> bytes:
    """A file of events at random: overlaps, repeated note-ons, strays, changes of everything."""
    random = np.random.default_rng(seed)
    tracks = []
    for _ in range(random.integers(1, 5)):
        events: list[Event] = []
        for tick in np.sort(random.integers(0, random.choice([30, 3000]), 120)).tolist():
            channel, pitch = int(random.choice([0, 3, 9])), int(random.integers(58, 62))
            events.append(
                [
                    lambda t, c, p: on(t, p, c, int(random.integers(0, 128))),
                    lambda t, c, p: off(t, p, c),
                    lambda t, c, p: program(t, int(random.integers(0, 3)), c),
                    lambda t, c, p: tempo(t, int(random.choice([500_000, 400_001, 777_777]))),
                    lambda t, c, p: meter(t, int(random.integers(2, 5)), 4),
                    lambda t, c, p: (t, bytes([0xB0 | c, 7, 100])),
                    lambda t, c, p: (t, b"\xff\x5d\x01\0"),  # a meta event that no one knows
                    lambda t, c, p: (t, bytes([0xD0 | c, 100])),
                ][random.choice(8, p=[0.4, 0.36, 0.04, 0.04, 0.04, 0.04, 0.04, 0.04])](
                    tick, channel, pitch
                )
            )
        tracks.append(events)
    return midi(*tracks, ticks_per_quarter=int(random.choice([96, 220, 480])))
