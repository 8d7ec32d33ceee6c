"""Events of performances, compared with those that note-seq makes of the same files."""

from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pretty_midi import PrettyMIDI

from symbotunes.music.midi.notes import read_midi
from symbotunes.music.midi.pedal import read_pedal
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.music.performance.events import EventLayout, EventNotes
from symbotunes.music.performance.notes import pieces, played_notes, sustained
from tests.music.events import midi, off, on, program

FILES = Path(__file__).parents[2] / "files" / "performance"
NAMES = sorted(path.stem for path in FILES.glob("*.mid"))
LAYOUT = EventLayout(32)
RANDOM = settings(max_examples=60, deadline=None, derandomize=True)


def read(name):
    """Notes of a file as they are struck, its pedal, and what note-seq made of it."""
    events = MidiPiece(name, (FILES / f"{name}.mid").read_bytes()).events
    notes = read_midi(events)
    with np.load(FILES / f"{name}.npz") as stored:
        expected = dict(stored)
    return played_notes(notes), read_pedal(events, notes, events.first_clock), expected


def encoded(notes, layout=LAYOUT):
    return layout.encode(layout.quantize(notes)).tolist()


def together(notes):
    return [event for piece in notes for event in encoded(piece)]


def rows(notes):
    velocity = LAYOUT.velocity(notes.bins)
    return np.stack([notes.start, notes.end, notes.pitch, velocity], axis=1)


@pytest.mark.parametrize("name", NAMES)
def test_events_are_those_of_note_seq(name):
    played, pedal, expected = read(name)
    held = sustained(played, pedal)
    assert encoded(played) == expected["events"].tolist()
    assert encoded(held) == expected["events_sustained"].tolist()
    assert encoded(held, EventLayout(0)) == expected["events_sustained_no_velocity"].tolist()


@pytest.mark.parametrize("name", NAMES)
def test_the_pedal_is_that_of_each_instrument(name):
    played, pedal, expected = read(name)
    assert np.stack([pedal.time, pedal.value, pedal.instrument], 1).tolist() == (
        expected["pedal"].tolist()
    )
    held = sustained(played, pedal)
    assert np.array_equal(np.stack([held.start, held.end], 1), expected["sustained_times"])


@pytest.mark.parametrize("name", NAMES)
def test_pieces_of_30_seconds_are_those_of_note_seq(name):
    played, pedal, expected = read(name)
    cut = list(pieces(sustained(played, pedal), 30))
    assert [len(encoded(piece)) for piece in cut] == expected["piece_lengths"].tolist()
    assert together(cut) == expected["pieces"].tolist()


@pytest.mark.parametrize("name", NAMES)
def test_stretching_is_that_of_note_seq(name):
    played, pedal, expected = read(name)
    first = next(pieces(sustained(played, pedal).stretched(1.025), 30))
    assert encoded(first) == expected["stretched_1025_first_piece"].tolist()


@pytest.mark.parametrize("name", NAMES)
def test_decoding_gives_the_notes_back(name):
    _, _, expected = read(name)
    events = expected["events_sustained"]
    notes, capped = rows(LAYOUT.decode(events)), rows(LAYOUT.decode(events, 5.0))
    assert sorted(notes.tolist()) == sorted(expected["decoded"].tolist())
    changed = capped[(capped != notes).any(axis=1)]
    assert sorted(changed.tolist()) == sorted(expected["decoded_at_most_5_s"].tolist())


@RANDOM
@given(st.data())
def test_controllers_belong_to_instruments_as_in_pretty_midi(data):
    """Also where programs change among the notes, and where controllers come before them."""
    kinds = st.sampled_from(["note", "pedal", "bend", "program"])
    events, tick = [], 0
    for kind in data.draw(st.lists(kinds, min_size=1, max_size=12)):
        tick += 10
        if kind == "note":
            pitch = data.draw(st.sampled_from([60, 62]))
            events += [on(tick, pitch), off(tick + 5, pitch)]
        elif kind == "program":
            events.append(program(tick, data.draw(st.sampled_from([0, 5, 9]))))
        elif kind == "bend":
            events.append((tick, bytes([0xE0, 0, 70])))
        else:
            events.append((tick, bytes([0xB0, 64, data.draw(st.sampled_from([0, 127]))])))
    events += [on(tick + 10, 64), off(tick + 15, 64)]
    theirs = [
        (change.time, change.value, number)
        for number, instrument in enumerate(PrettyMIDI(BytesIO(midi(events))).instruments)
        for change in instrument.control_changes
    ]
    ours = MidiPiece("random", midi(events)).events
    pedal = read_pedal(ours, read_midi(ours), ours.first_clock)
    found = zip(pedal.time.tolist(), pedal.value.tolist(), pedal.instrument.tolist(), strict=True)
    assert list(found) == theirs


NOTES = st.lists(
    st.tuples(st.integers(0, 400), st.integers(1, 300), st.integers(0, 127), st.integers(1, 32)),
    max_size=20,
    unique_by=lambda note: note[2],  # of one pitch, the oldest note is ended first
)


@RANDOM
@given(NOTES)
def test_any_notes_come_back(notes):
    start, length, pitch, bins = np.array(sorted(notes), np.int64).reshape(-1, 4).T
    events = LAYOUT.encode(EventNotes(start, start + length, pitch, bins))
    back = LAYOUT.decode(events)
    assert sorted(zip(back.start, back.end, back.pitch, back.bins, strict=True)) == (
        sorted(zip(start, start + length, pitch, bins, strict=True))
    )
    assert EventLayout().count_errors(events) == 0


@RANDOM
@given(st.lists(st.integers(0, LAYOUT.size - 1), max_size=60))
def test_any_events_can_be_decoded(events):
    events = np.array(events, np.int64)
    notes = LAYOUT.decode(events, 5.0)
    assert (notes.end > notes.start).all()
    assert ((notes.end - notes.start) <= 500).all()
    assert 0 <= EventLayout().count_errors(events) <= len(events)


def test_shifts_are_as_long_as_possible():
    notes = EventNotes(*(np.array([value]) for value in (250, 450, 60, 9)))
    shifts = [event - 255 for event in LAYOUT.encode(notes).tolist() if 256 <= event < 356]
    assert shifts == [100, 100, 50, 100, 100]


def test_a_velocity_is_written_where_it_changes():
    bins = [3, 3, 4]
    starts = np.arange(3) * 10
    notes = EventNotes(starts, starts + 5, np.array([60, 62, 64]), np.array(bins))
    events = LAYOUT.encode(notes).tolist()
    assert [(event - 355, following) for event, following in pairwise(events) if event > 355] == [
        (3, 60),
        (4, 64),
    ]


def tensor2tensor(event):
    """Its id of one of note-seq's 388 events: padding, end, 88 + 88 pitches, shifts, velocities."""
    for first, count, start in ((21, 88, 2), (149, 88, 90), (256, 100, 178), (356, 32, 278)):
        if first <= event < first + count:
            return start + event - first
    raise ValueError(event)


def test_a_piano_has_the_ids_of_tensor2tensor():
    layout = EventLayout(32, 21, 108, 2)
    assert layout.size == 310
    compared = 0
    for name in NAMES:
        played, _, expected = read(name)
        notes = layout.quantize(played)
        if not len(played) or not layout.holds(played.pitch):
            continue
        ids = layout.encode(notes)
        assert ids.tolist() == [tensor2tensor(event) for event in expected["events"].tolist()]
        again = layout.notes(np.concatenate([[0], ids, [1]]))
        assert rows(again).tolist() == rows(LAYOUT.notes(expected["events"])).tolist()
        compared += 1
    assert compared >= 3
    assert layout.count_errors(np.array([0, 1, 2])) == 2


def test_events_without_effect_are_counted():
    # A note-off without a note, a velocity before a shift; one at the end may have been cut.
    assert EventLayout().count_errors(np.array([128 + 60, 360, 300, 60, 128 + 60, 361])) == 2
