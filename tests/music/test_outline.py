"""The outline of a melody, by hand."""

import numpy as np
import pytest
import symusic

from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.convert import midi_of
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.music.outline import MOST_SAMPLES, ONSET, outlines

SCALE = "CDEF GABc BAGF EDCD"
CLASSES = [0, 2, 4, 5, 7, 9, 11, 0, 11, 9, 7, 5, 4, 2, 0, 2]


def tune(body, header="M:4/4\nL:1/8\nK:C"):
    return AbcTune("", f"X:1\nT:\n{header}\n{body}\n")


def read(outline):
    """Pitch classes, negative where nothing begins (0 as -12)."""
    return [int(each) - ONSET if each >= ONSET else -(int(each) or 12) for each in outline]


def test_a_run_of_eighths_is_its_pitch_classes():
    (outline,) = outlines(tune(SCALE))
    assert read(outline) == CLASSES


@pytest.mark.parametrize(
    "body",
    [
        "CDEF GABc | BAGF EDCD |",
        "|: CDEF GABc | BAGF EDCD :|",
        "C,D,E,F, G,A,B,C | B,A,G,F, E,D,C,D, |",
        "[C,C]DEF GABc | BAGF EDCD |",
        "CDE/A/F GABc | BA{B}GF EDCD |",
    ],
    ids=["bars", "repeats", "octave", "chord", "ornaments"],
)
def test_bars_repeats_octaves_chords_and_ornaments_make_no_difference(body):
    assert CLASSES in [read(outline) for outline in outlines(tune(body))]


@pytest.mark.parametrize("header", ["M:2/4\nL:1/16\nK:C", "M:2/2\nL:1/4\nK:C"])
def test_nor_does_the_unit_in_which_it_is_written(header):
    assert [read(outline) for outline in outlines(tune(SCALE, header))] == [CLASSES]


def test_a_note_that_is_held_begins_once():
    (outline,) = outlines(tune("C2D2 EFGA BcBA GFED C2DE"))
    assert read(outline)[:5] == [0, -12, 2, -2, 4]


def test_where_a_melody_may_be_on_two_grids_it_has_two_outlines():
    found = [read(outline) for outline in outlines(tune("C2D2 CDEF G2A2 GABc"))]
    assert found == [
        [0, -12, 2, -2, 0, 2, 4, 5, 7, -7, 9, -9, 7, 9, 11, 0],
        [0, 2, 0, 4, 7, 9, 7, 11, -12],  # the last note sounds on at the point after it
    ]


def test_midi_has_the_outline_of_the_abc_that_it_was_made_of():
    written, played = outlines(tune(SCALE)), outlines(midi_of(tune(SCALE)))
    assert [read(each) for each in played] == [read(each) for each in written]


def test_a_long_rest_counts_as_a_short_one():
    (outline,) = outlines(tune(f"{SCALE} z8 z8 z8 z8 {SCALE}"))
    assert len(outline) == 16 - 1 + 16 + 16
    assert read(outline)[-16:] == CLASSES


def test_few_notes_have_no_outline_and_long_melodies_a_beginning():
    assert outlines(tune("CDEF GABc cBA")) == []
    (outline,) = outlines(tune(SCALE * 20))
    assert len(outline) == MOST_SAMPLES
    assert (outline == (np.array(CLASSES * 16) + ONSET)).all()


@pytest.mark.parametrize("is_drum", [False, True])
def test_drums_have_no_outline(is_drum):
    score = symusic.Score(480)
    track = symusic.Track(is_drum=is_drum)
    for step, pitch in enumerate(CLASSES):
        track.notes.append(symusic.Note(240 * step, 240, 60 + pitch, 80))
    score.tracks.append(track)
    found = [read(outline) for outline in outlines(MidiPiece("", score))]
    assert found == ([] if is_drum else [CLASSES])


def test_what_is_not_music_has_no_outline():
    assert outlines("a word") == []
