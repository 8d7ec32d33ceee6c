"""Beginnings from MIDI files: which bars and tracks they hold."""

from pathlib import Path

import pytest
import symusic

from symbotunes.errors import UserError
from symbotunes.generation.sequences.plan import SamplePlan
from symbotunes.generation.sequences.prompts import read_prompt_file
from symbotunes.music.excerpt import read_excerpt
from symbotunes.tokenizers.midi import MidiTokens
from tests.tokenizers.midi_scores import notes_of, piece_of
from tests.tokenizers.test_midi_bars import CASES, OF_CONF

UPBEAT = CASES / "f20_prompt_with_upbeat.mid"
SCHEMES = ["REMI", "TSD", "MIDILike", "Structured"]


def heard(tokenizer, path, bars, track=None):
    """(onset in quarters, pitch) of every note of a prompt."""
    tokens = tokenizer.decode(tokenizer.prompt_from(Path(path), bars, track))
    score = tokenizer.render(tokens, "").score
    return sorted((note.time / score.tpq, note.pitch) for t in score.tracks for note in t.notes)


def written(path, begin, end):
    """The same of a file, from one quarter to another, counted from the first."""
    score = symusic.Score(str(path))
    notes = [(note.time / score.tpq, note.pitch) for t in score.tracks for note in t.notes]
    return sorted((at - begin, pitch) for at, pitch in notes if begin <= at < end)


@pytest.mark.parametrize("options", [OF_CONF, {"scheme": "REMI"}], ids=["today", "before"])
def test_the_upbeat_is_not_counted(options):
    found = heard(MidiTokens(**options), UPBEAT, 4)
    assert len(found) == 1 + 5 + 3 + 7 + 3
    assert found == written(UPBEAT, 0, 17)


@pytest.mark.parametrize(
    ("bars", "begin", "end"), [("0-1", 0, 5), ("1-2", 1, 9), ("3", 9, 13), ("7-8", 25, 33)]
)
def test_bars_are_those_of_the_notation(bars, begin, end):
    found = heard(MidiTokens(**OF_CONF), UPBEAT, read_excerpt("bars", bars))
    assert found == written(UPBEAT, begin, end)


def test_several_ranges_follow_one_another():
    found = heard(MidiTokens(**OF_CONF), UPBEAT, read_excerpt("bars", ["1-2", 7]))
    later = [(at + 8, pitch) for at, pitch in written(UPBEAT, 25, 29)]
    assert found == written(UPBEAT, 1, 9) + later


@pytest.fixture
def song(tmp_path):
    tune = [(8 * beat, 8, 60 + beat, 99) for beat in range(8)]
    score = piece_of({0: tune, 33: [(at, 8, 40, 99) for at, *_ in tune]}).score
    for track, name in zip(score.tracks, ("Lead", "Bass"), strict=True):
        track.name = name
    path = tmp_path / "song.mid"
    score.dump_midi(path)
    return path


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_track_is_chosen_by_name_or_number(scheme, song):
    tokenizer = MidiTokens(scheme)
    for track in ("bass", 2):
        tokens = tokenizer.decode(tokenizer.prompt_from(song, 1, track))
        assert {note[0] for note in notes_of(tokenizer.render(tokens, "").score)} == {33}


@pytest.mark.parametrize(
    ("bars", "track", "message"),
    [
        ("9-12", None, "it has bars 1 to 2, no bar 9"),
        ("1", "Flute", "no track Flute: it has 1 Lead, 2 Bass"),
    ],
)
def test_what_a_file_does_not_have_is_refused_by_name(song, bars, track, message):
    tokenizer = MidiTokens()
    with pytest.raises(UserError, match=f"sample.input=.*song.mid: {message}"):
        read_prompt_file(
            tokenizer, song, read_excerpt("bars", bars), track=track, key="sample.input"
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input": "a.mid", "prompt_file": "b.mid"}, "sample.prompt_file and sample.input: give"),
        ({"bars": "1-2"}, "sample.bars and sample.track choose from a file: give sample.input"),
        ({"input": "a.mid", "bars": "x"}, "sample.bars=x: not a bar or bars"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        SamplePlan(**options)


def test_the_facts_of_a_sample_name_what_it_continues():
    plan = SamplePlan(input="a.mid", bars=["1-2", 7], track="Bass")
    assert plan.facts["prompt"] == "bars 1-2, bar 7 of track Bass of a.mid"
    assert SamplePlan(prompt_file="a.mid").facts["prompt"] == "first 4 bars of a.mid"
