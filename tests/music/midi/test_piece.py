"""The same music has the same content, whatever its file says besides."""

import pickle
import struct

import numpy as np
import pytest
import symusic

from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.piece import MAX_BYTES, MidiPiece, read_midi_bytes


def piece(*tracks, ticks=480, tempo=120.0, shift=0):
    """Tracks are (program, is_drum, name, [(onset, duration, pitch, velocity)]), in quarters."""
    score = symusic.Score(ticks)
    score.tempos.append(symusic.Tempo(0, tempo))
    for program, is_drum, name, notes in tracks:
        track = symusic.Track(program=program, is_drum=is_drum, name=name)
        for onset, duration, pitch, velocity in notes:
            start = round((onset + shift) * ticks)
            track.notes.append(symusic.Note(start, round(duration * ticks), pitch, velocity))
        score.tracks.append(track)
    return MidiPiece("x", score.dumps_midi())


MELODY = [(0, 1, 60, 90), (1, 0.5, 62, 90), (1.5, 0.5, 64, 90)]
BASS = [(0, 2, 36, 90)]
ONE = piece((0, False, "a", MELODY), (32, False, "b", BASS))


@pytest.mark.parametrize(
    "other",
    [
        piece((0, False, "a", MELODY), (32, False, "b", BASS), tempo=90.0),
        piece((0, False, "a", MELODY), (32, False, "b", BASS), ticks=96),
        piece((0, False, "a", MELODY), (32, False, "b", BASS), shift=8),
        piece((73, False, "Flute", MELODY), (0, False, "", BASS)),
        piece((32, False, "b", BASS), (0, False, "a", MELODY)),
        piece((0, False, "", MELODY + BASS)),
        piece((0, False, "a", [(*note[:3], 20) for note in MELODY]), (32, False, "b", BASS)),
        piece((0, False, "a", [(on + 0.01, *rest) for on, *rest in MELODY]), (0, False, "", BASS)),
    ],
    ids=["tempo", "resolution", "silence", "program", "order", "tracks", "velocity", "hair"],
)
def test_what_is_not_the_notes_makes_no_difference(other):
    assert other.content() == ONE.content()


@pytest.mark.parametrize(
    "other",
    [
        piece((0, False, "a", MELODY)),
        piece((0, False, "a", [(on, length, pitch + 1, 90) for on, length, pitch, _ in MELODY])),
        piece((0, True, "a", MELODY), (32, False, "b", BASS)),
        piece((0, False, "a", [(2 * on, *rest) for on, *rest in MELODY]), (32, False, "b", BASS)),
    ],
    ids=["part missing", "transposed", "drums", "slower rhythm"],
)
def test_other_notes_are_other_content(other):
    assert other.content() != ONE.content()


def test_content_is_a_table_of_onset_pitch_drum_and_duration_in_twelfths():
    table = np.frombuffer(ONE.content(), "<i4").reshape(-1, 4)
    assert table.tolist() == [[0, 36, 0, 24], [0, 60, 0, 12], [12, 62, 0, 6], [18, 64, 0, 6]]


def test_a_piece_travels_between_processes():
    assert pickle.loads(pickle.dumps(ONE)) == ONE


def test_every_look_at_the_score_is_a_new_one():
    ONE.score.tracks.clear()
    assert len(ONE.score.tracks) == 2


HEADER = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a MIDI file"),
        (b"<html>", "not a MIDI file"),
        (ONE.data[:40], "truncated"),
        (ONE.data[:12] + b"\0\0" + ONE.data[14:], "zero ticks per quarter"),
        (ONE.data[:12] + b"\xe7\x28" + ONE.data[14:], "time in frames, not in quarters"),
        (HEADER + b"MTrk" + struct.pack(">I", 4) + b"\0\xff\x2f\0", "no notes"),
    ],
    ids=["empty", "page", "truncated", "no ticks", "SMPTE", "silent"],
)
def test_broken_midi_has_a_reason(data, reason):
    with pytest.raises(MidiError) as caught:
        MidiPiece("x", data).content()
    assert caught.value.reason == reason


def test_files_too_large_are_not_read(tmp_path):
    path = tmp_path / "large.mid"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(MidiError, match="larger than 64 MiB"):
        read_midi_bytes(path)


def test_a_missing_file_is_a_reason_too(tmp_path):
    with pytest.raises(MidiError, match="unreadable file: No such file"):
        read_midi_bytes(tmp_path / "gone.mid")
