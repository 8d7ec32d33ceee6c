"""What counts as a grammar error: none in music, most of random ids."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbotunes.datasets.synthetic import trio
from symbotunes.music.grid.melody import silent_offs
from symbotunes.music.midi.piece import MidiPiece
from symbotunes.tokenizers.abc import FOLK_RNN, AbcTokens
from symbotunes.tokenizers.abc_bpe import AbcBpe
from symbotunes.tokenizers.base import GrammarCheck
from symbotunes.tokenizers.midi import MidiTokens
from symbotunes.tokenizers.windows import Drums, Melody, Trio

SCHEMES = ["REMI", "TSD", "MIDILike", "Structured"]
SPECIAL = 3  # ids of MidiTok that are padding, begin and end of a piece


@pytest.fixture(scope="module")
def pieces():
    return [MidiPiece(f"{i}.mid", trio(random.Random(i)).dumps_midi()) for i in range(3)]


def checked(tokenizer, ids):
    return tokenizer.render(tokenizer.decode([int(index) for index in ids]), "").grammar


@pytest.mark.parametrize("scheme", SCHEMES)
def test_random_midi_ids_are_as_wrong_as_miditok_says(scheme):
    tokenizer = MidiTokens(scheme)
    checks = []
    for seed in range(20):
        ids = np.random.default_rng(seed).integers(SPECIAL, len(tokenizer.base), 200)
        checks.append(checked(tokenizer, ids))
        assert checks[-1].tokens == 200
        share = tokenizer.miditok.tokens_errors(ids.tolist())
        assert checks[-1].errors / 200 == pytest.approx(share)
    assert 0.7 < sum(check.errors for check in checks) / (20 * 200) < 0.84
    assert all(check.errors for check in checks)  # no tune is well-formed


@pytest.mark.parametrize("scheme", SCHEMES)
def test_midi_pieces_have_no_errors_and_one_wrong_token_makes_one(scheme, pieces):
    tokenizer = MidiTokens(scheme)
    for piece in pieces:
        (ids,) = tokenizer.tokenize(piece)
        assert checked(tokenizer, ids) == GrammarCheck(0, len(ids))
    tokens = tokenizer.decode(ids)
    place = next(i for i, token in enumerate(tokens) if token.startswith("Velocity"))
    wrong = [*tokens[: place + 1], tokens[place], *tokens[place + 1 :]]  # twice in a row
    rendition = tokenizer.render(wrong, "")
    assert rendition.grammar == GrammarCheck(1, len(ids) + 1)
    assert "break the grammar" in rendition.problems[0]


def test_merged_tokens_are_checked_as_what_they_were_merged_of(pieces):
    plain = MidiTokens("REMI")
    examples = [ids for piece in pieces for ids in plain.tokenize(piece)]
    merged = MidiTokens("REMI", bpe_vocab=len(plain.base) + 50)
    merged.fit_ids(examples)
    ids = np.random.default_rng(1).integers(SPECIAL, len(plain.base), 300)
    shorter = merged.recode(np.concatenate([examples[0], ids]))
    assert len(shorter) < len(examples[0]) + len(ids)
    assert checked(merged, shorter) == checked(plain, np.concatenate([examples[0], ids]))


@pytest.mark.parametrize(
    ("tune", "errors"),
    [
        ("M:4/4 K:Cmaj C 8 | D 8 |", 0),
        ("M:4/4 K:Cmaj C 2 | D 3 |", 0),  # wrong bars are another figure
        ("M:4/4 K:Cmaj C 2 2 | D 8 2 |", 2),  # a second duration, twice
        ("K:Cmaj C 8 |", 1),  # no meter
        ("M:4/4 K:Cmaj C 8", 1),  # no last bar sign
        ("M:4/4 K:Cmaj ] C 8 | ] D 8 | ]", 3),
        ("M:4/4 K:Cmaj (3 C D | E 8 |", 1),  # cut short by the bar sign
        ("M:4/4 K:Cmaj |: C 8 |: D 8 |", 2),  # opened twice, never closed
        ("", 3),  # no meter, key and note
    ],
)
def test_errors_of_abc_tokens_by_hand(tune, errors):
    rendition = AbcTokens(vocabulary="folk_rnn").render(tune.split(), "")
    assert rendition.grammar == GrammarCheck(errors, len(tune.split()))
    assert bool(rendition.problems) == bool(errors)


def test_random_abc_tokens_are_full_of_errors():
    tokenizer = AbcTokens(vocabulary="folk_rnn")
    rng = random.Random(0)
    checks = [tokenizer.render(rng.choices(FOLK_RNN, k=150), "").grammar for _ in range(30)]
    assert all(check.errors for check in checks)
    assert 0.2 < sum(check.errors for check in checks) / (30 * 150) < 0.6


def test_a_stretch_of_text_that_cannot_be_read_is_a_token_and_an_error():
    tokenizer = AbcBpe(300)
    text = "M:4/4\nL:1/8\nK:Cmaj\nC8|D8|\n"
    tokenizer.fit_ids([np.frombuffer(text.encode(), np.uint8)])
    assert tokenizer.render([text], "").grammar == GrammarCheck(0, 8)
    broken = text.replace("D8", "D?$8")
    assert tokenizer.render([broken], "").grammar == GrammarCheck(1, 6)  # D?$8| is left out


@given(st.lists(st.integers(0, 3), max_size=20))
def test_note_offs_in_silence_are_counted_step_by_step(ids):
    sounding, errors = False, 0
    for step in ids:
        errors += step == 1 and not sounding
        sounding = (sounding and step == 0) or step > 1
    assert silent_offs(np.array(ids, np.int64)) == errors


def test_windows_of_music_have_no_errors_and_those_of_random_steps_do(pieces):
    for tokenizer in (Melody(bars=2), Trio(bars=4)):
        windows = [ids for piece in pieces for ids in tokenizer.tokenize(piece)]
        assert windows
        assert {tokenizer.check(ids).errors for ids in windows} == {0}
        assert tokenizer.check(windows[0]).tokens == windows[0].size
        noise = np.random.default_rng(0).integers(0, 3, windows[0].shape)
        assert tokenizer.check(noise).errors > 0
        assert tokenizer.render_ids(noise, "").grammar == tokenizer.check(noise)
    assert Drums().check(np.arange(32)) is None
