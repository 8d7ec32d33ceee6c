import io
import warnings

import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.notes import read_midi
from symbotunes.music.midi.piece import MidiPiece
from tests.music.events import meter, midi, notes, off, on, program, soup, tempo, track

A_NOTE = [on(0, 60), off(4, 60)]


def spans(data: bytes) -> list[tuple[float, float, int]]:
    found = read_midi(data)
    columns = (found.start.tolist(), found.end.tolist(), found.pitch.tolist())
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize("seed", range(40))
def test_every_note_tempo_and_meter_is_what_pretty_midi_reads(seed):
    data = soup(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tempos outside the first track, which is the point
        theirs = pretty_midi.PrettyMIDI(io.BytesIO(data))
    expected = [
        (number, each.program, each.is_drum, note.pitch, note.velocity, note.start, note.end)
        for number, each in enumerate(theirs.instruments)
        for note in each.notes
    ]
    ours = read_midi(data)
    columns = (ours.instrument, ours.program, ours.is_drum, ours.pitch, ours.velocity)
    found = zip(*(c.tolist() for c in (*columns, ours.start, ours.end)), strict=True)
    assert list(found) == expected  # seconds to the last bit
    times, rates = theirs.get_tempo_changes()
    assert ours.tempos == tuple(zip(times.tolist(), rates.tolist(), strict=True))
    assert ours.meters == tuple(
        (change.time, change.numerator, change.denominator)
        for change in theirs.time_signature_changes
    )


def test_a_note_off_ends_every_earlier_note_of_its_pitch():
    data = midi([on(0, 60), on(2, 60), off(4, 60), on(6, 60), off(8, 60)])
    assert spans(data) == [(0.0, 0.5, 60), (0.25, 0.5, 60), (0.75, 1.0, 60)]


def test_a_note_that_ends_in_its_own_tick_is_no_note():
    assert spans(midi([on(0, 60), off(0, 60), on(2, 60), off(4, 60)])) == [(0.25, 0.5, 60)]


def test_a_note_off_after_a_new_note_of_the_same_tick_ends_the_old_one():
    data = midi([on(0, 60), on(4, 60), off(4, 60), off(8, 60)])
    assert spans(data) == [(0.0, 0.5, 60), (0.5, 1.0, 60)]


def test_notes_without_end_and_ends_without_note_are_passed_over():
    assert spans(midi([off(0, 62), on(0, 60), on(0, 61), off(4, 60)])) == [(0.0, 0.5, 60)]


def test_a_note_on_of_velocity_0_is_a_note_off():
    assert spans(midi([on(0, 60), on(4, 60, velocity=0)])) == [(0.0, 0.5, 60)]


def test_a_note_belongs_to_the_program_that_is_set_at_its_end():
    data = midi([program(0, 7), on(0, 60), program(2, 9), off(4, 60), on(5, 61), off(6, 61)])
    assert read_midi(data).program.tolist() == [9, 9]


def test_an_instrument_is_a_program_of_a_channel_of_a_track():
    first = [*notes((0, 1, 60)), program(2, 5), *notes((3, 4, 60)), *notes((5, 6, 60), channel=9)]
    data = midi(first, notes((0, 1, 60)))
    found = read_midi(data)
    assert found.instrument.tolist() == [0, 1, 2, 3]
    assert found.program.tolist() == [0, 5, 0, 0]
    assert found.is_drum.tolist() == [False, False, True, False]


def test_tempo_and_meter_of_later_tracks_do_not_count():
    quiet = [tempo(0, 1_000_000), meter(0, 3, 4)]
    assert spans(midi(A_NOTE, quiet)) == [(0.0, 0.5, 60)]
    assert spans(midi(quiet, A_NOTE)) == [(0.0, 1.0, 60)]
    assert read_midi(midi(A_NOTE, quiet)).meters == ()
    assert read_midi(midi(quiet, A_NOTE)).meters == ((0.0, 3, 4),)


def test_the_time_before_an_unknown_meta_event_is_forgotten():
    """So does mido, on which note-seq builds."""
    assert spans(midi([(4, b"\xff\x5d\0"), on(4, 60), off(8, 60)])) == [(0.0, 0.5, 60)]


def test_a_delta_time_may_have_more_bytes_than_it_needs():
    padded = b"\x80\x80\x80\x80\x04" + bytes([0x80, 60, 0])
    body = b"\0" + bytes([0x90, 60, 64]) + padded
    head = midi([])[:-8]
    assert spans(head + b"MTrk" + len(body).to_bytes(4, "big") + body) == [(0.0, 0.5, 60)]


def raw(body: bytes) -> bytes:
    return midi([])[:-8] + b"MTrk" + len(body).to_bytes(4, "big") + body


WHOLE = midi(A_NOTE)
BROKEN = {
    "empty": (b"", "not a MIDI file"),
    "a web page": (b"<html>", "not a MIDI file"),
    "wrapped": (b"RIFF\0\0\0\0RMIDdata" + WHOLE, "not a MIDI file"),
    "header only": (WHOLE[:10], "truncated"),
    "cut": (WHOLE[:-3], "truncated"),
    "cut inside an event": (raw(b"\0\x90\x3c"), "truncated"),
    "a size that runs over": (raw(b"\0\xff\x01\x7fabc"), "truncated"),
    "a delta time without end": (raw(b"\x80\x80\x80\x80"), "truncated"),
    "no tracks": (midi(), "no tracks"),
    "an empty track": (midi([]), "no notes"),
    "another chunk": (WHOLE.replace(b"MTrk", b"XFIH"), "fewer tracks than the header counts"),
    "no resolution": (midi(A_NOTE, ticks_per_quarter=0), "zero ticks per quarter"),
    "frames": (midi(A_NOTE, ticks_per_quarter=0xE728), "time in frames, not in quarters"),
    "no status": (raw(b"\0\x3c\x40"), "data without a status byte"),
    "an undefined status": (raw(b"\0\xf4"), "undefined status byte"),
    "a loud note": (raw(b"\0\x90\x3c\x80\0\x80\x3c\0"), "data byte above 127"),
    "a long text": (raw(b"\0\xff\x01\xff\xff\x7f"), "oversized event"),
    "a short tempo": (raw(b"\0\xff\x51\x02\1\1"), "bad meta event"),
    "a tempo of nothing": (midi([tempo(0, 0), *A_NOTE]), "zero tempo"),
    "a bar of nothing": (midi([meter(0, 0, 4), *A_NOTE]), "bad time signature"),
    "a key of nine sharps": (raw(b"\0\xff\x59\x02\x09\0"), "bad key signature"),
    "an eternity": (raw(b"\xff\xff\xff\xff\xff\x7f\x90\x3c\x40"), "too long"),
    "silence": (midi([tempo(0, 500_000)]), "no notes"),
    "no end": (midi([on(0, 60)]), "no notes"),
}


@pytest.mark.parametrize(("data", "reason"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read_is_refused_for_one_short_reason(data, reason):
    with pytest.raises(MidiError) as caught:
        read_midi(data)
    assert caught.value.reason == reason


def test_limits_are_the_callers(tmp_path):
    data = midi(notes((0, 4, 60), (4, 8, 62)))
    (tmp_path / "two.mid").write_bytes(data)
    assert len(read_midi(tmp_path / "two.mid", max_seconds=1.0, max_notes=2).pitch) == 2
    with pytest.raises(MidiError, match="too long"):
        read_midi(data, max_seconds=0.9)
    with pytest.raises(MidiError, match="too many notes"):
        read_midi(data, max_notes=1)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 3), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6))
def test_damaged_files_are_read_or_refused(seed, damage):
    data = bytearray(soup(seed))
    for place, byte in damage:
        data[place] = byte
    try:
        found = read_midi(bytes(data))
        score = MidiPiece("x", bytes(data)).score
    except MidiError:
        return
    assert (found.end > found.start).all()
    assert np.isin(found.pitch, range(128)).all()
    assert all(note.end < 2**31 for track in score.tracks for note in track.notes)


def test_a_track_may_go_on_after_its_end_of_track_event():
    assert spans(WHOLE[:14] + track(on(0, 60), (2, b"\xff\x2f\0"), off(4, 60))) == [(0.0, 0.5, 60)]
