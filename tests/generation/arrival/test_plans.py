"""Continuing, accompanying and filling in MIDI files with an untrained network."""

from dataclasses import replace
from pathlib import Path

import pytest
import symusic
import torch

from symbotunes.errors import UserError
from symbotunes.generation.arrival.plans import AccompanyPlan, FillPlan
from symbotunes.generation.compose import compose
from symbotunes.generation.sequences.infill import InfillPlan
from symbotunes.generation.sequences.plan import SamplePlan
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.models.gpt2 import GPT2
from symbotunes.tokenizers.abc import AbcTokens
from symbotunes.tokenizers.arrival import ArrivalTimes

FILES = Path(__file__).parents[2] / "files" / "arrival"
FLUTE, BASS = 73, 32


@pytest.fixture(scope="module")
def tokenizer():
    return ArrivalTimes()


@pytest.fixture(scope="module")
def net(tokenizer):
    torch.manual_seed(0)
    net = GPT2(tokenizer.vocabulary, width=8, depth=1, heads=1, context=64)
    with torch.no_grad():  # likely times are soon after the last one, as of a trained network
        net.embed.weight[:10_000, 0] = 2 - torch.arange(10_000) / 250
        net.norm.bias[0] = 10
    return net


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """Ten bars of 2 s: a flute on every beat of 0.5 s, a bass on every bar."""
    score = symusic.Score(480)
    score.tempos.append(symusic.Tempo(0, 120))
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    flute = symusic.Track(name="Flute", program=FLUTE)
    for beat in range(40):
        flute.notes.append(symusic.Note(480 * beat, 240, 60 + beat % 12, 90))
    bass = symusic.Track(name="Bass", program=BASS)
    for bar in range(10):
        bass.notes.append(symusic.Note(1920 * bar, 960, 40, 90))
    score.tracks.append(flute)
    score.tracks.append(bass)
    path = tmp_path_factory.mktemp("midi") / "song.mid"
    score.dump_midi(path)
    return path


def notes(score, program=None):
    """Onset in units of 10 ms, pitch and program of every note of a sample."""
    return sorted(
        (note.time // 10, note.pitch, track.program)
        for track in score.tracks
        for note in track.notes
        if program is None or track.program == program
    )


FLUTES = [(50 * beat, 60 + beat % 12, FLUTE) for beat in range(40)]
BASSES = [(200 * bar, 40, BASS) for bar in range(10)]


def samples(net, tokenizer, plan, seed=1):
    return compose(net, plan, tokenizer=tokenizer, seed=seed).samples


def test_a_continuation_keeps_what_it_continues_and_lasts_as_asked(net, tokenizer, song):
    plan = SamplePlan(num=2, input=str(song), until=6.0, seconds=3.0)
    first, second = samples(net, tokenizer, plan)
    given = sorted(FLUTES[:12] + BASSES[:3])
    for sample in (first, second):
        written = [note for note in notes(sample.score) if note[0] >= 600]
        assert notes(sample.score)[: len(given)] == given
        assert written
        assert written[-1][0] < 900
        assert sample.generated % 3 == 0
    assert notes(first.score) != notes(second.score)


def given_notes(sample):
    """What a sample marks as given, in the form of `notes`."""
    return sorted(
        (note.time // 10, note.pitch, track.program)
        for track, flags in zip(sample.score.tracks, sample.given, strict=True)
        for note, is_given in zip(track.notes, flags, strict=True)
        if is_given
    )


@pytest.mark.parametrize(
    ("plan", "given"),
    [
        (
            lambda path: SamplePlan(num=1, input=path, until=6.0, seconds=3.0),
            FLUTES[:12] + BASSES[:3],
        ),
        (lambda path: AccompanyPlan(input=path, track="flute", num=1, seconds=8.0), FLUTES),
        (
            lambda path: InfillPlan(input=path, num=1, bars=[2, 5], instruments=[BASS]),
            FLUTES + [note for note in BASSES if note[0] not in (200, 800)],
        ),
    ],
    ids=["continue", "accompany", "infill"],
)
def test_what_was_given_is_marked(net, tokenizer, song, plan, given):
    (sample,) = samples(net, tokenizer, plan(str(song)))
    assert given_notes(sample) == sorted(given)
    assert set(notes(sample.score)) - set(given)


def test_bars_are_continued_as_with_any_model(net, tokenizer, song):
    (sample,) = samples(net, tokenizer, SamplePlan(num=1, input=str(song), bars="1-2", seconds=1.0))
    assert set(FLUTES[:8] + BASSES[:2]) <= set(notes(sample.score))
    assert set(notes(sample.score)).isdisjoint(FLUTES[8:] + BASSES[2:])


def test_a_sample_depends_on_its_seed_alone(net, tokenizer):
    three = samples(net, tokenizer, SamplePlan(num=3, max_tokens=60))
    again = samples(net, tokenizer, SamplePlan(seeds=[three[2].seed], max_tokens=60), seed=9)
    assert notes(three[2].score) == notes(again[0].score)
    assert three[2].generated == 60


def test_an_accompaniment_has_its_track_and_only_the_instruments_asked_for(net, tokenizer, song):
    plan = AccompanyPlan(input=str(song), track="flute", num=1, seconds=8.0, instruments=[0, 40])
    (sample,) = samples(net, tokenizer, plan)
    assert notes(sample.score, FLUTE) == FLUTES
    others = [note for note in notes(sample.score) if note[2] != FLUTE]
    assert others
    assert {program for _, _, program in others} <= {0, 40}
    assert others[-1][0] < 800


@pytest.mark.parametrize("chosen", [{"span": "6-8"}, {"bars": 4}], ids=str)
def test_a_gap_is_filled_and_the_rest_stays(net, tokenizer, song, chosen):
    (sample,) = samples(net, tokenizer, InfillPlan(input=str(song), num=1, **chosen))
    outside = [note for note in sorted(FLUTES + BASSES) if not 600 <= note[0] < 800]
    kept = [note for note in notes(sample.score) if not 600 <= note[0] < 800]
    assert kept == outside
    inside = [note for note in notes(sample.score) if 600 <= note[0] < 800]
    assert inside
    assert inside != [note for note in sorted(FLUTES + BASSES) if 600 <= note[0] < 800]


def test_two_gaps_of_one_instrument_leave_the_others(net, tokenizer, song):
    plan = InfillPlan(input=str(song), num=1, bars=[2, 5], instruments=[FLUTE])
    (sample,) = samples(net, tokenizer, plan)
    assert notes(sample.score, BASS) == BASSES
    spans = ((200, 400), (800, 1000))
    kept = [n for n in notes(sample.score, FLUTE) if not any(a <= n[0] < b for a, b in spans)]
    assert kept == [n for n in FLUTES if not any(a <= n[0] < b for a, b in spans)]
    assert {track.program for track in sample.score.tracks} == {FLUTE, BASS}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: AccompanyPlan(input=path, track="Tuba"), "no track Tuba: it has 1 Flute, 2"),
        (lambda path: FillPlan(input=path, span="40-50"), "40-50 s lies behind the last note"),
        (lambda path: FillPlan(input=path, bars="11-12"), "it has bars 1 to 10, no bar 11"),
        (lambda path: FillPlan(input=path), r"needs sample.span=10-15 \(seconds\) or sample.bars"),
        (
            lambda path: FillPlan(input=path, span="6.1-6.3", instruments=["drums"]),
            r"no notes of instruments \[128\] begin in 6.1-6.3 s",
        ),
        (lambda path: FillPlan(input=path, span="0.1-0.3"), "no notes begin in 0.1-0.3 s"),
        (lambda path: FillPlan(input=path + "x", span="1-2"), "there is no such file"),
        (
            lambda _: FillPlan(input=str(FILES / "instruments_17.mid"), span="1-2"),
            "it has 17 instruments, and the model knows at most 16",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(net, tokenizer, song, make, message):
    with pytest.raises(UserError, match=message) as error:
        samples(net, tokenizer, make(str(song)))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"span": "5"}, "write seconds as 10-15"),
        ({"span": "5-2"}, "must end after it begins"),
        ({"span": "1-2", "instruments": [129]}, "129 must be a General MIDI program"),
        ({"span": "1-2", "instruments": []}, "name at least one instrument"),
        ({"span": "1-2", "top_p": 2}, "top_p=2 must be"),
    ],
)
def test_settings_out_of_range_are_refused_before_anything_is_read(settings, message):
    with pytest.raises(UserError, match=message):
        FillPlan(input="a.mid", **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"until": 3.0}, "sample.until=3.0 is for sample.input=FILE without sample.bars"),
        ({"seconds": 0}, "sample.seconds=0: must be above 0"),
        ({"slide": 0}, "sample.slide"),
    ],
)
def test_times_of_a_plain_plan_are_checked(settings, message):
    with pytest.raises(UserError, match=message):
        SamplePlan(**settings)


def test_other_models_refuse_what_only_arrival_times_can_do(song):
    tokenizer = AbcTokens(vocabulary="folk_rnn")
    folk = FolkRNN(tokenizer.vocabulary, width=8, depth=1)
    with pytest.raises(UserError, match="sample=accompany needs a model of arrival times"):
        samples(folk, tokenizer, AccompanyPlan(input=str(song), track=1))
    with pytest.raises(UserError, match="sample.seconds: the model does not write arrival times"):
        samples(folk, tokenizer, SamplePlan(seconds=3.0))
    with pytest.raises(UserError, match="sample.span: the model does not write arrival times"):
        samples(folk, tokenizer, InfillPlan(input=str(song), span="1-2"))


def test_a_network_without_a_window_cannot_write_arrival_times(tokenizer):
    with pytest.raises(UserError, match="FolkRNN cannot write arrival times"):
        samples(FolkRNN(tokenizer.vocabulary, width=8, depth=1), tokenizer, SamplePlan(num=1))


@pytest.mark.parametrize(
    ("plan", "unknown"),
    [
        (SamplePlan(num=1, seconds=1.0), "32"),
        (AccompanyPlan(input="", track="Bass", num=1), "32"),
        (AccompanyPlan(input="", track="Flute", num=1, instruments=["drums"]), "drums"),
    ],
)
def test_instruments_that_a_network_has_no_weights_for_are_named(song, plan, unknown):
    flutes = ArrivalTimes(instruments=[FLUTE, 0])
    net = GPT2(flutes.vocabulary, width=8, depth=1, heads=1, context=64)
    with pytest.raises(UserError, match=f"not learned instruments {unknown} .* it knows 0, 73$"):
        samples(net, flutes, replace(plan, input=str(song)))


def test_a_network_of_few_instruments_writes_only_these(song):
    torch.manual_seed(1)
    known = ArrivalTimes(instruments=[FLUTE, BASS])
    net = GPT2(known.vocabulary, width=8, depth=1, heads=1, context=64)
    plan = AccompanyPlan(input=str(song), track="Flute", num=1, max_tokens=60)
    (sample,) = samples(net, known, plan)
    assert {track.program for track in sample.score.tracks} <= {FLUTE, BASS}
    assert len(notes(sample.score, FLUTE)) >= len(FLUTES)
