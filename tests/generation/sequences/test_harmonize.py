"""Melodies in four voices: what is given stays, and what cannot be read is named."""

import pytest
import torch

from symbotunes.errors import UserError
from symbotunes.generation.compose import compose
from symbotunes.generation.sequences.given_voice import GivenSoprano
from symbotunes.generation.sequences.harmonize import HarmonizePlan
from symbotunes.models.performance_rnn import PerformanceRNN
from symbotunes.models.voice_rnn import VoiceRNN
from symbotunes.music.chorale.layout import EOS, REST, VoiceLayout
from symbotunes.tokenizers.chorale_grid import ChoraleGrid
from symbotunes.tokenizers.performance import Performance

TUNE = """X:1
T:A Tune
M:3/4
L:1/4
K:G
D|G G/2A/2 B|[K:G]z d2|"""


@pytest.fixture
def tune(tmp_path):
    path = tmp_path / "tune.abc"
    path.write_text(TUNE)
    return path


def harmonize(path, *, holds=False, seed=3, **options):
    tokenizer = ChoraleGrid(holds=holds)
    torch.manual_seed(0)
    net = VoiceRNN(tokenizer.vocabulary, width=8, embedding=4, hidden=8)
    plan = HarmonizePlan(input=str(path), **options)
    return compose(net, plan, tokenizer=tokenizer, seed=seed)


def voice(sample, number):
    return [(n.time, n.duration, n.pitch) for n in sample.score.tracks[number].notes]


@pytest.mark.parametrize("holds", [False, True])
def test_the_soprano_is_the_melody_with_its_repeated_notes_and_its_upbeat(tune, holds):
    """In quarters of 480 ticks; the upbeat ends the first bar. D4 is 62."""
    composition = harmonize(tune, holds=holds, num=2)
    assert len(composition.samples) == 2
    for sample in composition.samples:
        assert voice(sample, 0) == [
            (960, 480, 62), (1440, 480, 67), (1920, 240, 67), (2160, 240, 69), (2400, 480, 71),
            (3360, 960, 74),
        ]  # fmt: skip
        assert [track.name for track in sample.score.tracks] == ["Soprano", "Alto", "Tenor", "Bass"]
        assert [len(track.notes) > 0 for track in sample.score.tracks] == [True] * 4
        assert [(m.time, m.numerator, m.denominator) for m in sample.score.time_signatures] == [
            (0, 3, 4)
        ]
        assert sample.tokens == 4 * 28  # four voices, seven quarters
        assert sample.finished
    first, second = composition.samples
    assert voice(first, 3) != voice(second, 3)
    assert composition.inputs == {"melody": "A Tune: 28 sixteenths"}


def test_a_seed_writes_the_same_voices_again_whatever_is_beside_them(tune):
    _, second = harmonize(tune, num=2).samples
    (alone,) = harmonize(tune, seeds=[second.seed]).samples
    assert [voice(alone, number) for number in range(4)] == [
        voice(second, number) for number in range(4)
    ]


def test_the_likelihood_is_that_of_all_voices_and_the_end(tune):
    (sample,) = harmonize(tune, num=1).samples
    assert sample.generated == 4 * 28 + 1
    # An untrained network is near uniform, of which no forced note knows.
    assert sample.nll_nats / sample.generated == pytest.approx(3.89, abs=0.15)  # ln 49


@pytest.mark.parametrize(
    ("notes", "shift"), [("G,2 A,2", 12), ("c'2 d'2", -12), ("C2 g2", 0), ("D, E,", 12)]
)
def test_a_melody_moves_by_octaves_into_the_range_of_a_soprano(tmp_path, notes, shift):
    path = tmp_path / "tune.abc"
    path.write_text(f"X:1\nT:A\nM:4/4\nL:1/4\nK:C\n{notes}|")
    composition = harmonize(path, num=1)
    lowest = min(pitch for _, _, pitch in voice(composition.samples[0], 0))
    assert lowest >= 60
    assert composition.inputs["melody"].endswith(
        f"moved by {shift} semitones" if shift else "sixteenths"
    )


def test_a_melody_that_fits_in_no_octave_is_moved_by_the_least_interval(tmp_path):
    """A3 to e5, 57 to 76: an octave up would end above the soprano's highest note, 81."""
    path = tmp_path / "tune.abc"
    path.write_text("X:1\nT:A\nM:4/4\nL:1/4\nK:C\nA,2 e2|")
    assert harmonize(path, num=1).inputs["melody"].endswith("moved by 3 semitones")


def test_a_track_of_a_midi_file_is_chosen_by_name(tune, tmp_path):
    (sample,) = harmonize(tune, num=1).samples
    path = tmp_path / "four.mid"
    sample.score.dump_midi(path)
    (again,) = harmonize(path, num=1, track="soprano").samples
    assert voice(again, 0) == voice(sample, 0)


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        (TUNE, {"tune": 2}, "there is no tune 2"),
        (TUNE, {"track": 1}, "sample.track chooses a track of a MIDI file"),
        ("X:1\nT:A\nM:4/4\nL:1/4\nK:C\nC,, c'|", {}, "its range is wider than that of a soprano"),
        ("X:1\nT:A\nM:4/4\nL:1/4\nK:C\n[CE] G|", {}, "not a melody"),
        ("X:1\nT:A\nM:4/4\nL:1/4\nK:C\nz4|", {}, "no notes"),
    ],
)
def test_what_cannot_be_harmonized_is_named(tmp_path, text, options, reason):
    path = tmp_path / "tune.abc"
    path.write_text(text)
    with pytest.raises(UserError, match=reason):
        harmonize(path, **options)
    with pytest.raises(UserError, match="there is no such file"):
        harmonize(tmp_path / "none.abc")


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"num": 0}, "sample.num=0"), ({"top_p": 0}, "top_p=0"), ({"seeds": []}, "sample.seeds")],
)
def test_values_out_of_range_are_refused(options, reason):
    with pytest.raises(UserError, match=reason):
        HarmonizePlan(input="tune.abc", **options)


def test_a_model_of_other_music_is_refused(tune):
    tokenizer = Performance()
    net = PerformanceRNN(tokenizer.vocabulary, widths=[4])
    with pytest.raises(UserError, match="chorale_grid"):
        compose(net, HarmonizePlan(input=str(tune)), tokenizer=tokenizer, seed=0)


def test_the_constraint_frees_three_voices_of_each_step_and_forces_the_rest():
    layout = VoiceLayout(60, 62)  # ids: begin, end, silence, three pitches
    voices = GivenSoprano(layout, [4, REST])
    state = voices.begin([], voices.tokens)
    allowed = []
    while state < voices.tokens:
        (row,) = voices.allowed([state], [1])
        allowed.append(row.nonzero().flatten().tolist())
        state = voices.advance(state, 0)
    free = [[REST, 3, 4, 5]] * 3
    assert allowed == [[4], *free, [REST], *free, [EOS]]
    with pytest.raises(ValueError, match="9 are needed"):
        voices.begin([], 8)
    with pytest.raises(ValueError, match="without a prompt"):
        voices.begin([3], 9)
