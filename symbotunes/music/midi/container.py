"""The chunks of a Standard MIDI File, and what such files come wrapped in.

Music of the web is wrapped in RIFF (``.rmi``), follows 128 bytes of a MacBinary header, counts its
tracks wrongly, or has chunks that other programs added. The standard asks readers to skip unknown
chunks; what follows the last track is ignored, unless it is another song.
"""

from dataclasses import dataclass

from symbotunes.music.midi.error import MidiError

HEADER, TRACK = b"MThd", b"MTrk"
_BEGINNING = HEADER + bytes(3)  # with the size of the header, which is below 256
END_OF_TRACK = b"\xff\x2f\0"
_FURTHEST = 1024  # bytes before the header: a MacBinary header has 128
WRONG_LENGTH = "a track is not as long as it says"
SEVERAL_SONGS = "several songs in one file"


@dataclass(frozen=True)
class Chunks:
    """The header and the track chunks of a file.

    Attributes:
        data: the file without what it was wrapped in.
        format: 0, 1 or 2, or whatever the header says.
        ticks_per_quarter: from the header.
        tracks: where the events of each track begin and end.
    """

    data: bytes
    format: int
    ticks_per_quarter: int
    tracks: list[tuple[int, int]]


def read_chunks(data: bytes) -> Chunks:
    """The chunks of a file.

    Raises:
        MidiError: if it is no file of one song in quarters, or lacks a part.
    """
    data = unwrapped(data)
    size = int.from_bytes(data[4:8], "big")
    if len(data) < 14:
        raise MidiError("truncated")
    if size < 6:
        raise MidiError("bad header")
    kind, counted, division = (int.from_bytes(data[at : at + 2], "big") for at in (8, 10, 12))
    if not 0 < counted < 2**15:
        raise MidiError("no tracks")
    if division == 0:
        raise MidiError("zero ticks per quarter")
    if division >= 2**15:
        raise MidiError("time in frames, not in quarters")
    tracks = _tracks(data, 8 + size, counted)
    if kind == 2 and len(tracks) > 1:
        raise MidiError(SEVERAL_SONGS, "format 2")
    return Chunks(data, kind, division, tracks)


def unwrapped(data: bytes) -> bytes:
    """The bytes from the header on.

    Raises:
        MidiError: if there is no header.
    """
    if data.startswith(HEADER):
        return data
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        songs = _riff_songs(data, 12, len(data))
        if len(songs) > 1:
            raise MidiError(SEVERAL_SONGS, "RIFF")
        data = songs[0] if songs else b""
    at = data.find(_BEGINNING, 0, _FURTHEST)
    if at < 0:
        raise MidiError("not a MIDI file")
    return data[at:]


def _riff_songs(data: bytes, at: int, end: int) -> list[bytes]:
    """The contents of all ``data`` chunks, those in lists included."""
    songs: list[bytes] = []
    while at + 8 <= end:
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        at, stop = at + 8, min(at + 8 + size, end)
        if name == b"data":
            songs.append(data[at:stop])
        elif name in (b"LIST", b"RIFF"):
            songs += _riff_songs(data, at + 4, stop)
        at = stop + size % 2
    return songs


def _tracks(data: bytes, at: int, counted: int) -> list[tuple[int, int]]:
    """Where the events of each track begin and end; there may be more than the header counts."""
    tracks: list[tuple[int, int]] = []
    while at < len(data):
        is_track = data.startswith(TRACK, at)
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        if is_track and end > len(data) and data.endswith(END_OF_TRACK):
            end = len(data)  # complete in spite of its size
        if is_track and end > len(data):
            raise MidiError("truncated")
        if is_track and data.find(END_OF_TRACK + TRACK, at, end) >= 0:
            raise MidiError(WRONG_LENGTH)  # it would swallow the next one
        if data.startswith(_BEGINNING, at):
            raise MidiError(SEVERAL_SONGS)
        if is_track:
            tracks.append((at + 8, end))
        elif not is_border(data, at):
            break
        at = end
    if len(tracks) < counted:
        raise MidiError(_why_fewer(data, at, tracks), f"{len(tracks)} of {counted}")
    return tracks


def _why_fewer(data: bytes, at: int, tracks: list[tuple[int, int]]) -> str:
    """Why there are fewer tracks than the header counts, given where the chunks end."""
    if at >= len(data):
        return "fewer tracks than the header counts"
    if tracks and not data.endswith(END_OF_TRACK, *tracks[-1]):
        return WRONG_LENGTH
    if len(data) - at < 8 or _is_name(data[at : at + 4]):
        return "truncated"
    return "no track where one should be"


def is_border(data: bytes, at: int) -> bool:
    """Whether the file ends there, or a chunk begins that fits in it."""
    end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
    return at >= len(data) or (_is_name(data[at : at + 4]) and end <= len(data))


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and name.isascii() and name.decode("ascii").isprintable()
