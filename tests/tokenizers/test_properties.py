"""What holds for the tokenizers of ABC whatever they are given; test_midi.py has those of MIDI."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbotunes.music.abc.tune import AbcTune
from symbotunes.tokenizers.abc import AbcTokens
from symbotunes.tokenizers.abc_bpe import AbcBpe
from symbotunes.tokenizers.base import Unencodable
from symbotunes.tokenizers.windows import Drums, Melody, Trio

REEL = "X:1\nM:4/4\nL:1/8\nK:Ddor\n|: D2 A>B c2 (3ABc | d2 ^f2 [DA]2 z2 :|1 A4- A4 :|2 A8 |]\n"
RANDOM = settings(max_examples=80, deadline=None, derandomize=True)


def byte_pairs():
    made = AbcBpe(vocabulary_size=300)
    made.fit_ids(made.tokenize(AbcTune("a#1", REEL)) * 3)
    return made


PUBLISHED, PAIRS = AbcTokens("folk_rnn"), byte_pairs()
OF_ABC = pytest.mark.parametrize("tokenizer", [PUBLISHED, PAIRS], ids=["abc_tokens", "abc_bpe"])
OF_GRIDS = pytest.mark.parametrize("tokenizer", [Melody(), Melody(16, "midi"), Drums(), Trio()])


@OF_ABC
@RANDOM
@given(data=st.data())
def test_any_ids_can_be_read_back_and_rendered(tokenizer, data):
    size = tokenizer.vocabulary.size
    ids = data.draw(st.lists(st.integers(0, size - 1), max_size=60))
    tokens = tokenizer.decode(ids)
    rendition = tokenizer.render(tokens, "Noise")
    assert isinstance(bytes(rendition.score.dumps_midi()), bytes)
    assert rendition.abc.startswith("X:1\n")


@RANDOM
@given(st.lists(st.sampled_from([token for token in PUBLISHED.tokens if token[0] != "<"])))
def test_every_row_of_published_tokens_comes_back(tokens):
    assert PUBLISHED.decode(PUBLISHED.encode(tokens)) == tokens


@RANDOM
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_every_text_comes_back_from_byte_pairs(text):
    ids = PAIRS.encode([text])
    assert all(0 <= index < PAIRS.vocabulary.size for index in ids)
    if text.isascii():
        assert "".join(PAIRS.decode(ids)) == text


@OF_ABC
@RANDOM
@given(text=st.text(max_size=60))
def test_any_prompt_becomes_ids_or_is_refused(tokenizer, text):
    with contextlib.suppress(ValueError):
        ids = tokenizer.prompt(f"M:4/4 K:C {text}")
        assert all(0 <= index < tokenizer.vocabulary.size for index in ids)


@OF_ABC
@RANDOM
@given(text=st.text(max_size=120))
def test_any_tune_is_tokenized_or_refused(tokenizer, text):
    with contextlib.suppress(Unencodable):
        assert tokenizer.tokenize(AbcTune("any#1", f"X:1\nM:4/4\nK:C\n{text}\n"))


@OF_ABC
def test_the_state_travels_as_json(tokenizer):
    other = AbcBpe() if tokenizer is PAIRS else AbcTokens()
    other.load_state(json.loads(json.dumps(dict(tokenizer.state()))))
    assert other.vocabulary == tokenizer.vocabulary


@OF_GRIDS
def test_a_grid_has_nothing_to_learn(tokenizer):
    assert tokenizer.state() == {}
    assert tokenizer.fitted
