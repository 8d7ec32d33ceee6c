"""Files as the world writes them, each with the notes that are right.

Beside every ``NAME.abc`` of ``tests/files/abc`` lies ``NAME.notes``: for each tune its notes as
onset and length in quarters, and semitones above its first note, written down by hand from what
the notation means. They are no output of this program.
"""

from pathlib import Path

import pytest

from symbotunes.music.abc.files import read_tunes
from symbotunes.music.abc.playback import phrase_notes

FOLDER = Path(__file__).parents[2] / "files" / "abc"
CASES = sorted(FOLDER.glob("*.abc"))


def expected(path):
    tunes = path.with_suffix(".notes").read_text(encoding="utf-8").split("# notes of tune")[1:]
    lines = [tune.splitlines()[1:] for tune in tunes]
    return [
        [(float(onset), float(length), int(pitch)) for onset, length, pitch in map(str.split, tune)]
        for tune in lines
    ]


def heard(tune):
    notes = sorted(phrase_notes(tune.phrase_in("C")), key=lambda note: (note.onset, note.pitch))
    first = notes[0].pitch
    return [
        (round(float(note.onset), 2), round(float(note.duration), 2), note.pitch - first)
        for note in notes
    ]


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_the_notes_of_a_file_are_the_right_ones(path):
    assert [heard(tune) for tune in read_tunes(path, "cases")] == expected(path)
