"""Tunes that change meter or key: dropped, or kept with their changes after bar signs."""

import pytest

from symbotunes.music.abc.beginnings import chosen_bars, first_bars
from symbotunes.music.abc.check import BarCheck, check_bars
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import parse_key
from symbotunes.music.abc.normalize import normalize
from symbotunes.music.abc.phrases import parse_tokens
from symbotunes.music.abc.playback import phrase_notes, score_of
from symbotunes.music.abc.prompt.beginning import read_typed
from symbotunes.music.abc.reader import parse
from symbotunes.music.abc.text import from_abc, in_one_key, to_abc
from symbotunes.music.abc.transposition import from_c, to_c, transpose
from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.excerpt import read_excerpt
from symbotunes.tokenizers.abc import AbcTokens
from symbotunes.tokenizers.base import Unencodable

TUNE = """X:1
T:Reel and jig
M:2/4
L:1/8
K:G
|:G2F2|D4:|
M:3/8
K:D
|:F3|[M:2/4][K:A] G2A2:|
"""
ABOUT_G = "M:2/4 K:Gmaj |: G 2 F 2 | D 4 :| |: M:3/8 K:Dmaj F 3 | M:2/4 K:Amaj G 2 A 2 :|"
# A fourth up, or a fifth down: G becomes C, D becomes G, A becomes D; G# becomes C#.
ABOUT_C = "M:2/4 K:Cmaj |: c 2 B 2 | G 4 :| |: M:3/8 K:Gmaj B 3 | M:2/4 K:Dmaj c 2 d 2 :|"
IN_G, ON_C = ABOUT_G.split(), ABOUT_C.split()
# G F# D, twice; then F#, and G# A, twice.
HEARD = [67, 66, 62, 67, 66, 62, 66, 68, 69, 66, 68, 69]


def test_all_keys_are_moved_by_the_interval_that_brings_the_first_to_c():
    tune = AbcTune("book.abc#1", TUNE)
    assert list(tune.tokens_in("keep", changes=True)) == IN_G
    assert list(tune.tokens_in("C", changes=True)) == ON_C
    assert to_c(IN_G) == ON_C
    assert transpose(IN_G, 5) == ON_C


@pytest.mark.parametrize(("tokens", "moved"), [(IN_G, 0), (ON_C, 5)])
def test_the_notes_are_those_of_the_keys_in_force(tokens, moved):
    phrase = parse_tokens(tokens, changes=True)
    assert phrase.problems == ()
    assert [note.pitch - moved for note in phrase_notes(phrase)] == HEARD
    assert check_bars(phrase) == BarCheck(bars=4, right=4)


def test_a_score_has_the_signatures_where_they_are_played():
    score = score_of(parse_tokens(IN_G, changes=True))
    # Two bars of 2/4 twice are 8 quarters; one of 3/8 and one of 2/4 are 3 and a half.
    expected = [(0, 2, 4), (8, 3, 8), (9.5, 2, 4), (11.5, 3, 8), (13, 2, 4)]
    signatures = score.time_signatures
    assert [(one.time / 480, one.numerator, one.denominator) for one in signatures] == expected
    keys = [(one.time / 480, one.key) for one in score.key_signatures]
    assert keys == [(0, 1), (8, 2), (9.5, 3), (11.5, 2), (13, 3)]


def test_written_as_abc_the_changes_are_read_again():
    abc = to_abc(parse_tokens(IN_G, changes=True))
    assert "[M:3/8] [K:Dmaj] F3 |" in abc
    assert from_abc(abc) == IN_G
    assert normalize(parse(abc, changes=True), "keep") == IN_G


def test_a_tuplet_says_its_time_where_the_first_meter_would_give_it_another():
    text = "X:1\nM:9/8\nL:1/8\nK:C\nC9|[M:2/4] (5CDEFG (3EFG|"
    tokens = normalize(parse(text, changes=True))
    assert tokens[5:] == ["M:2/4", "(5:2:5", *"CDEFG", "(3", *"EFG", "|"]


def test_engraved_in_one_key_the_notes_are_the_same():
    abc = in_one_key(to_abc(parse_tokens(IN_G, changes=True), title="A [K:D] tune"))
    assert "K:Dmaj" not in abc
    assert "T:A [K:D] tune" in abc
    phrase = parse_tokens(from_abc(abc), changes=True)
    assert [note.pitch for note in phrase_notes(phrase)] == HEARD


def test_a_tune_on_c_is_moved_back_with_all_its_keys():
    phrase = from_c(parse_tokens(ON_C, changes=True), parse_key("G"))
    assert [note.pitch for note in phrase_notes(phrase)] == HEARD
    later = parse_tokens(["M:2/4", "K:Dmaj", "c", "4", "|"], changes=True)  # of a tune in G
    moved = from_c(later, parse_key("G"))
    assert str(moved.key) == "Amaj"
    assert [note.pitch for note in phrase_notes(moved)] == [68]


def test_by_default_such_tunes_are_dropped_and_those_that_could_be_kept_are_counted():
    inside = "X:1\nM:4/4\nL:1/8\nK:C\nC4 [K:G] G4|"
    reasons = []
    for text in (TUNE, inside):
        with pytest.raises(Unencodable) as caught:
            AbcTokens().tokenize(AbcTune("book.abc#1", text))
        reasons.append(caught.value.reason)
    assert reasons == [
        "changes meter inside (kept with transforms.abc_tokens.changes=keep)",
        "changes key inside",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("K:C\nC4 [K:G] G4|", "changes meter or key inside a bar"),
        ("K:C\nC4 [M:3/4] G4|", "changes meter or key inside a bar"),
        ("K:C\nC8|[K:D _b] G8|", "changes key inside"),
        ("K:C\nC8|[M:none] G8|", "changes meter inside"),
        ("P:AB\nK:C\nP:A\nC8|\nP:B\nK:D\nD8|", "changes meter or key, and plays its parts"),
    ],
)
def test_what_cannot_be_kept_says_why(text, reason):
    with pytest.raises(AbcError) as caught:
        normalize(parse(f"X:1\nM:4/4\nL:1/8\n{text}", changes=True))
    assert caught.value.reason.startswith(reason)


def test_the_tokenizer_keeps_them_if_asked_and_the_published_vocabulary_never():
    tokenizer = AbcTokens(changes="keep")
    assert tokenizer.tokenize(AbcTune("book.abc#1", TUNE)) == ON_C
    rendition = tokenizer.render(ON_C, "Kept")
    assert rendition.problems == ()
    assert AbcTokens().render(ON_C, "Dropped").problems == (
        "a meter inside the tune",
        "a key inside the tune",
    )
    with pytest.raises(ValueError, match="changes=keep must be drop or keep, and drop with"):
        AbcTokens("folk_rnn", changes="keep")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("M:2/4 L:1/8 K:G G2F2| [M:3/8] [K:D] F3", "M:2/4 K:Gmaj G 2 F 2 | M:3/8 K:Dmaj F 3"),
        ("M:2/4 K:Gmaj G 4 | K:Dmaj F 4", "M:2/4 K:Gmaj G 4 | K:Dmaj F 4"),
    ],
)
def test_a_prompt_may_change_for_models_that_do(text, tokens):
    assert " ".join(read_typed(text, changes=True).tokens) == tokens
    with pytest.raises(AbcError, match="inside"):
        read_typed(text)


def test_the_first_bars_are_counted_in_the_meter_in_force():
    assert first_bars(IN_G, 3) == IN_G[:17]
    assert IN_G[14:17] == ["F", "3", "|"]


def test_chosen_bars_begin_with_the_meter_and_key_in_force():
    third, mixed = (read_excerpt("sample.bars", bars) for bars in ("3", ["1", "4", "3"]))
    assert third is not None
    assert mixed is not None
    assert " ".join(chosen_bars(IN_G, third)) == "M:3/8 K:Dmaj |: F 3 |"
    assert " ".join(chosen_bars(IN_G, mixed)) == (
        "M:2/4 K:Gmaj |: G 2 F 2 | K:Amaj G 2 A 2 :| |: M:3/8 K:Dmaj F 3 |"
    )
