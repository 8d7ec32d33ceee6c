"""ABC tunes as MIDI: what is notated is what sounds."""

import pytest

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.convert import midi_of


def tune(body="GA Bc|d2 D2|", meter="4/4", key="G", extra="", **fields):
    return AbcTune("x", f"X:1\nT:t\n{extra}M:{meter}\nL:1/8\nK:{key}\n{body}\n", **fields)


def test_notes_keep_their_key_and_length():
    score = midi_of(tune()).score
    assert score.ticks_per_quarter == 480
    assert [(note.start, note.duration, note.pitch) for note in score.tracks[0].notes] == [
        (960, 240, 67),  # four eighths are an upbeat: the second half of a bar
        (1200, 240, 69),
        (1440, 240, 71),
        (1680, 240, 72),
        (1920, 480, 74),
        (2400, 480, 62),
    ]


def test_repeats_are_played_out():
    assert len(midi_of(tune("|:GABc:|")).score.tracks[0].notes) == 8


@pytest.mark.parametrize(("meter", "expected"), [("6/8", (6, 8)), ("3/4", (3, 4)), ("C|", (2, 2))])
def test_the_meter_is_kept(meter, expected):
    (found,) = midi_of(tune(meter=meter)).score.time_signatures
    assert (found.numerator, found.denominator) == expected


@pytest.mark.parametrize(
    ("extra", "quarters"),
    [
        ("Q:1/4=100\n", 100.0),
        ("Q:3/8 = 110\n", 165.0),
        ('Q:"Lively" 1/2=60\n', 120.0),
        ("", 120.0),
        ("Q:120\n", 120.0),
        ("Q:1/0=100\n", 120.0),
        ("Q:1/4=999\n", 120.0),
        ("% Q:1/4=60\n", 120.0),
    ],
)
def test_the_tempo_is_kept_where_the_tune_names_its_beat(extra, quarters):
    (tempo,) = midi_of(tune(extra=extra)).score.tempos
    assert tempo.qpm == pytest.approx(quarters, abs=0.01)


def test_provenance_and_split_go_along():
    piece = midi_of(tune(title="T", collection="C", split="val", family=b"kin"))
    assert (piece.id, piece.title, piece.collection) == ("x", "T", "C")
    assert (piece.split, piece.family) == ("val", b"kin")


def test_a_tune_published_as_tokens_is_played_as_it_is():
    piece = midi_of(AbcTune("x", "no ABC", tokens=("M:4/4", "K:Cmaj", "C", "2", "E", "2", "|")))
    assert [note.pitch for note in piece.score.tracks[0].notes] == [60, 64]


def test_what_cannot_be_read_has_a_reason():
    with pytest.raises(AbcError):
        midi_of(AbcTune("x", "no ABC at all"))


def test_the_same_tune_in_another_key_has_the_same_content_as_abc():
    assert tune("GABc", key="G").content() == tune("ABcd", key="A").content()
    assert tune("GABc").content() != tune("GABd").content()
