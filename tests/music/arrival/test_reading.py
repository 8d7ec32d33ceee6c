"""Events of MIDI files, compared with those of the authors' package and of a loop over mido."""

from collections import defaultdict, deque
from io import BytesIO
from pathlib import Path

import mido
import numpy as np
import pytest

from symbotunes.music.arrival.reading import first_in_first_out, read_notes
from symbotunes.music.arrival.vocabulary import durations
from symbotunes.music.arrival.writing import score_of
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.music.midi.smf import walk
from symbotunes.music.midi.writing import write_midi
from tests.music.events import midi, off, on, soup, tempo

FILES = Path(__file__).parents[2] / "files" / "arrival"
NAMES = sorted(path.stem for path in FILES.glob("*.mid"))


def read(data):
    return read_notes(walk(data))


def rows(notes):
    columns = (notes.time, notes.duration, notes.pitch, notes.instrument, notes.velocity)
    return np.stack(columns, axis=1).tolist()


def through_mido(data):
    """The notes by the definition: one message at a time."""
    rows, sounding, programs, seconds = [], defaultdict(deque), defaultdict(int), 0.0
    for message in mido.MidiFile(file=BytesIO(data)):
        seconds += message.time
        if message.type == "program_change":
            programs[message.channel] = message.program
        if message.type not in ("note_on", "note_off"):
            continue
        instrument = 128 if message.channel == 9 else programs[message.channel]
        key = (instrument, message.note, message.channel)
        if message.type == "note_on" and message.velocity:
            sounding[key].append((len(rows), seconds))
            rows.append([round(100 * seconds), -1, message.note, instrument, message.velocity])
        elif sounding[key]:
            note, begun = sounding[key].popleft()
            rows[note][1] = round(100 * (seconds - begun))
    return rows


@pytest.mark.parametrize("name", NAMES)
def test_events_are_those_of_the_authors(name):
    notes = read((FILES / f"{name}.mid").read_bytes())
    with np.load(FILES / "files.npz") as stored:
        assert rows(notes) == stored[f"{name}|notes"].tolist()
        assert notes.events().tolist() == stored[f"{name}|events"].tolist()


@pytest.mark.parametrize("seed", range(20))
def test_any_messages_become_the_notes_that_mido_streams(seed):
    assert rows(read(soup(seed))) == through_mido(soup(seed))


def test_a_tie_is_rounded_to_the_even_unit_and_a_duration_is_not_a_difference_of_rounded_times():
    tick_of_5_ms = tempo(0, 500_000)
    data = midi([tick_of_5_ms, on(1, 60), off(3, 60), on(5, 61), off(9, 61)], ticks_per_quarter=100)
    # From 5 to 15 ms, 0.5 to 1.5 units: 1 unit long, though these round to 0 and 2. Then from 2.5.
    assert [note[:2] for note in rows(read(data))] == [[0, 1], [2, 2]]


def test_open_notes_last_250_ms_and_long_ones_are_cut():
    data = midi([on(0, 60), on(0, 61), off(10_000, 61)], ticks_per_quarter=480)
    notes = read(data)
    assert notes.duration.tolist() == [-1, 1042]  # 10,000 / 480 * 0.5 s
    assert notes.too_long.tolist() == [False, True]
    assert durations(notes.events()).tolist() == [25, 999]


def test_note_offs_end_the_oldest_note_and_stray_ones_none():
    key = np.array([7, 7, 7, 3, 7, 7, 7, 7, 3])
    is_on = np.array([False, True, True, False, False, True, False, False, True])
    opening, closing = first_in_first_out(key, is_on)
    assert sorted(zip(opening.tolist(), closing.tolist(), strict=True)) == [(1, 4), (2, 6), (5, 7)]


@pytest.mark.parametrize("name", NAMES)
def test_written_events_are_read_again(name):
    """The authors' own writer fails from 16 instruments on and wraps times above 275 s."""
    with np.load(FILES / "files.npz") as stored:
        events = stored[f"{name}|events"].astype(np.int64)
    if name in ("instruments_16_no_drums", "instruments_17"):
        pytest.skip("more than 15 instruments beside drums need a second port of 16 channels")
    events[:, 0] += 30_000  # 300 s
    again = read(write_midi(score_of(events)).content).events()
    assert sorted(again.tolist()) == sorted(events.tolist())


def test_a_score_has_a_track_for_each_instrument_of_sixteen_and_more():
    with np.load(FILES / "files.npz") as stored:
        score = score_of(stored["instruments_17|events"].astype(np.int64))
    assert [track.is_drum for track in score.tracks] == [True] + 16 * [False]
    assert len({track.program for track in score.tracks[1:]}) == 16
    assert sum(len(track.notes) for track in score.tracks) == 107
    assert MidiPiece("x", write_midi(score).content).score.note_num() == 107
