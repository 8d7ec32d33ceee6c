"""JSON of MIREX's generation task: what prompts say, and that all that is written is valid."""

import json

import pytest
import symusic
from hypothesis import given
from hypothesis import strategies as st

from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.piece import MidiPiece, read_midi_bytes
from symbotunes.music.mirex import generation_of, generation_text, read_prompt, shift_of

NOTES = [
    {"start": 12, "pitch": 72, "duration": 4},
    {"start": 16, "pitch": 48, "duration": 16},
    {"start": 16, "pitch": 69, "duration": 8},
    {"start": 79, "pitch": 60, "duration": 3},
]


def prompt(*notes):
    return json.dumps({"prompt": list(notes)}).encode()


def score_of(*notes, tpq=480, is_drum=False):
    """A score of notes (start, end, pitch) in ticks."""
    score = symusic.Score(tpq)
    track = symusic.Track(is_drum=is_drum)
    for start, end, pitch in notes:
        track.notes.append(symusic.Note(start, end - start, pitch, 90))
    score.tracks.append(track)
    return score


def test_a_prompt_is_piano_in_four_four_whose_first_bar_is_the_pickup(tmp_path):
    path = tmp_path / "prompt.json"
    path.write_bytes(prompt(*reversed(NOTES)))
    score = MidiPiece(path.name, read_midi_bytes(path)).score
    quarters = [
        (note.time / score.tpq, note.duration / score.tpq) for note in score.tracks[0].notes
    ]
    assert quarters == [(3, 1), (4, 4), (4, 2), (19.75, 0.75)]
    assert [note.pitch for note in score.tracks[0].notes] == [72, 48, 69, 60]
    (meter,) = score.time_signatures
    assert (meter.time, meter.numerator, meter.denominator) == (0, 4, 4)
    assert (score.tracks[0].program, score.tracks[0].is_drum) == (0, False)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "not JSON: "),
        (b"[" * 10_000, "not JSON: "),
        (b"[]", 'no list named "prompt"'),
        (b'{"prompt": {}}', 'no list named "prompt"'),
        (b'{"generation": []}', 'no list named "prompt"'),
        (b'{"prompt": []}', "the prompt has no notes"),
        (b'{"prompt": [1]}', "note 1 of the prompt is not an object"),
        (prompt(NOTES[0], {"start": 3, "pitch": 60}), "note 2 of the prompt: duration must be"),
        (prompt({**NOTES[0], "start": 80}), "start must be a whole number from 0 to 79"),
        (prompt({**NOTES[0], "start": -1}), "start must be a whole number from 0 to 79"),
        (prompt({**NOTES[0], "start": 1.5}), "start must be a whole number from 0 to 79"),
        (prompt({**NOTES[0], "pitch": 128}), "pitch must be a whole number from 0 to 127"),
        (prompt({**NOTES[0], "pitch": True}), "pitch must be a whole number from 0 to 127"),
        (prompt({**NOTES[0], "duration": 0}), "duration must be a whole number from 1 to 272"),
        (b" " * (2**20 + 1), "a prompt larger than 1 MiB"),
    ],
)
def test_wrong_prompts_are_refused_in_one_line(data, message):
    with pytest.raises(MidiError, match=message) as error:
        read_prompt(data)
    assert "\n" not in str(error.value)


def test_what_is_written_is_rounded_to_sixteenths_and_cut_at_the_last_bar():
    beat = 480  # ticks, so that a sixteenth has 120
    score = score_of(
        (19 * beat, 21 * beat, 60),  # begins in the prompt
        (20 * beat - 61, 21 * beat, 61),  # is rounded to before the generation
        (20 * beat - 60, 20 * beat + 179, 62),  # 79.5 to 81.49 steps
        (21 * beat, 21 * beat + 1, 63),  # is shorter than a step
        (67 * beat, 70 * beat, 64),  # lasts beyond the end
        (68 * beat - 60, 69 * beat, 65),  # is rounded to the end
        (22 * beat, 23 * beat, 66),
        (22 * beat + 10, 24 * beat, 66),  # begins with the note before and lasts longer
    )
    assert generation_of(score) == [
        {"start": 80, "pitch": 62, "duration": 1},
        {"start": 84, "pitch": 63, "duration": 1},
        {"start": 88, "pitch": 66, "duration": 8},
        {"start": 268, "pitch": 64, "duration": 4},
    ]
    assert generation_of(score_of((22 * beat, 23 * beat, 40), is_drum=True)) == []


MUSIC = st.lists(
    st.tuples(st.integers(0, 40_000), st.integers(0, 9_000), st.integers(0, 127)), max_size=30
)


@given(notes=MUSIC, tpq=st.sampled_from([1, 4, 12, 480, 500]), shift=st.integers(0, 79))
def test_any_score_gives_a_valid_generation(notes, tpq, shift):
    score = score_of(*((start, start + length, pitch) for start, length, pitch in notes), tpq=tpq)
    content = json.loads(generation_text(generation_of(score, shift)))
    assert list(content) == ["generation"]
    for note in content["generation"]:
        assert sorted(note) == ["duration", "pitch", "start"]
        assert {type(value) for value in note.values()} == {int}
        assert 80 <= note["start"] <= 271
        assert 1 <= note["duration"] <= 272 - note["start"]
        assert 0 <= note["pitch"] <= 127
    assert content["generation"] == sorted(
        content["generation"], key=lambda note: (note["start"], note["pitch"])
    )


def test_the_shift_is_that_of_most_notes():
    given_notes = read_prompt(prompt(*NOTES))
    step = 120
    later = score_of((0, step, 48), (0, step, 69), (63 * step, 64 * step, 60))  # without the pickup
    assert shift_of(given_notes, later) == 16
    assert shift_of(given_notes, given_notes) == 0
