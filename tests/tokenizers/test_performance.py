"""Performance events as a tokenizer: which pieces a file gives, and which are left out and why."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import yaml

from symbotunes.errors import UserError
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.paths import CONF
from symbotunes.tokenizers.base import NO_ID, Unencodable
from symbotunes.tokenizers.performance import Performance
from tests.music.events import midi, notes, program

FILES = Path(__file__).parent.parent / "files" / "performance"
NAMES = sorted(path.stem for path in FILES.glob("*.mid"))
CONFIG = yaml.safe_load((CONF / "transforms" / "performance.yaml").read_text())["performance"]
CONFIG.pop("_target_")


def performance(**options):
    return Performance(**(CONFIG | options))


def piece(name):
    return MidiPiece(name, (FILES / f"{name}.mid").read_bytes())


def expected(name):
    """The training pieces of Magenta's pipeline."""
    with np.load(FILES / f"{name}.npz") as stored:
        ends = np.cumsum(stored["training_piece_lengths"])
        return [part.tolist() for part in np.split(stored["training_pieces"], ends)[:-1]]


def line(count, channel=0):
    return notes(*((2 * at, 2 * at + 1, 60 + at % 12) for at in range(count)), channel=channel)


@pytest.mark.parametrize("tokenizer", [performance()], ids=["Performance"])
@pytest.mark.parametrize("name", NAMES)
def test_examples_are_the_training_pieces_of_the_authors(tokenizer, name):
    if examples := expected(name):
        assert [ids.tolist() for ids in tokenizer.tokenize(piece(name))] == examples
    else:
        with pytest.raises(Unencodable):
            tokenizer.tokenize(piece(name))


def test_whole_files_have_all_their_events():
    tokenizer = performance(piece_seconds=None, max_events=None, programs="any", min_events=1)
    for name in NAMES:
        (ids,) = tokenizer.tokenize(piece(name))
        with np.load(FILES / f"{name}.npz") as stored:
            assert ids.tolist() == stored["events_sustained"].tolist()


def test_the_pedal_and_velocities_can_be_ignored():
    plain = {"piece_seconds": None, "max_events": None, "programs": "any"}
    without_pedal = performance(sustain=False, **plain)
    without_velocity = performance(velocities=0, **plain)
    with np.load(FILES / "pedal_cases.npz") as stored:
        (ids,) = without_pedal.tokenize(piece("pedal_cases"))
        assert ids.tolist() == stored["events"].tolist()
        (ids,) = without_velocity.tokenize(piece("pedal_cases"))
        assert ids.tolist() == stored["events_sustained_no_velocity"].tolist()
    assert without_velocity.vocabulary.size == 356


@pytest.mark.parametrize(
    ("tracks", "reason"),
    [
        ([line(3)], "fewer than 32 events (min_events)"),
        ([[]], "no notes"),
        (
            [line(40), [program(0, 40, 1), *line(40, 1)]],
            "several instruments at once (programs=any reads them as one)",
        ),
    ],
)
def test_the_reason_says_why_a_file_gives_no_piece(tracks, reason):
    with pytest.raises(Unencodable) as caught:
        performance().tokenize(MidiPiece("made", midi(*tracks)))
    assert caught.value.reason == reason


def test_a_piano_leaves_out_pieces_beyond_its_keys():
    piano = performance(pitches=(21, 108), reserved=2)
    high = MidiPiece("made", midi(notes(*((2 * at, 2 * at + 1, 109) for at in range(40)))))
    with pytest.raises(Unencodable, match=r"notes outside of pitches 21 to 108 \(pitches\)"):
        piano.tokenize(high)
    (ids,) = piano.tokenize(MidiPiece("made", midi(line(40))))
    assert piano.begins_note(ids).sum() == 40
    assert piano.decode([0, 1, 2, 309]) == ["Reserved_0", "Reserved_1", "NoteOn_21", "Velocity_32"]
    assert (piano.vocabulary.size, piano.vocabulary.opening) == (310, 0)


def test_pieces_that_are_left_out_of_a_file_are_remarked_on():
    # Forty notes, half a minute of silence, three notes.
    long = [(2 * at, 2 * at + 1, 60) for at in range(40)]
    late = [(4 * (at + 130), 4 * (at + 131), 60) for at in range(3)]
    given = MidiPiece("made", midi(notes(*long, *late)))
    assert len(performance().tokenize(given)) == 1
    assert performance().remarks(given) == [
        "some pieces of 30 s: silence",
        "some pieces of 30 s: fewer than 32 events (min_events)",
    ]


def test_several_instruments_can_be_read_as_one():
    both = MidiPiece("made", midi(line(40), [program(0, 40, 1), *line(40, 1)]))
    (ids,) = performance(programs="any", max_events=None).tokenize(both)
    assert (ids < 128).sum() == 80


def test_a_performance_without_bars_is_at_home():
    data = (FILES.parent / "midi_cases" / "f09_performance_without_beats.mid").read_bytes()
    assert len(performance().tokenize(MidiPiece("free", data))) >= 1


def test_music_comes_back_with_its_times():
    tokenizer = performance(longest_note=None)
    (ids, *_) = tokenizer.tokenize(piece("pedal_one_track"))
    rendition = tokenizer.render_ids(ids, "")
    with np.load(FILES / "pedal_one_track.npz") as stored:
        rows = stored["decoded"]  # steps of 10 ms, pitch, velocity
    (track,) = rendition.score.tracks
    assert rendition.score.tpq == 500  # and 120 quarters per minute: a tick is 1 ms
    assert sorted((n.start, n.end, n.pitch, n.velocity) for n in track.notes) == sorted(
        (10 * start, 10 * end, pitch, velocity) for start, end, pitch, velocity in rows.tolist()
    )
    assert rendition.grammar.errors == 0


def test_notes_that_are_left_sounding_end():
    (track,) = performance().render(["NoteOn_60", *["TimeShift_100"] * 9], "").score.tracks
    assert [(note.start, note.end) for note in track.notes] == [(0, 5000)]


def test_tokens_are_named_and_classed():
    tokenizer = performance()
    names = tokenizer.decode([60, 128 + 60, 355, 387])
    assert names == ["NoteOn_60", "NoteOff_60", "TimeShift_100", "Velocity_32"]
    assert tokenizer.encode(names) == [60, 188, 355, 387]
    assert [tokenizer.token_class(name) for name in names] == [
        "pitch",
        "note off",
        "time shift",
        "velocity",
    ]


def test_pieces_have_no_ends_and_begin_after_a_second_of_silence():
    vocabulary = performance().vocabulary
    assert (vocabulary.size, vocabulary.bos, vocabulary.eos) == (388, NO_ID, NO_ID)
    assert performance().decode([vocabulary.first]) == ["TimeShift_100"]
    assert vocabulary.framed(np.array([60, 188])).tolist() == [60, 188]


def test_bars_of_a_file_can_be_continued():
    # In the file, a bar of 4/4 at 120 takes two seconds.
    ids = performance().prompt_from(FILES / "hops_silences_velocities.mid", 2)
    with np.load(FILES / "hops_silences_velocities.npz") as stored:
        assert ids == stored["events_sustained"][: len(ids)].tolist()
    played = performance().render_ids(np.array(ids), "").score.tracks[0].notes
    assert 0 < max(note.start for note in played) < 4000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"velocities": 128}, "velocities=128: must be at most 127"),
        ({"piece_seconds": 0.5}, "piece_seconds=0.5: must be at least 1, or null"),
        ({"min_events": 0}, "min_events=0"),
        ({"longest_note": 0}, "longest_note=0: must be above 0, or null"),
        ({"programs": "two"}, "programs=two: choose one or any"),
        ({"meter_tracks": "second"}, "meter_tracks=second: choose first or all"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        performance(**options)


def test_workers_receive_a_tokenizer_that_does_the_same():
    tokenizer = performance()
    copy = pickle.loads(pickle.dumps(tokenizer))
    given = piece("pedal_one_track")
    assert [ids.tolist() for ids in copy.tokenize(given)] == [
        ids.tolist() for ids in tokenizer.tokenize(given)
    ]
