"""Arrival times as a tokenizer: which files become examples, and the way back."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from symbotunes.data.batches.loading import framed
from symbotunes.errors import UserError
from symbotunes.music.arrival.vocabulary import AUTOREGRESS, SEPARATOR, SIZE
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.music.midi.writing import write_midi
from symbotunes.paths import CONF
from symbotunes.tokenizers.arrival import ArrivalTimes
from symbotunes.tokenizers.base import NO_ID, Unencodable
from tests.music.events import midi as midi_of
from tests.music.events import notes, program

FILES = Path(__file__).parent.parent / "files" / "arrival"
CONFIG = yaml.safe_load((CONF / "transforms" / "arrival_times.yaml").read_text())["arrival_times"]
CONFIG.pop("_target_")
REST = 27_512


def arrival_times(**options):
    return ArrivalTimes(**(CONFIG | options))


def midi(*tracks):
    return midi_of(*tracks, ticks_per_quarter=480)


def piece(name):
    return MidiPiece(name, (FILES / f"{name}.mid").read_bytes())


def line(count, gap=960, channel=0):
    """A note every second, of half a second."""
    spans = ((gap * at, gap * at + 480, 60 + at % 12) for at in range(count))
    return notes(*spans, channel=channel)


@pytest.fixture(scope="module")
def tokenizer():
    return arrival_times()


@pytest.mark.parametrize("tokenizer", [arrival_times()], ids=["ArrivalTimes"])
def test_an_example_is_what_the_authors_make_of_the_file_with_rests(tokenizer):
    (ids,) = tokenizer.tokenize(piece("instruments_15_with_drums"))
    triplets = ids.reshape(-1, 3)
    with np.load(FILES / "files.npz") as stored:
        events = stored["instruments_15_with_drums|events"]
    assert triplets[triplets[:, 2] != REST].tolist() == events.tolist()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("few_99_notes", "fewer than 100 notes (min_events)"),
        ("short_4s", "the last note begins before 10 s (min_seconds)"),
        ("instruments_17", "more than 16 instruments (max_instruments)"),
    ],
)
def test_files_that_the_authors_leave_out_are_left_out(tokenizer, name, reason):
    with np.load(FILES / "files.npz") as stored:
        assert stored[f"{name}|status"] > 0
    with pytest.raises(Unencodable) as caught:
        tokenizer.tokenize(piece(name))
    assert caught.value.reason == reason


def test_files_that_the_authors_keep_are_kept(tokenizer):
    for name in ("just_100_notes", "instruments_16_no_drums", "instruments_16_with_drums"):
        assert len(tokenizer.tokenize(piece(name))) == 1


def test_a_file_of_more_than_an_hour_and_one_without_notes_are_left_out(tokenizer):
    long = midi(line(100, gap=960 * 37))  # the last note begins at 99 * 37 = 3,663 s
    with pytest.raises(Unencodable, match="after 3600 s"):
        tokenizer.tokenize(MidiPiece("long", long))
    with pytest.raises(Unencodable, match="fewer than 100 notes"):
        tokenizer.tokenize(MidiPiece("silent", midi([program(0, 1)])))
    with pytest.raises(Unencodable, match="truncated"):
        tokenizer.tokenize(MidiPiece("broken", midi(line(100))[:-5]))


def test_a_piece_of_five_minutes_has_ids_of_the_vocabulary_and_keeps_all_its_notes(tokenizer):
    data = midi([program(0, 40), *line(150, gap=1920)])  # a note every two seconds
    (ids,) = tokenizer.tokenize(MidiPiece("x", data))
    assert ids.max() < SIZE
    assert np.count_nonzero(ids == REST) == 149  # one a second, none at a note
    score = tokenizer.render_ids(ids, "x").score
    (track,) = score.tracks
    assert (track.program, len(track.notes)) == (40, 150)
    seconds = np.array([note.start for note in track.notes]) / 1000  # a tick is 1 ms
    assert seconds.tolist() == [2.0 * at for at in range(150)]
    (again,) = tokenizer.tokenize(MidiPiece("x", write_midi(score).content))
    assert again.tolist() == ids.tolist()


def test_ids_and_names_are_one_to_one_and_their_kinds_are_known(tokenizer):
    assert len(set(tokenizer.names)) == tokenizer.vocabulary.size == SIZE
    ids = [0, 10_025, 11_000 + 128 * 73 + 60, REST, 27_511, 27_513, SEPARATOR]
    names = tokenizer.decode([AUTOREGRESS, *ids])
    assert names == [
        "Time_0", "Duration_25", "Note_73_60", "Rest", "Drum_127", "Control_Time_0", "Separator",
    ]  # fmt: skip
    assert tokenizer.encode(names) == ids
    kinds = ["onset", "duration", "note", "note", "note", "control", "separator"]
    assert [tokenizer.token_class(name) for name in names] == kinds
    with pytest.raises(Unencodable, match="unknown token: Note_129_0"):
        tokenizer.encode(["Note_129_0"])


def test_examples_begin_with_the_flag_and_have_no_end(tokenizer):
    vocabulary = tokenizer.vocabulary
    assert (vocabulary.first, vocabulary.eos) == (AUTOREGRESS, NO_ID)
    ids, lengths = framed(np.arange(5), np.array([2, 3]), vocabulary)
    assert ids.tolist() == [AUTOREGRESS, 0, 1, AUTOREGRESS, 2, 3, 4]
    assert lengths.tolist() == [3, 4]


def test_ids_in_any_order_are_decoded_and_those_without_effect_counted(tokenizer):
    note = [100, 10_010, 11_060]
    control = [index + 27_513 for index in note]
    ids = [AUTOREGRESS, *[SEPARATOR] * 3, *note, 5, 10_010, *control, 0, 0, 11_060, *note, 3]
    rendition = tokenizer.render_ids(np.array(ids), "x")
    assert rendition.score.note_num() == 3
    assert rendition.grammar.errors == 2 + 3 + 1
    next_piece = [*[SEPARATOR] * 3, *note]
    rendition = tokenizer.render_ids(np.array([*note, *next_piece]), "x")
    assert (rendition.score.note_num(), rendition.grammar.errors) == (1, 0)
    assert tokenizer.render_ids(np.zeros(0, np.int64), "x").score.note_num() == 0
    assert tokenizer.render(["Time_1", "Duration_1", "Note_0_60", "x"], "x").score.note_num() == 1


def test_the_bars_of_a_file_are_a_prompt_however_short(tokenizer, tmp_path):
    path = tmp_path / "a.mid"
    path.write_bytes(midi(line(8)))  # two notes a bar of 4/4 at 120 quarters per minute
    ids = tokenizer.prompt_from(path, 2)
    assert [ids[0::3], ids[2::3]] == [[0, 100, 200, 300], [11_060, 11_061, 11_062, 11_063]]
    with pytest.raises(ValueError, match="cannot be typed"):
        tokenizer.prompt("C D E")


def test_cut_notes_are_a_remark(tokenizer):
    assert tokenizer.remarks(piece("long_notes_and_silence")) == ["notes of 10 s or more: cut"]
    assert tokenizer.remarks(piece("just_100_notes")) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_events": -1}, "min_events"),
        ({"min_seconds": 20, "max_seconds": 10}, "must be from 0 to max_seconds=10"),
    ],
)
def test_values_out_of_range_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        arrival_times(**options)


def test_files_of_other_instruments_are_left_out_where_some_are_chosen():
    chosen = arrival_times(instruments=[73, 0], min_events=3, min_seconds=0)
    flute = midi([program(0, 73), *line(4)])
    organ = midi([program(0, 19), *line(4)])
    (ids,) = chosen.tokenize(MidiPiece("flute", flute))
    (same,) = arrival_times(min_events=3, min_seconds=0).tokenize(MidiPiece("flute", flute))
    assert ids.tolist() == same.tolist()
    assert chosen.vocabulary.occurs(ids).all()
    with pytest.raises(Unencodable, match="not among transforms.arrival_times.instruments"):
        chosen.tokenize(MidiPiece("organ", organ))


def test_chosen_instruments_leave_the_ids_as_they_are_and_fewer_of_them():
    vocabulary = arrival_times(instruments=[1, "drums"]).vocabulary
    assert (vocabulary.size, vocabulary.first) == (SIZE, AUTOREGRESS)
    # Times, durations and notes of two instruments, twice, a rest, a separator and two flags.
    assert vocabulary.rows == 2 * (10_000 + 1_000 + 2 * 128) + 1 + 3
    notes_of_1, drums = 11_000 + 128, 11_000 + 128 * 128
    ids = [0, notes_of_1, drums, REST, 27_513 + notes_of_1, SEPARATOR, AUTOREGRESS, SIZE - 1]
    assert vocabulary.occurs(np.array(ids)).all()
    assert not vocabulary.occurs(np.array([11_000, notes_of_1 + 128, 27_513 + 11_000])).any()
