"""Prompts of MIREX's generation task, continued by models of every kind of MIDI tokens."""

import json

import pytest
import symusic
import torch

from symbotunes.errors import UserError
from symbotunes.generation.compose import compose
from symbotunes.generation.sequences.decoded import to_sample
from symbotunes.generation.sequences.generate import Generated
from symbotunes.generation.sequences.mirex import settings_for, with_generations
from symbotunes.generation.sequences.plan import SamplePlan
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.models.gpt2 import GPT2
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.tokenizers.abc import AbcTokens
from symbotunes.tokenizers.arrival import ArrivalTimes
from symbotunes.tokenizers.midi import MidiTokens
from symbotunes.tokenizers.performance import Performance

PIECE = [  # start, pitch and duration in sixteenths of a note every two beats, the pickup silent
    {"start": start, "pitch": 48 + start // 8 % 12, "duration": 4} for start in range(16, 272, 8)
]
PROMPT = [note for note in PIECE if note["start"] < 80]
TOKENIZERS = {
    "remi": lambda: MidiTokens("REMI", {"use_time_signatures": True}, meters="drop"),
    "tsd": lambda: MidiTokens("TSD"),
    "performance": lambda: Performance(min_events=1, piece_seconds=None, max_events=5000),
    "arrival_times": lambda: ArrivalTimes(min_events=1),
}


def tokenizer_of(name):
    tokenizer = TOKENIZERS[name]()
    if name in ("remi", "tsd"):
        tokenizer.fit_ids([])
    return tokenizer


@pytest.fixture
def prompt(tmp_path):
    path = tmp_path / "prompt.json"
    path.write_text(json.dumps({"prompt": PROMPT}))
    return path


@pytest.fixture(scope="module")
def nets():
    torch.manual_seed(0)
    return {
        "remi": lambda vocabulary: GPT2(vocabulary, width=8, depth=1, heads=1, context=2048),
        "arrival_times": lambda vocabulary: GPT2(vocabulary, width=8, depth=1, heads=1, context=64),
    }


def score_of(notes):
    score = symusic.Score(480)
    score.tempos.append(symusic.Tempo(0, 120))
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    track = symusic.Track()
    for note in notes:
        track.notes.append(
            symusic.Note(120 * note["start"], 120 * note["duration"], note["pitch"], 80)
        )
    score.tracks.append(track)
    return score


@pytest.mark.parametrize("name", TOKENIZERS)
def test_what_follows_the_prompt_is_where_it_was_whatever_the_tokens_leave_out(name, prompt):
    tokenizer = tokenizer_of(name)
    (ids,) = tokenizer.tokenize(MidiPiece("", score_of(PIECE)))
    whole = Generated([int(i) for i in ids], 0, 0.0, 0, True)
    beginning = tokenizer.prompt_from(prompt, 5)
    samples = [to_sample(tokenizer, whole, 0, 1)]
    (sample,) = with_generations(tokenizer, prompt, beginning, samples)
    expected = [note for note in PIECE if note["start"] >= 80]
    assert json.loads(sample.mirex) == {"generation": expected}
    assert not any("bars are empty" in note for note in sample.notes)


@pytest.mark.parametrize("name", ["remi", "arrival_times"])
def test_a_model_continues_a_prompt_and_writes_the_tasks_json(name, prompt, nets):
    tokenizer = tokenizer_of(name)
    net = nets[name](tokenizer.vocabulary)
    plan = SamplePlan(num=2, input=str(prompt), max_tokens=60)
    for sample in compose(net, plan, tokenizer=tokenizer, seed=1).samples:
        (notes,) = json.loads(sample.mirex).values()
        assert all(80 <= note["start"] < note["start"] + note["duration"] <= 272 for note in notes)
        heard = {
            (round(4 * note.time / sample.score.tpq), note.pitch)
            for track in sample.score.tracks
            for note in track.notes
        }
        shift = 16 if name == "remi" else 0  # REMI leaves out the silent pickup
        assert {(note["start"] - shift, note["pitch"]) for note in PROMPT} <= heard
        assert {(note["start"] - shift, note["pitch"]) for note in notes} <= heard
        (flags,) = (marks for marks in sample.given if any(marks))
        assert sum(flags) == len(PROMPT)


def test_a_continuation_that_ends_early_is_remarked_on(prompt):
    tokenizer = tokenizer_of("remi")
    (ids,) = tokenizer.tokenize(MidiPiece("", score_of(PIECE[:-2])))
    whole = Generated([int(i) for i in ids], 0, 0.0, 0, True)
    beginning = tokenizer.prompt_from(prompt, 5)
    (sample,) = with_generations(tokenizer, prompt, beginning, [to_sample(tokenizer, whole, 0, 1)])
    assert sample.notes[-1].startswith("the last 1 of 12 bars are empty: ")


@pytest.mark.parametrize("setting", [{"bars": 2}, {"seconds": 3}, {"until": 2}, {"track": 1}])
def test_the_task_says_how_much_is_continued(setting):
    with pytest.raises(UserError, match=r"sample\.\w+: of a\.json, a prompt of MIREX, all is read"):
        settings_for(tokenizer_of("arrival_times"), SamplePlan(input="a.json", **setting))


def test_wrong_prompts_and_models_of_abc_are_refused_in_one_line(prompt):
    tokenizer = AbcTokens(vocabulary="folk_rnn")
    folk = FolkRNN(tokenizer.vocabulary, width=8, depth=1)
    with pytest.raises(UserError, match=r"can only continue \.abc files"):
        compose(folk, SamplePlan(input=str(prompt)), tokenizer=tokenizer, seed=1)
    tokenizer = tokenizer_of("arrival_times")
    net = GPT2(tokenizer.vocabulary, width=8, depth=1, heads=1, context=64)
    prompt.write_text('{"prompt": []}')
    with pytest.raises(UserError, match=r"prompt\.json: the prompt has no notes") as error:
        compose(net, SamplePlan(input=str(prompt)), tokenizer=tokenizer, seed=1)
    assert "\n" not in str(error.value)
