import pytest
import symusic

from symbotunes.errors import UserError
from symbotunes.generation.arrival.plans import AccompanyPlan
from symbotunes.generation.latent.prior import PriorPlan
from symbotunes.generation.latent.reconstruct import ReconstructPlan
from symbotunes.generation.output import Output, arranged
from symbotunes.generation.sample import Composition, Sample
from symbotunes.generation.sequences.harmonize import HarmonizePlan
from symbotunes.generation.sequences.infill import InfillPlan
from symbotunes.generation.sequences.plan import SamplePlan
from symbotunes.generation.sequences.prompts import read_prompt, read_prompt_file
from symbotunes.music.abc.playback import score_of
from symbotunes.music.abc.text import from_abc
from symbotunes.tokenizers.abc import AbcTokens

JIG = "X:1\nT:Sample 1\nM:6/8\nL:1/8\nK:Gmaj\n|: G3 GAB | A3 ABd :|\n"


def sample_of(score, abc=None):
    return Sample("sample_01", "Sample 1", score, abc, 9, 1.0, 9, True, 7)


def rearranged(sample, **settings):
    composition = Composition((sample,), strip=(("A", sample.score),))
    return arranged(composition, Output(**settings))


@pytest.fixture
def jig():
    return sample_of(score_of(from_abc(JIG)), JIG)


@pytest.fixture
def scale():
    """D major by its notes alone."""
    score = symusic.Score(480)
    track = symusic.Track(program=0)
    for index, pitch in enumerate((62, 66, 69, 74, 73, 71, 69, 67, 66, 64, 62)):
        track.notes.append(symusic.Note(480 * index, 480, pitch, 90))
    score.tracks.append(track)
    return sample_of(score)


def test_notes_abc_and_strip_are_arranged_alike(jig):
    composition = rearranged(jig, tempo=90, instrument="flute", transpose=2)
    (sample,) = composition.samples
    (track,) = sample.score.tracks
    assert [note.pitch for note in track.notes[:4]] == [69, 69, 71, 73]
    assert track.program == 73
    assert sample.score.tempos[0].qpm == pytest.approx(135, abs=0.01)
    for line in ("Q:3/8=90", "%%MIDI program 73", "K:Amaj"):
        assert line in sample.abc.splitlines()
    assert composition.strip == (("A", sample.score),)
    assert composition.facts == {
        "tempo": "90 beats per minute", "instrument": "Flute", "transposed": "2 semitones up",
    }  # fmt: skip


def test_a_plan_that_asks_for_nothing_leaves_everything(jig):
    composition = Composition((jig,))
    assert arranged(composition, Output()) is composition


def test_the_tempo_of_a_prompt_holds_unless_another_is_asked_for(jig):
    composition = Composition((jig,), tempo=120)
    (sample,) = arranged(composition, Output()).samples
    assert sample.score.tempos[0].qpm == pytest.approx(120, abs=0.01)
    assert "Q:3/8=80" in sample.abc.splitlines()
    (sample,) = arranged(composition, Output(tempo=60)).samples
    assert sample.score.tempos[0].qpm == pytest.approx(90, abs=0.01)


def test_a_score_without_a_signature_is_moved_from_the_key_that_is_heard(scale):
    (sample,) = rearranged(scale, key="F").samples
    assert [note.pitch for note in sample.score.tracks[0].notes[:3]] == [65, 69, 72]


def test_a_score_with_a_signature_is_moved_from_its_key(scale):
    scale.score.key_signatures.append(symusic.KeySignature(0, 2, 1))  # B minor
    (sample,) = rearranged(scale, key="C").samples
    assert sample.score.tracks[0].notes[0].pitch == 63


def test_a_sample_that_cannot_be_moved_stays_and_says_why(scale):
    scale.score.tracks[0].notes.append(symusic.Note(0, 480, 126, 90))
    (sample,) = rearranged(scale, transpose=5, tempo=60).samples
    assert sample.notes == ("stays in its key: MIDI pitch 131 is out of range",)
    assert sample.score.tracks[0].notes[0].pitch == 62
    assert sample.score.tempos[0].qpm == pytest.approx(60, abs=0.01)


@pytest.mark.parametrize(
    "plan",
    [
        SamplePlan, PriorPlan, lambda **sound: HarmonizePlan(input="a.abc", **sound),
        lambda **sound: InfillPlan(input="a.abc", bars=1, **sound),
        lambda **sound: AccompanyPlan(input="a.mid", track=1, **sound),
        lambda **sound: ReconstructPlan(input="a.mid", **sound),
    ],
)  # fmt: skip
def test_every_plan_has_the_settings_of_sound(plan):
    assert plan(tempo=90).arrangement.beats_per_minute == 90
    with pytest.raises(UserError, match="sample.tempo=0: must be from 10 to 500 beats"):
        plan(tempo=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tempo": "fast"}, "sample.tempo=fast: must be from 10 to 500 beats per minute, or null"),
        ({"tempo": float("nan")}, "sample.tempo=nan: must be"),
        ({"transpose": 2.5}, "sample.transpose=2.5: must be from -48 to 48 whole semitones"),
        ({"transpose": 2, "key": "G"}, "sample.transpose and sample.key: give only one of them"),
        ({"key": "H"}, "sample.key=H: must be a tonic such as G, Bb or F#"),
        ({"key": "Gmin"}, "sample.key=Gmin: must be a tonic"),
        ({"instrument": "flutte"}, "the nearest are Flute"),
    ],
)
def test_settings_that_make_no_sense_are_refused_in_one_line(settings, message):
    with pytest.raises(UserError, match=message):
        Output(**settings)


def test_pages_name_the_file_of_a_prompt_without_its_folder():
    plan = SamplePlan(input="/home/anna/tunes/kesh.abc")
    assert plan.facts["prompt"] == "first 4 bars of kesh.abc"


@pytest.fixture(scope="module")
def abc_tokens():
    return AbcTokens(vocabulary="folk_rnn")


def test_prompts_typed_or_from_a_file_give_their_tempo(abc_tokens, tmp_path):
    typed = read_prompt(abc_tokens, "M:6/8 Q:3/8=80 K:Cmaj G3")
    assert (typed.tempo, read_prompt(abc_tokens, "M:6/8 K:Cmaj G3").tempo) == (120, None)
    path = tmp_path / "kesh.abc"
    path.write_text(JIG.replace("K:", "Q:3/8=90\nK:"))
    assert read_prompt_file(abc_tokens, path, 1).tempo == 135
