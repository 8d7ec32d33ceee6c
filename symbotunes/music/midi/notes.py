"""MIDI files as notes in seconds, with the meaning that note-seq and pretty_midi give them.

A note-off ends all notes of its channel and pitch that began at an earlier tick; the note then
belongs to the program that is set at its end. Notes that begin and end in one tick, and those that
never end, are dropped. An instrument is one (program, channel, track); instruments are numbered by
when their first note ends. Tempo and meter come from the first track alone, unless asked otherwise.
Seconds are computed in the same floating-point steps as there, because rounding them to a grid
depends on the last bit.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.midi.clock import Clock
from symbotunes.music.midi.decoding import Integers
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.events import MidiEvents, read_events
from symbotunes.music.midi.smf import Walk, walk

__all__ = ["MidiError", "MidiNotes", "read_midi"]

MAX_BYTES = 8 * 2**20  # reading takes about fifty bytes of memory for each
MAX_NOTES = 2**20
MAX_SECONDS = 24 * 3600.0
DRUM_CHANNEL = 9
DEFAULT_QPM = 120.0


@dataclass(frozen=True)
class MidiNotes:
    """The notes of one file and its clock.

    Notes are ordered by instrument, then by when they end, then by when they begin.

    Attributes:
        instrument: [N] number of the (program, channel, track).
        program: [N] 0 to 127.
        is_drum: [N] whether on the drum channel.
        pitch: [N] 0 to 127.
        velocity: [N] 1 to 127.
        start: [N] seconds.
        end: [N] seconds, later than the start.
        tempos: (seconds, quarters per minute) in order; the first is at 0.
        meters: (seconds, numerator, denominator) in order; may be empty.
        part: [N] the track chunk and channel, see `symbotunes.music.midi.tracks`.
        start_tick: [N] as `start`, in ticks.
        end_tick: [N] as `end`, in ticks.
        ticks_per_quarter: of these ticks.
        meter_ticks: ticks of `meters`.
        closing: [N] index of the note-off that ends each note, in `MidiEvents`.
    """

    instrument: Integers
    program: Integers
    is_drum: NDArray[np.bool_]
    pitch: Integers
    velocity: Integers
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    tempos: tuple[tuple[float, float], ...]
    meters: tuple[tuple[float, int, int], ...]
    part: Integers
    start_tick: Integers
    end_tick: Integers
    ticks_per_quarter: int
    meter_ticks: tuple[int, ...]
    closing: Integers

    def where(self, chosen: NDArray[np.bool_]) -> "MidiNotes":
        """Only the notes that a mask [N] selects."""
        columns = {
            name: value[chosen] for name, value in vars(self).items() if hasattr(value, "dtype")
        }
        return replace(self, **columns)


def read_midi(
    source: bytes | Path | Walk | MidiEvents,
    *,
    max_seconds: float = MAX_SECONDS,
    max_notes: int = MAX_NOTES,
    meter_tracks: str = "first",
) -> MidiNotes:
    """Read a Standard MIDI File.

    Args:
        source: the file, its bytes, the positions of its events, or these.
        max_seconds: longest piece that is accepted; the reference prepares pieces up to 1,800 s.
        max_notes: most notes that are accepted; there 10,000.
        meter_tracks: whose tempos and meters count: those of the ``first`` track, as there, or
            those of ``all``.

    Raises:
        MidiError: if the file is invalid, silent or beyond these limits.
        OSError: if there is no such file.
    """
    if isinstance(source, Path):
        if source.stat().st_size > MAX_BYTES:
            raise MidiError("file larger than 8 MiB", source.name)
        source = source.read_bytes()
    if isinstance(source, bytes):
        if len(source) > MAX_BYTES:
            raise MidiError("file larger than 8 MiB")
        source = walk(source)
    events = source if isinstance(source, MidiEvents) else read_events(source)
    opened, closed = _pair(events)
    if len(opened) == 0:
        raise MidiError("no notes")
    if len(opened) > max_notes:
        raise MidiError("too many notes", str(len(opened)))
    clock = events.first_clock if meter_tracks == "first" else events.clock
    notes = _notes(events, clock, opened, closed)
    if notes.end.max() > max_seconds:
        raise MidiError("too long", f"{notes.end.max():.0f} s")
    return notes


def _pair(events: MidiEvents) -> tuple[Integers, Integers]:
    """Indices of the note-ons that become notes and of the note-offs that end them.

    Note events are sorted by key (track, channel and pitch), in order of time within each. A
    note-on is then ended by the first note-off after it, provided that this one has the same key.
    That is wrong only for keys with a note-on and a note-off in the same tick, which are paired
    again one at a time.
    """
    kind = events.status >> 4
    sounding = np.flatnonzero((kind == 8) | (kind == 9))
    channel = events.track[sounding] << 4 | events.status[sounding] & 15
    key = channel << 7 | events.first[sounding]
    order = np.argsort(key, kind="stable")
    index, key = sounding[order], key[order]
    tick = events.tick[index]
    is_on = (kind[index] == 9) & (events.second[index] > 0)
    ons, offs = np.flatnonzero(is_on), np.flatnonzero(~is_on)
    following = np.searchsorted(offs, ons)
    ons, following = ons[following < len(offs)], following[following < len(offs)]
    off = offs[following]
    ends = key[off] == key[ons]
    ons, off = ons[ends], off[ends]
    at_once = tick[off] == tick[ons]
    if at_once.any():
        awkward = np.isin(key, key[ons[at_once]])
        plain = ~awkward[ons]
        some_ons, some_offs = _pair_one_by_one(np.flatnonzero(awkward), key, tick, is_on)
        ons, off = np.append(ons[plain], some_ons), np.append(off[plain], some_offs)
    return index[ons], index[off]


def _pair_one_by_one(
    indices: Integers, key: Integers, tick: Integers, is_on: NDArray[np.bool_]
) -> tuple[Integers, Integers]:
    """Pairs of the keys that have a note-on and then a note-off in the same tick.

    Such a note-off spares the note of its own tick if it ends an earlier one; otherwise it silences
    the note before it has sounded.
    """
    opened: list[int] = []
    closed: list[int] = []
    pending: list[tuple[int, int]] = []  # index and tick of the notes that sound
    current = -1
    for index, k, t, on in zip(
        indices.tolist(),
        key[indices].tolist(),
        tick[indices].tolist(),
        is_on[indices].tolist(),
        strict=True,
    ):
        if k != current:
            current, pending = k, []
        if on:
            pending.append((index, t))
            continue
        earlier = [opening for opening, begun in pending if begun != t]
        opened += earlier
        closed += [index] * len(earlier)
        pending = [note for note in pending if note[1] == t] if earlier else []
    return np.array(opened, np.int64), np.array(closed, np.int64)


def _notes(events: MidiEvents, stated: Clock, opened: Integers, closed: Integers) -> MidiNotes:
    """Notes from pairs of events: programs, instruments, seconds."""
    order = np.lexsort((opened, closed))
    opened, closed = opened[order], closed[order]
    channel = events.track[closed] << 4 | events.status[closed] & 15
    program = programs_at(events, channel, closed)
    _, first, inverse = np.unique(channel << 7 | program, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    instrument = rank[inverse]
    order = np.argsort(instrument, kind="stable")
    opened, closed, program = opened[order], closed[order], program[order]
    clock = Seconds(stated.tempos, events.ticks_per_quarter)
    return MidiNotes(
        instrument=instrument[order],
        program=program,
        is_drum=(events.status[closed] & 15) == DRUM_CHANNEL,
        pitch=events.first[opened],
        velocity=events.second[opened],
        start=clock.seconds(events.tick[opened]),
        end=clock.seconds(events.tick[closed]),
        tempos=clock.tempos(),
        meters=tuple(
            (float(second), numerator, denominator)
            for second, (_, numerator, denominator) in zip(
                clock.seconds(np.array([at for at, _, _ in stated.meters], np.int64)),
                stated.meters,
                strict=True,
            )
        ),
        part=events.track[opened] << 4 | events.status[opened] & 15,
        start_tick=events.tick[opened],
        end_tick=events.tick[closed],
        ticks_per_quarter=events.ticks_per_quarter,
        meter_ticks=tuple(at for at, _, _ in stated.meters),
        closing=closed,
    )


def programs_at(events: MidiEvents, channel: Integers, when: Integers) -> Integers:
    """[N] program of a track's channel at the events ``when``; 0 before the first change.

    A single binary search finds the last change before each event: changes and events are numbered
    by channel first and event second, so that the changes of a channel are neighbors in the order.
    """
    changes = np.flatnonzero(events.status >> 4 == 12)
    if len(changes) == 0:
        return np.zeros(len(when), np.int64)
    owner = events.track[changes] << 4 | events.status[changes] & 15
    span = len(events.status)
    moments = owner * span + changes
    order = np.argsort(moments)
    last = np.searchsorted(moments[order], channel * span + when) - 1
    chosen = order[np.maximum(last, 0)]
    known = (last >= 0) & (owner[chosen] == channel)
    return np.where(known, events.first[changes[chosen]], 0)


class Seconds:
    """Seconds of ticks, from tempos.

    Args:
        tempos: (tick, microseconds per quarter) in order.
        resolution: ticks per quarter.
    """

    def __init__(self, tempos: Iterable[tuple[int, int]], resolution: int) -> None:
        self._resolution = resolution
        ticks, paces = [0], [60.0 / (DEFAULT_QPM * resolution)]  # pace: seconds per tick
        for tick, tempo in tempos:
            pace = 60.0 / ((6e7 / tempo) * resolution)
            if tick == 0:
                ticks, paces = [0], [pace]
            elif pace != paces[-1]:
                ticks.append(tick)
                paces.append(pace)
        seconds = [0.0]
        for index, tick in enumerate(ticks[1:]):
            seconds.append(seconds[-1] + paces[index] * (tick - ticks[index]))
        self._ticks = np.array(ticks, np.int64)
        self._paces = np.array(paces)
        self._seconds = np.array(seconds)

    def seconds(self, ticks: Integers) -> NDArray[np.float64]:
        """[N] seconds from the beginning to each tick."""
        part = np.searchsorted(self._ticks, ticks, side="right") - 1
        since = self._paces[part] * (ticks - self._ticks[part])
        seconds: NDArray[np.float64] = self._seconds[part] + since
        return seconds

    def tempos(self) -> tuple[tuple[float, float], ...]:
        """(seconds, quarters per minute) of every change."""
        rates = 60.0 / (self._paces * self._resolution)
        return tuple(zip(self._seconds.tolist(), rates.tolist(), strict=True))
