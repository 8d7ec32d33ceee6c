"""Scores for tests of MIDI tokens: written by hand, and generated within what the grid can hold."""

import numpy as np
import symusic
from hypothesis import strategies as st

from symbotunes.music.midi.piece import MidiPiece

STEPS = 8  # per quarter, MidiTok's default grid
VELOCITIES = np.linspace(0, 127, 33, dtype=np.intc)[1:].tolist()  # its default 32 values
LONGEST = 4 * STEPS  # up to four quarters, every number of steps is a duration of its own


def score_of(tracks, *, division=STEPS, meter=(4, 4), tempo=120.0):
    """A score of ``{program: [(onset, duration, pitch, velocity), ...]}``; program -1 is drums."""
    score = symusic.Score(division)
    score.tempos.append(symusic.Tempo(0, tempo))
    score.time_signatures.append(symusic.TimeSignature(0, *meter))
    for program, notes in tracks.items():
        track = symusic.Track("", max(program, 0), program < 0)
        for note in notes:
            track.notes.append(symusic.Note(*note))
        score.tracks.append(track)
    return score


def piece_of(tracks, **options):
    return MidiPiece("a/b.mid", bytes(score_of(tracks, **options).dumps_midi()), "A piece")


def notes_of(score, division=STEPS):
    """Sorted (program, onset, duration, pitch, velocity), times in steps of `division`."""
    scale = division / score.ticks_per_quarter
    return sorted(
        (
            -1 if track.is_drum else track.program,
            note.time * scale,
            note.duration * scale,
            note.pitch,
            note.velocity,
        )
        for track in score.tracks
        for note in track.notes
    )


def without_gaps(tracks, division=STEPS):
    """The tracks and a soft beat every four quarters: Structured rounds longer gaps."""
    end = max(note[0] for notes in tracks.values() for note in notes)
    beats = [(tick, division // 8, 35, VELOCITIES[0]) for tick in range(0, end, 4 * division)]
    return {**tracks, 100: beats or [(0, division // 8, 35, VELOCITIES[0])]}


@st.composite
def tracks_on_grid(draw):
    """Tracks whose notes are on the grid; equal pitches of a track do not overlap."""
    programs = draw(st.sets(st.sampled_from([-1, 0, 33, 73]), min_size=1, max_size=3))
    tracks = {}
    for program in sorted(programs):
        slots = st.tuples(st.integers(0, 11), st.integers(40, 60))  # of LONGEST steps, and pitch
        places = draw(st.sets(slots, min_size=1, max_size=12))
        notes = []
        for slot, pitch in sorted(places):
            begin = draw(st.integers(0, LONGEST - 1))
            length = draw(st.integers(1, LONGEST - begin))
            velocity = draw(st.sampled_from(VELOCITIES))
            notes.append((slot * LONGEST + begin, length, pitch, velocity))
        tracks[program] = notes
    return tracks


@st.composite
def tracks_off_grid(draw):
    """Tracks at 480 ticks per quarter, with whatever onsets, durations and velocities."""
    note = st.tuples(
        st.integers(0, 20_000), st.integers(1, 3_000), st.integers(30, 80), st.integers(1, 127)
    )
    programs = draw(st.sets(st.sampled_from([-1, 0, 33]), min_size=1, max_size=2))
    return {program: draw(st.lists(note, min_size=1, max_size=15)) for program in sorted(programs)}
