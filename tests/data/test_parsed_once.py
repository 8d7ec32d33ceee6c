"""Work that is done once: each tune is parsed and normalized once, whatever is asked of it."""

import pickle
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest
import symusic

from symbotunes.data.preparation.encode import Encoder
from symbotunes.datasets.abc_folder import AbcFiles
from symbotunes.datasets.folk_rnn import FolkRnnData
from symbotunes.datasets.midi_folder import MidiFolder
from symbotunes.music.abc import phrases
from symbotunes.music.abc import tune as tunes
from symbotunes.music.abc.keys import parse_key
from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.midi import piece as midi_piece
from symbotunes.music.midi.smf import walk
from symbotunes.tokenizers.abc import AbcTokens, rendition_in
from symbotunes.tokenizers.abc_bpe import AbcBpe
from symbotunes.tokenizers.midi import MidiTokens
from symbotunes.tokenizers.windows import Melody
from symbotunes.transforms.conversion import AbcToMidi
from symbotunes.transforms.midi_augmentation import TimeStretch, TransposeMidi, Velocity
from tests.tokenizers.midi_scores import piece_of

TWO_TUNES = """X:1
T:One
M:4/4
L:1/8
K:G
|:GABc d2(3efg|a2g2 f2>e2:|

X:2
T:Two
M:4/4
L:1/8
K:Ddor
D2E2 F2G2-|G2A2 d4|
"""
TUNE = AbcTune("x", TWO_TUNES.partition("\n\n")[0])


@pytest.fixture
def calls(monkeypatch):
    """How often a text, a parsed tune and a list of tokens are worked on, by function."""
    counts = Counter()

    def counted(module, name):
        own = getattr(module, name)

        def count(*args, **kwargs):
            counts[name] += 1
            return own(*args, **kwargs)

        monkeypatch.setattr(module, name, count)

    counted(tunes, "parse")
    counted(tunes, "plain_form")
    counted(phrases, "_read")
    return counts


@pytest.mark.parametrize(
    ("steps", "tokenizer"),
    [
        ([], AbcTokens()),
        ([], AbcTokens(root="keep")),
        ([], AbcBpe()),
        ([AbcToMidi()], Melody()),
    ],
    ids=["tokens on C", "tokens in their keys", "byte pairs", "melody"],
)
def test_preparation_parses_and_normalizes_each_tune_once(tmp_path, calls, steps, tokenizer):
    path = tmp_path / "book.abc"
    path.write_text(TWO_TUNES)
    part = Encoder(AbcFiles(path), steps, tokenizer).encode([path])
    assert not part.reasons
    assert calls == {"parse": 2, "plain_form": 2}


def test_published_tokens_are_parsed_once_for_families_and_for_notes(tmp_path, calls):
    path = tmp_path / "data_v2"
    path.write_text("M:4/4\nK:Cmaj\n|: G 2 A 2 B 2 c 2 | c 8 :|\n")
    corpus = FolkRnnData(path, None)
    assert not Encoder(corpus, [], AbcTokens("folk_rnn")).encode([path]).reasons
    assert calls == {"_read": 1}
    assert not Encoder(corpus, [AbcToMidi()], Melody()).encode([path]).reasons
    assert calls == {"_read": 2}


@pytest.mark.parametrize(
    ("tokenizer", "tokens"),
    [
        (AbcTokens("folk_rnn"), ["M:4/4", "K:Cmaj", "C", "8", "|"]),
        (AbcBpe(), ["M:4/4\n", "L:1/8\nK:Cmaj\n", "C8|"]),
    ],
    ids=["tokens", "byte pairs"],
)
def test_all_forms_of_a_sample_come_from_parsing_its_tokens_once(calls, tokenizer, tokens):
    rendition = tokenizer.render(tokens, "A tune")
    moved = rendition_in(parse_key("D"), rendition, "A tune in D")
    assert rendition.abc.endswith("K:Cmaj\nC8 |]\n")
    assert moved.abc.endswith("K:Dmaj\nD8 |]\n")
    assert (moved.bars, moved.right_bars, moved.problems) == (1, 1, ())
    assert [note.pitch for note in moved.score.tracks[0].notes] == [62]
    assert calls == {"_read": 1}


class Recorder:
    """A score step that changes nothing and remembers what passed through it."""

    SCHEMA = 1
    FORMAT = "midi"

    def __init__(self):
        self.pieces = []

    def __call__(self, piece):
        self.pieces.append(piece)
        return [piece]


@pytest.fixture
def midi_calls(monkeypatch):
    """How often a file is walked over and parsed."""
    counts = Counter()

    def count_walk(data):
        counts["walk"] += 1
        return walk(data)

    def count_parse(data):
        counts["parse"] += 1
        return symusic.Score.from_midi(data)

    score = SimpleNamespace(from_midi=count_parse)
    monkeypatch.setattr(midi_piece, "symusic", SimpleNamespace(Score=score))
    monkeypatch.setattr(midi_piece, "walk", count_walk)
    return counts


TIMES_AND_PITCHES = [(8 * quarter, 8, 60 + quarter, 80) for quarter in range(16)]


def test_versions_of_a_midi_file_pass_from_step_to_step_without_a_file(tmp_path, midi_calls):
    path = tmp_path / "a.mid"
    path.write_bytes(piece_of({0: TIMES_AND_PITCHES}).data)
    last = Recorder()
    steps = [TransposeMidi([0, 2, 5]), TimeStretch([1, 2]), Velocity([0, 9]), last]
    part = Encoder(MidiFolder(path), steps, MidiTokens("TSD")).encode([path])
    assert not part.reasons
    assert len(part.lengths) == 12
    assert midi_calls == {"walk": 1, "parse": 1}
    unchanged, *changed = last.pieces
    assert unchanged.data == path.read_bytes()
    assert not any(isinstance(version.music, bytes) for version in changed)  # never written


def test_windows_of_a_midi_file_come_from_walking_over_it_once(tmp_path, midi_calls):
    path = tmp_path / "a.mid"
    path.write_bytes(piece_of({0: TIMES_AND_PITCHES}).data)
    assert not Encoder(MidiFolder(path), [], Melody()).encode([path]).reasons
    assert midi_calls == {"walk": 1, "parse": 1}


def test_what_was_parsed_of_midi_stays_here_when_it_is_sent_to_another_process():
    piece = piece_of({0: TIMES_AND_PITCHES})
    before = pickle.dumps(piece)
    piece.content()
    assert pickle.dumps(piece) == before


def test_what_was_parsed_stays_here_when_a_tune_is_sent_to_another_process():
    tune = AbcTune(TUNE.id, TUNE.text)
    before = pickle.dumps(tune)
    tune.content()
    assert pickle.dumps(tune) == before
    assert pickle.loads(pickle.dumps(tune)) == TUNE


def test_the_same_music_under_another_label_is_not_parsed_again(calls):
    tune = AbcTune(TUNE.id, TUNE.text)
    labeled = replace(tune, id="y", split="val")
    assert labeled.content() == tune.content()
    assert calls == {"parse": 1, "plain_form": 1}
    other = replace(tune, text=TUNE.text.replace("GABc", "ABcd"))
    assert other.content() != tune.content()
