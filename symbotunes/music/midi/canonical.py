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


def canonical(walked: Walk) -> bytes:
    """The file in the plainest form, with every note that hangs ended where it is struck again.

    Raises:
        MidiError: if a pause is too long to be written.
    """
    tracks = len(walked.borders) - 1
    kind = 0 if walked.format == 0 else 1
    head = b"".join(n.to_bytes(2, "big") for n in (kind, tracks, walked.ticks_per_quarter))
    chunks = [HEADER, len(head).to_bytes(4, "big"), head]
    for events in _tracks(walked, tracks):
        chunks += [TRACK, len(events).to_bytes(4, "big"), events]
    return b"".join(chunks)


def _tracks(walked: Walk, tracks: int) -> list[bytes]:
    """The events of each track as they are written."""
    rows, numbers = _rows(walked)
    track = np.searchsorted(walked.first_of, numbers, side="right") - 1
    ticks = walked.ticks[numbers]
    first_rows = np.searchsorted(track, np.arange(tracks + 1))
    deltas = np.diff(ticks, prepend=0)
    begins = first_rows[:-1][np.diff(first_rows) > 0]
    deltas[begins] = ticks[begins]
    if len(deltas) and deltas.max() > MAX_DELTA:
        raise MidiError("too long")
    # Seven columns for every event, of which some are written: a delta time of up to four digits,
    # then a status byte and data bytes. Meta events are put in afterwards.
    columns = np.empty((len(rows), 7), np.uint8)
    written = np.zeros((len(rows), 7), np.bool_)
    for digit in range(4):
        columns[:, digit] = deltas >> 7 * (3 - digit) & 127 | (128 if digit < 3 else 0)
        written[:, digit] = (deltas >= 1 << 7 * (3 - digit)) | (digit == 3)
    columns[:, 4:] = rows
    written[:, 4:6] = rows[:, :1] > 0
    written[:, 6] = written[:, 4] & ((rows[:, 0] < 0xC0) | (rows[:, 0] >= 0xE0))
    flat = columns[written].tobytes()
    ends = np.append(0, np.cumsum(written.sum(axis=1))).tolist()
    metas = np.flatnonzero(rows[:, 0] == 0).tolist()  # rows, in the order of `walked.metas`
    return _joined(flat, ends, first_rows.tolist(), metas, [data for _, data in walked.metas])


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


def _joined(
    flat: bytes, ends: list[int], first_rows: list[int], metas: list[int], payloads: list[bytes]
) -> list[bytes]:
    """Each track's bytes, with its meta events.

    Args:
        flat: all events one after another, of meta events only the delta times.
        ends: where each event begins in `flat`, and where the last one ends.
        first_rows: of each track, and the number of events.
        metas: which events are meta events.
        payloads: their bytes after the delta times.
    """
    tracks = []
    waiting = list(zip(metas, payloads, strict=True))[::-1]
    for first, last in pairwise(first_rows):
        parts, at = [], ends[first]
        while waiting and waiting[-1][0] < last:
            row, payload = waiting.pop()
            parts += [flat[at : ends[row + 1]], payload]
            at = ends[row + 1]
        tracks.append(b"".join([*parts, flat[at : ends[last]], b"\0", END_OF_TRACK]))
    return tracks
