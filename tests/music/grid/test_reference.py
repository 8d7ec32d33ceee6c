"""Agreement with MusicVAE's own extraction, row by row, on files made to be awkward.

``reference.npz`` holds 39 random MIDI files (overlaps, re-strikes, strays, odd resolutions, several
tempos and meters, long rests, program changes inside tracks, type 0) and what the reference makes
of them: note-seq 0.0.5 (with pretty_midi 0.2.11, mido 1.3.3) `midi_to_note_sequence`, then the
converters of Magenta 526d3eb, `magenta/models/music_vae/data.py`, in evaluation mode with
``max_tensors_per_notesequence=None``: `OneHotMelodyConverter` with max_bars 100 and slice_bars 2
(programs 0 to 31; also after `NoteSequenceAugmenter` by -5, 7 and 60 semitones), 16 (all programs)
and 1 (pitches 0 to 127), `DrumsConverter` with slice_bars 2 and 9 or 61 drums, `TrioConverter` with
gap_bars 2 and slice_bars 16 and 4. All files are concatenated, and so are all rows; ``*_counts``
tells them apart. note-seq itself would bring 36 packages into continuous integration.
"""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from symbotunes.music.grid.drums import SIXTY_ONE_DRUMS, drum_windows
from symbotunes.music.grid.melody import ALL_PITCHES, melody_windows
from symbotunes.music.grid.quantize import quantize
from symbotunes.music.grid.trio import trio_windows
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.notes import read_midi

EXTRACTIONS = {
    "melody_2bar": melody_windows,
    "melody_16bar": partial(melody_windows, bars=16, programs=None),
    "melody_1bar130": partial(melody_windows, bars=1, programs=None, classes=ALL_PITCHES),
    "melody_2bar-5": partial(melody_windows, transpose=-5),
    "melody_2bar+7": partial(melody_windows, transpose=7),
    "melody_2bar+60": partial(melody_windows, transpose=60),
    "drums_2bar": drum_windows,
    "drums_full": partial(drum_windows, kit=SIXTY_ONE_DRUMS),
    "trio_16bar": trio_windows,
    "trio_4bar": partial(trio_windows, bars=4),
}


@pytest.fixture(scope="module")
def reference():
    with np.load(Path(__file__).with_name("reference.npz")) as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def files(reference):
    found = []
    for data in np.split(reference["midi"], np.cumsum(reference["midi_counts"])[:-1]):
        try:
            found.append(quantize(read_midi(data.tobytes())))
        except MidiError:  # no bar of 4/4
            found.append(None)
    return found


@pytest.mark.parametrize("name", EXTRACTIONS)
def test_the_same_rows_are_extracted(name, reference, files):
    counts = reference[f"{name}_counts"]
    expected = np.split(reference[name], np.cumsum(counts)[:-1])
    assert counts.sum() >= 90
    for grid, rows in zip(files, expected, strict=True):
        if grid is None:
            assert len(rows) == 0
            continue
        found = EXTRACTIONS[name](grid).rows
        if name.startswith("trio"):
            assert found.tolist() == rows.tolist()  # in the same order, repetitions included
        else:
            assert sorted(found.tolist()) == sorted(rows.tolist())
