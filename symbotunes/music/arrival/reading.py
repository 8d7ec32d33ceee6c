"""MIDI files as events, rounded and ordered as the authors' ``convert.py`` does with mido.

mido merges the tracks of a file into one stream of messages, in order of time and, at one time, of
the tracks. Programs belong to channels of this stream, not to tracks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.arrival.vocabulary import (
    DRUMS,
    MAX_DURATION,
    PITCHES,
    UNITS_PER_SECOND,
    Triplets,
    events_of,
)
from symbotunes.music.midi.clock import MICROSECONDS
from symbotunes.music.midi.decoding import Integers
from symbotunes.music.midi.events import counted_ticks
from symbotunes.music.midi.smf import Walk
from symbotunes.music.midi.writing import DRUM_CHANNEL

OPEN = -1  # duration of a note that no note-off ends
OPEN_DURATION = UNITS_PER_SECOND // 4  # that it gets
_CHANNELS = 16
_NOTE_OFF, _NOTE_ON, _PROGRAM = 0x8, 0x9, 0xC  # upper halves of status bytes
_META, _END_OF_TRACK = 0xFF, 0x2F


@dataclass(frozen=True)
class ArrivalNotes:
    """The notes of a file in the order of their note-ons, before any limit.

    Attributes:
        time: [N] units of 10 ms.
        duration: [N] units, or `OPEN`.
        pitch: [N] 0 to 127.
        instrument: [N] program, or 128 for drums.
        velocity: [N] 1 to 127.
    """

    time: Integers
    duration: Integers
    pitch: Integers
    instrument: Integers
    velocity: Integers

    def __len__(self) -> int:
        return len(self.time)

    @property
    def too_long(self) -> NDArray[np.bool_]:
        """``[N]`` which notes are longer than an event can say."""
        return self.duration >= MAX_DURATION

    def events(self) -> Triplets:
        """``[N, 3]`` events; those that are too long are cut, open ones get 250 ms."""
        duration = np.where(self.duration == OPEN, OPEN_DURATION, self.duration)
        duration = np.minimum(duration, MAX_DURATION - 1)
        return events_of(self.time, duration, self.instrument * PITCHES + self.pitch)


def read_notes(walked: Walk) -> ArrivalNotes:
    """The notes of a Standard MIDI File whose event positions are known.

    Times are rounded to the nearest unit, halves to the even one; a duration is the rounded
    difference of the unrounded times, so that two notes that end at once may end one unit apart.

    Raises:
        MidiError: if the file is too long.
    """
    ticks = counted_ticks(walked)
    channel = walked.channel
    order = np.argsort(ticks[channel.number], kind="stable")
    status, first, second = (
        column[order] for column in (channel.status, channel.first, channel.second)
    )
    kind, channels = status >> 4, status & 15
    instrument = _instruments(kind, channels, first)
    seconds = _seconds(walked, ticks)[channel.number][order]

    sounding = np.flatnonzero((kind == _NOTE_ON) | (kind == _NOTE_OFF))
    is_on = (kind[sounding] == _NOTE_ON) & (second[sounding] > 0)
    key = (instrument[sounding] * PITCHES + first[sounding]) * _CHANNELS + channels[sounding]
    opening, closing = first_in_first_out(key, is_on)
    ons = sounding[is_on]
    ends = np.full(len(status), -1)
    ends[sounding[opening]] = sounding[closing]
    ends = ends[ons]
    lasting = seconds[ends] - seconds[ons]
    duration = np.where(ends < 0, OPEN, np.rint(UNITS_PER_SECOND * lasting).astype(np.int64))
    return ArrivalNotes(
        time=np.rint(UNITS_PER_SECOND * seconds[ons]).astype(np.int64),
        duration=duration,
        pitch=first[ons],
        instrument=instrument[ons],
        velocity=second[ons],
    )


def _instruments(kind: Integers, channels: Integers, first: Integers) -> Integers:
    """``[E]`` the instrument of the channel of each event of the stream at its time."""
    index = np.arange(len(kind))
    instrument = np.zeros(len(kind), np.int64)
    for channel in np.unique(channels).tolist():
        own = channels == channel
        if channel == DRUM_CHANNEL:
            instrument[own] = DRUMS
            continue
        last = np.maximum.accumulate(np.where(own & (kind == _PROGRAM), index, -1))[own]
        instrument[own] = np.where(last < 0, 0, first[last])
    return instrument


def _seconds(walked: Walk, ticks: Integers) -> NDArray[np.float64]:
    """``[events]`` seconds from the beginning, added up message by message as mido does.

    Sums of floats depend on where they are rounded, so the times of all messages count, not those
    of notes alone: only ends of tracks are no messages there.
    """
    heads = walked.deltas_end[walked.starts] + 1
    is_end = (walked.raw[heads] == _META) & (walked.raw[heads + 1] == _END_OF_TRACK)
    moments = np.unique(ticks[~is_end])
    stated = [(int(ticks[np.searchsorted(walked.starts, at)]), pace) for at, pace in walked.tempos]
    stated.sort(key=lambda tempo: tempo[0])
    paces = np.array([MICROSECONDS, *(pace for _, pace in stated)])
    # A message at a moment is timed by the last tempo that was stated before that moment.
    known = np.searchsorted([tick for tick, _ in stated], moments, side="left")
    scale = paces[known] * 1e-6 / walked.ticks_per_quarter
    passed = np.cumsum(np.diff(moments, prepend=0) * scale)
    passed = np.append(passed, np.nan)  # of ends of tracks behind the last message
    seconds: NDArray[np.float64] = passed[np.searchsorted(moments, ticks)]
    return seconds


def first_in_first_out(key: Integers, is_on: NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """Pairs of a note-on and the note-off that ends it, as two lists of indices.

    A note-off ends the oldest note of its key that still sounds; one without a note is ignored. So
    the n-th note-off of a key that is not ignored ends its n-th note-on.

    Args:
        key: ``[E]`` what the events of a note have in common.
        is_on: ``[E]`` which events are note-ons.
    """
    order = np.argsort(key, kind="stable")
    key, is_on = key[order], is_on[order]
    begins = np.diff(key, prepend=-1) != 0
    rank = np.cumsum(begins) - 1
    first = np.flatnonzero(begins)
    # How many notes of a key sound, if ignored note-offs counted: these are where it falls to a
    # new low below 0. Ranks lower it by more than a key's events can, so that each key starts anew.
    balance = np.cumsum(np.where(is_on, 1, -1))
    floor = -rank * (2 * len(key) + 2)
    level = balance - np.append(0, balance)[first][rank] + floor
    lowest = np.minimum.accumulate(np.minimum(level, floor))
    before = np.append(0, lowest)[:-1]
    is_stray = ~is_on & (level == lowest) & (level < np.where(begins, floor, before))
    offs = np.flatnonzero(~is_on & ~is_stray)
    ons = np.flatnonzero(is_on)
    numbered_ons, numbered_offs = _numbers(rank[ons]), _numbers(rank[offs])
    span = len(key) + 1
    matched = np.searchsorted(rank[ons] * span + numbered_ons, rank[offs] * span + numbered_offs)
    return order[ons[matched]], order[offs]


def _numbers(groups: Integers) -> Integers:
    """``[E]`` the number of each element in its group; groups ascend."""
    return np.arange(len(groups)) - np.searchsorted(groups, groups)
