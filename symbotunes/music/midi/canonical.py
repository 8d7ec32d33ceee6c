"""A file written anew from the events that were found in it.

symusic reads what this module writes and never the bytes of a stranger, since broken ones crash it,
and with it the process. Written are channel events, tempos, meters, keys and texts, each with a
status byte of its own and at its own tick; system messages and all other events are left out.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.midi.container import END_OF_TRACK, HEADER, TRACK
from symbotunes.music.midi.decoding import Integers
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.held import held_notes
from symbotunes.music.midi.smf import Walk

MAX_DELTA = 2**28 - 1  # the longest delta time of the standard
NOTE_OFF, VELOCITY = 0x80, 64
# Bytes of a channel event by its status; 0 stands for meta events.
_SIZES = np.array([0] * 128 + [3] * 64 + [2] * 32 + [3] * 32, np.int64)


def canonical(walked: Walk) -> bytes:
    """The file in the plainest form, with every note that hangs ended where it is struck again.

    Raises:
        MidiError: if a pause is too long to be written.
    """
    tracks = len(walked.borders) - 1
    kind = 0 if walked.format == 0 else 1
    head = b"".join(n.to_bytes(2, "big") for n in (kind, tracks, walked.ticks_per_quarter))
    chunks = [HEADER, len(head).to_bytes(4, "big"), head]
    for events in _tracks(walked):
        chunks += [TRACK, len(events).to_bytes(4, "big"), events]
    return b"".join(chunks)


def _tracks(walked: Walk) -> list[bytes]:
    """The events of each track as they are written."""
    rows, numbers = _rows(walked)
    ticks = walked.ticks[numbers]
    first_rows = np.searchsorted(numbers, walked.first_of)
    deltas = np.diff(ticks, prepend=0)
    begins = first_rows[:-1][np.diff(first_rows) > 0]
    deltas[begins] = ticks[begins]
    if len(deltas) and deltas.max() > MAX_DELTA:
        raise MidiError("too long")
    # Seven columns for every event, of which some are written: a delta time of up to four digits,
    # then a status byte and data bytes. Meta events are put in afterwards.
    columns = np.empty((len(rows), 7), np.uint8)
    written = np.ones((len(rows), 7), np.bool_)
    columns[:, 3] = deltas & 127
    columns[:, 4:] = rows
    sizes = 1 + _SIZES[rows[:, 0]]
    for column, shift in enumerate((21, 14, 7)):
        digit = deltas >> shift
        columns[:, column] = digit & 127 | 128
        written[:, column] = digit > 0
        sizes += digit > 0
    for column in (4, 5, 6):
        written[:, column] = _SIZES[rows[:, 0]] > column - 4
    flat = columns[written].tobytes()
    ends = np.append(0, np.cumsum(sizes))
    metas = np.flatnonzero(rows[:, 0] == 0)  # in the order of `walked.metas`
    cuts = zip(ends[metas + 1].tolist(), (data for _, data in walked.metas), strict=True)
    return _joined(flat, ends[first_rows].tolist(), list(cuts))


def _rows(walked: Walk) -> tuple[NDArray[np.uint8], Integers]:
    """[E, 3] status and data bytes, zeros for meta events; [E] number of each event in the file.

    A note-off that is added has the number of the note-on that it comes before.
    """
    channel = walked.channel
    held = held_notes(channel, walked.ticks_per_quarter)
    rows = np.zeros((len(walked.starts), 3), np.uint8)
    for column, data in enumerate((channel.status, channel.first, channel.second)):
        rows[channel.number, column] = data
    kept = np.zeros(len(rows), np.bool_)
    kept[channel.number] = True
    kept[np.searchsorted(walked.starts, [event for event, _ in walked.metas])] = True
    kept[channel.number[held.removed]] = False
    numbers = np.flatnonzero(kept)
    if not held.ended_before:
        return rows[numbers], numbers
    struck = np.sort(channel.number[held.ended_before])
    offs = rows[struck]
    offs[:, 0] = NOTE_OFF | offs[:, 0] & 15
    offs[:, 2] = VELOCITY
    at = np.searchsorted(numbers, struck)
    return np.insert(rows[numbers], at, offs, axis=0), np.insert(numbers, at, struck)


def _joined(flat: bytes, borders: list[int], metas: list[tuple[int, bytes]]) -> list[bytes]:
    """Each track's bytes, with its meta events.

    Args:
        flat: all events one after another, of meta events only the delta times.
        borders: where each track begins in `flat`, and where the last one ends.
        metas: where the delta time of each meta event ends, and the bytes after it.
    """
    tracks = []
    waiting = metas[::-1]
    for begin, end in pairwise(borders):
        parts, at = [], begin
        while waiting and waiting[-1][0] <= end:
            cut, payload = waiting.pop()
            parts += [flat[at:cut], payload]
            at = cut
        tracks.append(b"".join([*parts, flat[at:end], b"\0", END_OF_TRACK]))
    return tracks
