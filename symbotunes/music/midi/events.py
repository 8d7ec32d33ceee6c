"""The events of a MIDI file as arrays."""

from dataclasses import dataclass

import numpy as np

from symbotunes.music.midi.clock import Clock, clock_of
from symbotunes.music.midi.decoding import Integers, ticks_of
from symbotunes.music.midi.smf import Walk


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
        clock: tempos and meters of all tracks.
    """

    ticks_per_quarter: int
    track: Integers
    tick: Integers
    status: Integers
    first: Integers
    second: Integers
    tempos: tuple[tuple[int, int], ...]
    meters: tuple[tuple[int, int, int], ...]
    clock: Clock

    @property
    def first_clock(self) -> Clock:
        """Tempos and meters of the first track, which alone count in the reference."""
        return Clock(self.tempos, self.meters)


def read_events(walked: Walk) -> MidiEvents:
    """The events of a Standard MIDI File whose event positions are known.

    Raises:
        MidiError: if a tempo or a meter is zero, or a track is too long.
    """
    ticks = counted_ticks(walked)
    channel = walked.channel
    tempos, meters = _clock(walked, walked.starts[: walked.first_of[1]], ticks)
    return MidiEvents(
        walked.ticks_per_quarter,
        channel.track,
        ticks[channel.number],
        channel.status,
        channel.first,
        channel.second,
        tempos,
        meters,
        clock_of(walked, ticks),
    )


def counted_ticks(walked: Walk) -> Integers:
    """[events] time of each since the beginning of its track, in delta times that count."""
    if not walked.forgotten:
        return walked.ticks
    deltas = walked.deltas.copy()
    deltas[np.searchsorted(walked.starts, walked.forgotten)] = 0
    return ticks_of(deltas, walked.first_of)


def _clock(
    walked: Walk, starts: Integers, ticks: Integers
) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int, int], ...]]:
    """Tempos and meters of the first track, whose events are ``starts``."""
    end = walked.borders[1]
    tempos = [tempo for tempo in walked.tempos if tempo[0] < end]
    meters = [meter for meter in walked.meters if meter[0] < end]
    tempo_ticks = ticks[np.searchsorted(starts, [at for at, _ in tempos])].tolist()
    meter_ticks = ticks[np.searchsorted(starts, [at for at, _, _ in meters])].tolist()
    return (
        tuple((at, tempo) for at, (_, tempo) in zip(tempo_ticks, tempos, strict=True)),
        tuple((at, top, low) for at, (_, top, low) in zip(meter_ticks, meters, strict=True)),
    )
