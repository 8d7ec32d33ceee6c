"""Scores as MIDI files in which every instrument sounds as it should.

symusic gives the tracks of a score the channels in turn, so that from the sixteenth track on, two
of different programs share a channel: a player then lets both sound with the last program that was
set. Here a channel belongs to one track, or, if there are more than fifteen, to one program. More
than fifteen programs go to several ports, of sixteen channels each.
"""

from dataclasses import dataclass

import numpy as np
import symusic

from symbotunes.music.midi.container import TRACK, read_chunks
from symbotunes.music.midi.smf import walk

DRUM_CHANNEL = 9
CHANNELS = [channel for channel in range(16) if channel != DRUM_CHANNEL]
_PORT = b"\0\xff\x21\x01"  # at once; a meta event of one byte


@dataclass(frozen=True)
class WrittenMidi:
    """A MIDI file.

    Attributes:
        content: its bytes.
        ports: how many it needs: one for every fifteen programs.
    """

    content: bytes
    ports: int


def write_midi(score: symusic.Score) -> WrittenMidi:
    """A Standard MIDI File of format 1.

    Args:
        score: in any unit of time; it is written in ticks.
    """
    score = score.to("tick")
    content = bytes(score.dumps_midi())
    if len(score.tracks) <= len(CHANNELS):
        return WrittenMidi(content, 1)
    places = _places(score)
    walked = walk(content)
    raw = np.frombuffer(content, np.uint8).copy()
    heads = walked.deltas_end[walked.starts[walked.channel.number]] + 1  # status bytes, all written
    channels = np.array([channel for _, channel in places], np.uint8)
    raw[heads] = raw[heads] & 0xF0 | channels[walked.channel.track]
    ports = 1 + max(port for port, _ in places)
    if ports == 1:
        return WrittenMidi(raw.tobytes(), 1)
    chunks = [content[: walked.borders[0] - 8]]
    for (port, _), (begin, end) in zip(places, read_chunks(content).tracks, strict=True):
        events = _PORT + bytes([port]) + raw[begin:end].tobytes()
        chunks += [TRACK, len(events).to_bytes(4, "big"), events]
    return WrittenMidi(b"".join(chunks), ports)


def _places(score: symusic.Score) -> list[tuple[int, int]]:
    """Port and channel of every track."""
    melodic = [index for index, track in enumerate(score.tracks) if not track.is_drum]
    owners = {index: index for index in melodic}  # what each of them shares its channel with
    if len(melodic) > len(CHANNELS):
        owners = {index: score.tracks[index].program for index in melodic}
    numbers = {owner: number for number, owner in enumerate(dict.fromkeys(owners.values()))}
    places = [(0, DRUM_CHANNEL)] * len(score.tracks)
    for index, owner in owners.items():
        port, place = divmod(numbers[owner], len(CHANNELS))
        places[index] = (port, CHANNELS[place])
    return places
