"""Byte pairs of ABC text."""

import json

import pytest

from symbotunes.errors import UserError
from symbotunes.generation.sequences.prompts import read_prompt
from symbotunes.music.abc.keys import parse_key
from symbotunes.music.abc.tune import AbcTune
from symbotunes.tokenizers.abc_bpe import NUL, AbcBpe, readable, spaceless, text_of

REEL = """X:1
T:A reel
M:4/4
L:1/8
K:Ddor
|: D2 A>B c2 (3ABc | d2 ^f2 [DA]2 z/2A/2B :|1 A4- A4 :|2 A8 |]
"""
TUNE = AbcTune("a#1", REEL)


@pytest.fixture
def tokenizer():
    made = AbcBpe(vocabulary_size=300)
    made.fit_ids(made.tokenize(TUNE) * 3)
    return made


def characters_of(tokenizer):
    (example,) = tokenizer.tokenize(TUNE)
    return list(text_of(example))


def test_text_has_no_spaces_title_or_number(tokenizer):
    text = "".join(characters_of(tokenizer))
    assert text.startswith("M:4/4\nL:1/8\nK:Ddor\n")
    assert " " not in text
    assert "reel" not in text


def test_a_tune_published_as_tokens_keeps_its_durations(tokenizer):
    tokens = ("M:2/4", "K:Cmaj", "|:", "G", "2", "c", "3", "|", "B", "/2", "A", ":|")
    published = AbcTune("data_v2#1", "M:2/4\nK:Cmaj\n|: G 2 c 3 | B /2 A :|", tokens=tokens)
    (example,) = tokenizer.tokenize(published)
    assert text_of(example) == spaceless(tokens)
    read, unread = readable(text_of(example))
    assert (tuple(read), unread) == (tokens, [])


def test_ids_spell_the_text_again_and_are_fewer(tokenizer):
    characters = characters_of(tokenizer)
    ids = tokenizer.recode(*tokenizer.tokenize(TUNE)).tolist()
    assert len(ids) < len(characters) / 2
    assert "".join(tokenizer.decode(ids)) == "".join(characters)


def test_the_vocabulary_holds_every_byte_and_two_ids_that_no_text_has(tokenizer):
    vocabulary = tokenizer.vocabulary
    assert 258 <= vocabulary.size <= 300
    assert vocabulary.bos != vocabulary.eos
    assert tokenizer.decode([vocabulary.bos, vocabulary.eos]) == []
    assert "".join(tokenizer.decode(tokenizer.encode(["Q~\x07"]))) == "Q~\x07"


def test_what_is_read_back_is_the_tune(tokenizer):
    characters = characters_of(tokenizer)
    tokens, unread = readable("".join(characters))
    assert not unread
    assert spaceless(tokens) == "".join(characters)


def test_a_rendition_sounds_and_says_what_was_left_out(tokenizer):
    rendition = tokenizer.render(list("M:4/4\nL:1/8\nK:C\nCDEF GABc|C2?$E4G2|c8|"), "One")
    assert len(rendition.score.tracks[0].notes) >= 9
    assert "not ABC, left out: C2?$E4G2|" in rendition.problems


@pytest.mark.parametrize("text", ["", "\n\n", "M:", "K:", "|||", "M:4/4", "$$$", "K:Q\nA", "\x00"])
def test_rendering_never_raises(tokenizer, text):
    assert tokenizer.render(list(text), "Any").abc


def test_state_travels_as_json(tokenizer):
    other = AbcBpe()
    other.load_state(json.loads(json.dumps(dict(tokenizer.state()))))
    characters = characters_of(tokenizer)
    assert other.encode(characters) == tokenizer.encode(characters)
    assert other.vocabulary == tokenizer.vocabulary


def test_files_of_the_gpt2_kind_are_read(tmp_path):
    from tokenizers.pre_tokenizers import ByteLevel

    alphabet = sorted(ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate([*alphabet, "AB", "<|endoftext|>"])}
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
    (tmp_path / "merges.txt").write_text("#version: 0.2\nA B\n")
    tokenizer = AbcBpe(files=str(tmp_path))
    assert tokenizer.encode(["A", "B"]) == [vocabulary["AB"]]
    assert tokenizer.vocabulary.size == 258
    assert tokenizer.vocabulary.eos == vocabulary["<|endoftext|>"]
    assert tokenizer.vocabulary.bos == vocabulary[NUL]


def test_missing_files_are_named(tmp_path):
    with pytest.raises(UserError, match="transforms.abc_bpe.files=FOLDER"):
        AbcBpe(files=str(tmp_path))


def test_a_prompt_is_the_text_of_a_beginning(tokenizer):
    ids = tokenizer.prompt("M:6/8 K:Cdor A2 B")
    assert "".join(tokenizer.decode(ids)) == "M:6/8\nL:1/8\nK:Cdor\nA2B"
    with pytest.raises(ValueError, match="meter and key before notes"):
        tokenizer.prompt("A2 B")


def test_pairs_of_tunes_on_c_read_a_prompt_there_and_know_its_key(tokenizer):
    assert read_prompt(tokenizer, "M:6/8 K:Em E2").key is None  # root=keep
    made = AbcBpe(vocabulary_size=300, root="C")
    made.load_state(tokenizer.state())
    beginning = read_prompt(made, "M:6/8 K:Em E2")
    assert "".join(made.decode(beginning.ids)) == "M:6/8\nL:1/8\nK:Cmin\nC2"
    assert beginning.key == parse_key("Em")
    assert read_prompt(made, "M:6/8 K:Cdor C").key is None
