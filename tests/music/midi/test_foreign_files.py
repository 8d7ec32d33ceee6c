"""Files as the world writes them: read by every path alike, or refused with the true reason."""

import struct
from pathlib import Path

import pytest

from symbotunes.datasets.midi_folder import MidiFolder
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.notes import read_midi
from symbotunes.music.midi.piece import MidiPiece, read_midi_bytes
from symbotunes.tokenizers.base import Unencodable
from symbotunes.tokenizers.midi import MidiTokens
from tests.music.events import midi, notes, off, on, program, tempo, track

CASES = Path(__file__).parents[2] / "files" / "midi_cases"
TUNE = notes((0, 4, 60), (4, 8, 62))
PLAIN = midi(TUNE)
BOTH = [(0, 4, 60), (4, 4, 62)]  # onset, duration, pitch in ticks


def in_ticks(data: bytes) -> list[tuple[int, int, int]]:
    """Notes as symusic reads them: onset, duration, pitch."""
    tracks = MidiPiece("x", data).score.tracks
    return sorted((n.time, n.duration, n.pitch) for track in tracks for n in track.notes)


def in_seconds(data: bytes) -> list[tuple[float, float, int]]:
    """Notes as windows read them: onset, duration, pitch."""
    read = read_midi(data)
    columns = (read.start, read.end - read.start, read.pitch)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def reasons(data: bytes) -> set[str]:
    """Why the file is refused, by every way to read it."""
    piece = MidiPiece("x", data)
    ways = (lambda: piece.score, piece.content, lambda: read_midi(piece.walked))
    refused = set()
    for way in ways:
        with pytest.raises(MidiError) as caught:
            way()
        refused.add(caught.value.reason)
    return refused


def chunk(body: bytes, *, size: int | None = None, name: bytes = b"MTrk") -> bytes:
    return name + struct.pack(">I", len(body) if size is None else size) + body


def header(tracks: int = 1, *, kind: int = 1, more: bytes = b"") -> bytes:
    return b"MThd" + struct.pack(">IHHH", 6 + len(more), kind, tracks, 4) + more


def riff(*parts: bytes) -> bytes:
    body = b"RMID" + b"".join(part + bytes(len(part) % 2) for part in parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def riff_part(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body


BODY = track(*TUNE)[8:]  # the events of the tune, with running status
END = b"\0\xff\x2f\0"
SYSEX = b"\0\xf0\x03\x41\x42\xf7"
READABLE = {
    "RIFF": riff(riff_part(b"data", PLAIN)),
    "RIFF with a list": riff(riff_part(b"LIST", b"INFOINAM\1\0\0\0x"), riff_part(b"data", PLAIN)),
    "MacBinary": bytes(128) + PLAIN,
    "a longer header": header(more=b"ab") + chunk(BODY),
    "an unknown chunk": header() + chunk(b"abc", name=b"XFIH") + chunk(BODY),
    "an unknown chunk behind": header() + chunk(BODY) + chunk(b"abc", name=b"XFKM"),
    "garbage behind": header() + chunk(BODY + END) + bytes(9),
    "no end of track": header() + chunk(BODY),
    "an empty track": header(2) + chunk(b"") + chunk(BODY),
    "more tracks than counted": header(1) + chunk(track(*TUNE[:2])[8:] + END) + track(*TUNE[2:]),
    "a size beyond the file": header() + chunk(BODY + END, size=2**31),
    "format 2 with one track": header(kind=2) + chunk(BODY),
    "a system exclusive message": header() + chunk(SYSEX + BODY),
    "a message that is continued": header() + chunk(b"\0\xf0\1\x41\0\xf7\2\x42\xf7" + BODY),
    "an escape": header() + chunk(b"\0\xf7\2\xf3\x90" + BODY),
    "a broken message": header() + chunk(b"\0\xf0\2\x90\xf7" + BODY),
    "running status after a message": header() + chunk(BODY[:4] + SYSEX + BODY[4:]),
    "running status after a text": header() + chunk(BODY[:4] + b"\0\xff\1\2ab" + BODY[4:]),
    "a long delta time": header() + chunk(b"\x80\x80\x80\x80\0" + BODY[1:]),
    "a tempo of four bytes": header() + chunk(b"\0\xff\x51\4\7\xa1\x20\0" + BODY),
    "a meter of six bytes": header() + chunk(b"\0\xff\x58\6\3\2\x18\x08\0\0" + BODY),
    "a text that is not Unicode": header() + chunk(b"\0\xff\3\2\xe9\xff" + BODY),
}


@pytest.mark.parametrize("data", READABLE.values(), ids=READABLE)
def test_what_only_looks_odd_is_read_by_every_path(data):
    assert in_ticks(data) == BOTH
    assert in_seconds(data) == [(0.0, 0.5, 60), (0.5, 0.5, 62)]


def note_then(event: bytes) -> bytes:
    return header() + chunk(b"\0\x90\x3c\x40" + event + b"\4\x80\x3c\0")


CUT = header() + chunk(BODY)[:-2]
REFUSED = {
    "a pitch": (header() + chunk(b"\0\x90\x80\x40\4\x80\x80\0"), "data byte above 127"),
    "a velocity": (note_then(b"\0\x90\x3e\x80"), "data byte above 127"),
    "a program": (note_then(b"\0\xc0\xa0"), "data byte above 127"),
    "a controller": (note_then(b"\0\xb0\x07\xff"), "data byte above 127"),
    "a pitch bend": (note_then(b"\0\xe0\x80\0"), "data byte above 127"),
    "pressure": (note_then(b"\0\xd0\xff"), "data byte above 127"),
    "pressure of a key": (note_then(b"\0\xa0\x3c\xff"), "data byte above 127"),
    "a tempo of nothing": (midi(TUNE, [tempo(0, 0)]), "zero tempo"),
    "a bar of nothing": (note_then(b"\0\xff\x58\4\0\2\x18\x08"), "bad time signature"),
    "a 256th": (note_then(b"\0\xff\x58\4\4\x08\x18\x08"), "bad time signature"),
    "a key of eight flats": (note_then(b"\0\xff\x59\2\xf8\0"), "bad key signature"),
    "a short tempo": (note_then(b"\0\xff\x51\2\7\xa1"), "bad meta event"),
    "a cut": (CUT, "truncated"),
    "a cut between tracks": (header(2) + chunk(BODY + END), "fewer tracks than the header counts"),
    "a cut in a header": (header(2) + chunk(BODY + END) + b"MTrk\0", "truncated"),
    "a track that says too little": (
        header() + chunk(BODY + END, size=len(BODY) - 4),
        "a track is not as long as it says",
    ),
    "the first of two says too little": (
        header(2) + chunk(BODY + END, size=len(BODY) - 4) + chunk(BODY),
        "a track is not as long as it says",
    ),
    "a track that says nothing": (
        header() + chunk(BODY, size=0),
        "a track is not as long as it says",
    ),
    "a track that swallows the next": (
        header(2) + chunk(BODY + END, size=len(BODY) + 12) + chunk(END),
        "a track is not as long as it says",
    ),
    "two songs": (header(2, kind=2) + 2 * chunk(BODY), "several songs in one file"),
    "two files": (PLAIN + PLAIN, "several songs in one file"),
    "two songs in RIFF": (riff(*2 * [riff_part(b"data", PLAIN)]), "several songs in one file"),
    "a list of songs": (
        riff(riff_part(b"LIST", b"song" + 2 * (riff_part(b"data", PLAIN) + bytes(len(PLAIN) % 2)))),
        "several songs in one file",
    ),
    "RIFF of sound": (b"RIFF\4\0\0\0WAVE", "not a MIDI file"),
    "a short header": (b"MThd\0\0\0\4\0\0\0\1" + chunk(BODY), "bad header"),
    "far ticks": (note_then(b"\xff\xff\xff\x7f\xb0\7\7" * 9), "too long"),
    "a delta time over 28 bits": (note_then(b"\x81\x80\x80\x80\0\xb0\7\7"), "too long"),
    "frames": (b"MThd" + struct.pack(">IHHh", 6, 1, 1, -6360) + chunk(BODY),
               "time in frames, not in quarters"),
    "no time": (midi(TUNE, ticks_per_quarter=0), "zero ticks per quarter"),
    "no status": (header() + chunk(b"\0\xff\1\1a" + b"\0\x3c\x40"), "data without a status byte"),
    "silence": (midi([program(0, 3)]), "no notes"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_broken_is_refused_by_every_path_for_one_reason(data, reason):
    if reason == "no notes":  # such a file is read, but it is no music
        assert in_ticks(data) == []
        with pytest.raises(MidiError, match="no notes"):
            MidiPiece("x", data).content()
        return
    assert reasons(data) == {reason}


CASE_REASONS = {
    "f01_note_numbers_above_127": "data byte above 127",
    "f02_program_above_127_in_one_of_two_tracks": "data byte above 127",
    "f11_format_2_two_songs": "several songs in one file",
    "f16_ticks_beyond_2_to_the_32": "too long",
    "f26_zero_tempo": "zero tempo",
}


@pytest.mark.parametrize(("name", "reason"), CASE_REASONS.items())
def test_published_kinds_of_broken_files_are_refused(name, reason):
    assert reasons(read_midi_bytes(CASES / f"{name}.mid")) == {reason}


# Onsets of the first bar and number of notes, as players read these files.
CASE_NOTES = {
    "f17_empty_track_chunk": (36, [60, 62, 64, 67]),
    "f17_unknown_chunk_between_tracks": (36, [60, 62, 64, 67]),
    "f19_header_says_2_of_3_tracks": (72, [36, 60, 38, 62, 40, 64, 43, 67]),
    "f22_riff_wrapped": (36, [60, 62, 64, 67]),
    "f23_running_status_after_sysex": (36, [60, 62, 64, 67]),
}


@pytest.mark.parametrize(("name", "expected"), CASE_NOTES.items())
def test_published_kinds_of_odd_files_are_read(name, expected):
    count, first = expected
    data = read_midi_bytes(CASES / f"{name}.mid")
    assert len(in_ticks(data)) == len(in_seconds(data)) == count
    assert [pitch for _, _, pitch in in_ticks(data)][: len(first)] == first


def test_a_silent_file_as_a_prompt_is_said_to_have_no_notes():
    with pytest.raises(Unencodable, match=r"^no notes$"):
        MidiTokens("TSD").prompt_from(CASES / "f18_silent_file_as_prompt.mid", 4)


def test_karaoke_and_riff_files_of_a_folder_are_read(tmp_path):
    for name in ("a.kar", "b.RMI", "c.mid", "d.wav"):
        (tmp_path / name).write_bytes(PLAIN)
    assert [path.name for path in MidiFolder(tmp_path).files()] == ["a.kar", "b.RMI", "c.mid"]


def test_a_note_on_without_its_note_off_lengthens_no_other_note():
    read = in_ticks(read_midi_bytes(CASES / "f10_extra_note_on.mid"))
    durations = [duration for _, duration, _ in read]
    assert len(durations) == 33
    assert durations.count(120) == 32


def held(*events, pitch=60):
    """Durations of a pitch in ticks, from a text such as ``0+ 4- 8+``."""
    made = [(on if text[-1] == "+" else off)(int(text[:-1]), pitch) for text in events]
    return [duration for _, duration, _ in in_ticks(midi(made))]


def test_what_sounds_ends_where_a_pitch_is_struck_again_if_a_note_off_is_missing():
    assert held("0+", "8+", "10-", "16+", "18-") == [8, 2, 2]
    assert held("0+", "2-", "4+", "8+", "10-", "12+", "16+", "18-") == [2, 4, 2, 4, 2]
    assert held("0+", "0+", "2-", "8+", "10-") == [2, 2]  # struck twice at once
    assert held("0+", "4-", "8+") == [4]  # never struck again


def test_a_note_off_at_the_very_end_does_not_make_up_for_one_that_is_missing():
    strikes = [f"{t}{sign}" for t in range(8, 64, 8) for sign in "+-"]
    strikes = [text if text[-1] == "+" else f"{int(text[:-1]) + 2}-" for text in strikes]
    assert held("0+", *strikes, "90-") == [8, *7 * [2]]


def test_notes_of_one_pitch_may_overlap_if_each_has_its_note_off():
    assert held("0+", "4+", "8-", "12-") == [8, 8]  # two voices
    assert held("0+", "4+", "4-", "8-") == [4, 4]  # the note-off is late in its tick
    legato = [text for t in range(400, 4000, 400) for text in (f"{t}+", f"{t}-")]
    assert held("0+", *legato, "4000-") == 10 * [400]
