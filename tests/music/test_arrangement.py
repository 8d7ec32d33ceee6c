from fractions import Fraction

import pytest
import symusic

from symbotunes.errors import UserError
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import parse_key
from symbotunes.music.abc.text import from_abc, in_one_key
from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.arrangement import Arrangement, arranged_abc, arranged_score
from symbotunes.music.convert import midi_of
from symbotunes.music.midi.instruments import program_of
from symbotunes.music.tempo import beat_of, tempo_in

JIG = "X:3\nT:Kesh\nM:6/8\nL:1/8\nK:Gmaj\n|: G3 GAB | A3 ABd :|\n"


@pytest.mark.parametrize(
    ("meter", "beat"),
    [("4/4", "1/4"), ("2/2", "1/2"), ("6/8", "3/8"), ("9/8", "3/8"), ("7/8", "1/8"),
     ("3/4", "1/4"), ("none", "1/4")],
)  # fmt: skip
def test_the_beat_of_a_compound_meter_is_three_of_its_units(meter, beat):
    assert beat_of(meter) == Fraction(beat)


def test_tempo_and_instrument_stand_in_the_head_and_the_tokens_stay():
    arranged = arranged_abc(JIG, Arrangement(beats_per_minute=90, program=73))
    assert arranged.splitlines()[:4] == ["X:3", "T:Kesh", "Q:3/8=90", "%%MIDI program 73"]
    assert from_abc(arranged) == from_abc(JIG)
    assert tempo_in(arranged) == 135  # quarters


def test_a_tempo_replaces_another():
    twice = arranged_abc(
        arranged_abc(JIG, Arrangement(beats_per_minute=90)), Arrangement(beats_per_minute=70)
    )
    assert [line for line in twice.splitlines() if line.startswith("Q:")] == ["Q:3/8=70"]


def test_the_tempo_of_a_prompt_is_given_in_quarters_and_written_in_beats():
    assert "Q:3/8=80\n" in arranged_abc(JIG, Arrangement(quarters_per_minute=120))


@pytest.mark.parametrize(
    ("arrangement", "key", "first_bar"),
    [
        (Arrangement(semitones=2), "K:Amaj", "|: A3 ABc |"),
        (Arrangement(tonic=parse_key("F")), "K:Fmaj", "|: F3 FGA |"),
        (Arrangement(tonic=parse_key("Gb")), "K:Gbmaj", "|: G3 GAB |"),
        (Arrangement(semitones=-1), "K:F#maj", "|: F3 FGA |"),
    ],
)
def test_a_tune_moves_with_its_signature(arrangement, key, first_bar):
    lines = arranged_abc(JIG, arrangement).splitlines()
    assert lines[:2] == ["X:3", "T:Kesh"]
    assert key in lines
    assert lines[-1].startswith(first_bar)


def test_a_tune_keeps_its_mode_in_another_key():
    dorian = JIG.replace("K:Gmaj", "K:Ador")
    assert "K:Cdor" in arranged_abc(dorian, Arrangement(tonic=parse_key("C")))


def test_notes_that_cannot_be_moved_say_why():
    with pytest.raises(AbcError, match="a pitch beyond hearing"):
        arranged_abc(JIG, Arrangement(semitones=-84))


def test_files_with_these_lines_are_read_and_engraved():
    arranged = arranged_abc(JIG, Arrangement(beats_per_minute=90, program=73))
    tune = AbcTune("a", arranged)
    assert tune.tokens_in("keep") == AbcTune("b", JIG).tokens_in("keep")
    score = symusic.Score.from_midi(midi_of(tune).music)
    assert score.tempos[0].qpm == pytest.approx(135, abs=0.01)
    head = in_one_key(arranged.replace("A3", "[K:Amaj] A3")).splitlines()[:4]
    assert head == arranged.splitlines()[:4]


@pytest.fixture
def band():
    """A melody on C in two flats, and a drum."""
    score = symusic.Score(480)
    score.tempos.extend([symusic.Tempo(0, 120), symusic.Tempo(960, 60)])
    score.key_signatures.append(symusic.KeySignature(0, -2, 0))
    for is_drum, pitch in ((False, 60), (True, 36)):
        track = symusic.Track(program=0, is_drum=is_drum)
        track.notes.append(symusic.Note(0, 480, pitch, 90))
        score.tracks.append(track)
    return score


def test_a_score_has_one_tempo_another_program_and_key_and_the_same_drums(band):
    arrangement = Arrangement(beats_per_minute=90, program=73, semitones=3)
    arranged = arranged_score(band, arrangement, meter="6/8", semitones=3)
    assert [(tempo.time, tempo.qpm) for tempo in arranged.tempos] == [
        (0, pytest.approx(135, abs=0.01))
    ]
    assert [track.program for track in arranged.tracks] == [73, 0]
    assert [track.notes[0].pitch for track in arranged.tracks] == [63, 36]
    assert arranged.key_signatures[0].key == -5  # of B flat to D flat
    assert band.tracks[0].notes[0].pitch == 60  # which was copied


def test_a_score_leaves_midi_s_range_in_no_silence(band):
    with pytest.raises(ValueError, match="MIDI pitch 130 is out of range"):
        arranged_score(band, Arrangement(), meter="4/4", semitones=70)


@pytest.mark.parametrize(
    ("name", "program"),
    [("Flute", 73), ("flute", 73), (73, 73), ("73", 73), ("piano", 0), ("violin", 40),
     ("acoustic guitar (steel)", 25), ("tenor sax", 66), (0, 0)],
)  # fmt: skip
def test_an_instrument_has_a_name_words_of_it_or_a_number(name, program):
    assert program_of("sample.instrument", name) == program


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("flutte", "sample.instrument=flutte: .*; the nearest are Flute"),
        ("vioin", "the nearest are Viol"),
        (128, "must be a General MIDI program from 0 to 127 or the name of its instrument$"),
        ("qqq", "name of its instrument$"),
        ("", "name of its instrument$"),
    ],
)
def test_an_unknown_instrument_is_refused_with_the_nearest(name, message):
    with pytest.raises(UserError, match=message):
        program_of("sample.instrument", name)
