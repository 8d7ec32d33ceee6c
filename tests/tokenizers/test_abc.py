"""ABC tunes as tokens, and the two vocabularies."""

from collections import Counter

import pytest

from symbotunes.music.abc.keys import parse_key
from symbotunes.music.abc.transposition import to_c
from symbotunes.music.abc.tune import AbcTune
from symbotunes.tokenizers.abc import BOS, EOS, FOLK_RNN, AbcTokens, rendition_in
from symbotunes.tokenizers.base import Unencodable, Vocabulary

JIG = "X:1\nT:A jig\nM:6/8\nK:G\nGAB c2d|g3 G3:|\n"
MARCH = "X:2\nT:A march\nM:C|\nK:C\nC2E2 G4|\n"


def tokens_of(text, **options):
    return " ".join(AbcTokens(**options).tokenize(AbcTune("book#1", text)))


def fitted(*tunes, **options):
    tokenizer = AbcTokens(**options)
    tokenizer.fit(Counter(token for tune in tunes for token in tune.split()))
    return tokenizer


# -- the published vocabulary ---------------------------------------------------------------


def test_the_published_vocabulary_has_137_tokens_and_none_twice():
    tokens = AbcTokens("folk_rnn").tokens
    assert len(tokens) == len(set(tokens)) == 137
    assert AbcTokens("folk_rnn").vocabulary == Vocabulary(size=137, bos=0, eos=1)


def test_the_published_classes_have_the_sizes_of_the_paper():
    def count(*starts):
        return sum(token.startswith(starts) for token in FOLK_RNN)

    assert len(FOLK_RNN) == 135
    assert count("M:") == 7
    assert count("K:") == 4
    assert count("(") == 7
    assert count("|", ":") == 5
    assert count("[", "]", "z") == 3
    assert count("=") == 23
    assert count("^") == 16
    assert count("_") == 17
    assert sum(token[0] in "ABCDEFGabcdefg" for token in FOLK_RNN) == 28
    assert count("/", "<", ">", *"23456789", "12", "16") == 25


def test_in_the_published_form_2_2_is_written_4_4():
    assert tokens_of(MARCH, vocabulary="folk_rnn") == "M:4/4 K:Cmaj C 2 E 2 G 4 |"
    assert tokens_of(MARCH) == "M:2/2 K:Cmaj C 2 E 2 G 4 |"
    tokenizer = AbcTokens("folk_rnn")
    assert tokenizer.decode(tokenizer.prompt("M:C| K:C")) == ["M:4/4", "K:Cmaj"]


def test_fitting_leaves_the_published_vocabulary_as_it_is():
    tokenizer = AbcTokens("folk_rnn")
    tokenizer.fit({"M:5/4": 1, "K:Cphr": 1})
    assert tokenizer.vocabulary.size == 137


# -- the fitted vocabulary ---------------------------------------------------------------


def test_a_fitted_vocabulary_holds_what_occurs_often_enough():
    tokenizer = fitted("M:4/4 K:Cphr C C D |", "M:5/8 K:Cphr C D |", min_count=2)
    assert tokenizer.tokens == [BOS, EOS, "C", "D", "K:Cphr", "|"]


@pytest.mark.parametrize(
    ("tokens", "least"), [(1_500, 1), (39_999, 1), (40_000, 2), (150_000, 7), (1_500_000, 10)]
)
def test_how_often_a_token_must_occur_follows_the_size_of_the_corpus(tokens, least):
    rare = {f"{count} times": count for count in range(1, 13)}
    tokenizer = AbcTokens(min_count="auto")
    tokenizer.fit({**rare, "C": tokens - sum(rare.values())})
    kept = {f"{count} times" for count in range(least, 13)}
    assert set(tokenizer.tokens) == {BOS, EOS, "C", *kept}


def test_a_count_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="min_count=few must be auto or a whole number"):
        AbcTokens(min_count="few")


def test_without_fitting_there_is_no_vocabulary():
    tokenizer = AbcTokens()
    assert not tokenizer.fitted
    with pytest.raises(RuntimeError, match="no vocabulary yet"):
        _ = tokenizer.vocabulary


def test_the_order_of_tunes_does_not_change_the_ids():
    tunes = ["M:4/4 K:Cmaj C |", "M:6/8 K:Cdor D 2 |"]
    assert fitted(*tunes).tokens == fitted(*reversed(tunes)).tokens


# -- tunes ---------------------------------------------------------------


def test_a_tune_is_moved_to_c_or_keeps_its_key():
    assert tokens_of(JIG) == "M:6/8 K:Cmaj c d e f 2 g | c' 3 c 3 :|"
    assert tokens_of(JIG, root="keep") == "M:6/8 K:Gmaj G A B c 2 d | g 3 G 3 :|"


def test_a_tune_that_was_published_as_tokens_is_taken_as_it_is():
    words = ("M:4/4", "K:Cmaj", "=C", "2", ":|", "[", "C", "2", "E", "2", "]", "|")
    tokenizer = AbcTokens("folk_rnn")
    assert tuple(tokenizer.tokenize(AbcTune("v2#1", "", tokens=words))) == words


def test_ids_read_back_are_the_tokens_without_those_that_open_and_close():
    tokenizer = AbcTokens("folk_rnn")
    tokens = ["M:6/8", "K:Cdor", "|:", "G", "2", "c", ":|"]
    ids = tokenizer.encode(tokens)
    assert min(ids) >= 2
    assert tokenizer.decode([0, *ids, 1]) == tokens


def test_a_token_outside_the_vocabulary_cannot_be_encoded():
    with pytest.raises(Unencodable, match="^a token too rare in training.*min_count: D$"):
        fitted("M:4/4 K:Cmaj C |").encode(["C", "D"])


def test_its_state_restores_the_vocabulary():
    tokenizer = fitted("M:4/4 K:Cmaj C 2 |")
    other = AbcTokens()
    other.load_state(tokenizer.state())
    assert other.tokens == tokenizer.tokens
    assert other.encode(["C", "2"]) == tokenizer.encode(["C", "2"])


@pytest.mark.parametrize("tokens", [["a", "b"], [BOS, EOS, "a", "a"], []])
def test_a_state_that_is_no_vocabulary_is_refused(tokens):
    with pytest.raises(ValueError, match="no token twice"):
        AbcTokens().load_state({"tokens": tokens})


@pytest.mark.parametrize("options", [{"vocabulary": "mine"}, {"root": "D"}])
def test_options_that_do_not_exist_are_refused_with_the_choices(options):
    with pytest.raises(ValueError, match="must be fitted or folk_rnn.*must be C or keep"):
        AbcTokens(**options)


# -- prompts and renditions ---------------------------------------------------------------


def test_a_prompt_becomes_ids():
    tokenizer = AbcTokens("folk_rnn")
    assert tokenizer.decode(tokenizer.prompt("M:6/8\nK:Cdor\n|:G2c")) == [
        "M:6/8",
        "K:Cdor",
        "|:",
        "G",
        "2",
        "c",
    ]


def test_a_prompt_in_another_key_is_read_on_c():
    tokenizer = AbcTokens("folk_rnn")
    ids = tokenizer.prompt("M:6/8 K:Em |: E2 ^c (3BA")  # it ends within a tuplet, and a repeat
    assert " ".join(tokenizer.decode(ids)) == "M:6/8 K:Cmin |: C 2 =A (3 G F"


def test_models_of_tunes_in_their_own_keys_move_nothing():
    tokenizer = fitted("M:4/4 K:Gmaj G", root="keep")
    assert tokenizer.decode(tokenizer.prompt("K:G G")) == ["K:Gmaj", "G"]


@pytest.mark.parametrize("name", ["Gbmaj", "F#maj", "D#min", "Cbmaj", "Abmin", "Edor"])
def test_a_rendition_moves_to_any_key_as_it_is_named(name):
    key = parse_key(name)
    tokens = to_c(["M:4/4", f"K:{name}", "|:", "B", "2", "d", "2", "|", "g", "8", ":|"])
    rendition = rendition_in(key, AbcTokens().render(tokens, "On C"), "Moved", number=3)
    assert f"X:3\nT:Moved\nM:4/4\nL:1/8\nK:{name}\n|: B2 d2 | g8 :|\n" == rendition.abc
    assert rendition.right_bars == 2


def test_what_cannot_be_spelled_in_the_key_of_the_prompt_stays_on_c():
    own = AbcTokens().render(["M:4/4", "K:Cmaj", "^^b", "8", "|"], "Sharp")
    moved = rendition_in(parse_key("B"), own, "Sharp")
    assert moved.problems == ("stays on C: needs three sharps or flats when moved",)
    assert moved.abc == own.abc


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("M:7/8", "the model does not know M:7/8; the nearest is M:9/8"),
        ("K:Glyd", "the model does not know K:Clyd (K:Glyd on C); the nearest is K:Cdor"),
        ("K:C ^^f", "the model does not know ^^f; the nearest is ^f"),
        ("K:C c @@", "no music in ABC: @@"),
    ],
)
def test_a_prompt_with_an_unknown_token_names_it_and_the_nearest(text, message):
    with pytest.raises(ValueError, match="^") as caught:
        AbcTokens("folk_rnn").prompt(text)
    assert str(caught.value) == message


def test_a_rendition_has_notes_notation_and_a_judgement_of_bars():
    tokens = ["M:2/4", "K:Cmaj", "C", "2", "E", "2", "|", "G", "2", "|", "C", "4", "|"]
    rendition = AbcTokens().render(tokens, "Three bars", number=2)
    assert [note.pitch for note in rendition.score.tracks[0].notes] == [60, 64, 67, 60]
    assert rendition.abc == "X:2\nT:Three bars\nM:2/4\nL:1/8\nK:Cmaj\nC2 E2 | G2 | C4 |]\n"
    assert (rendition.bars, rendition.right_bars, rendition.problems) == (3, 2, ())


def test_any_tokens_can_be_rendered():
    rendition = AbcTokens().render(["]", "2", "what", "(3", "C"], "Noise")
    assert len(rendition.score.tracks[0].notes) == 1
    assert "unknown token what" in rendition.problems


def test_a_sign_that_the_notation_does_not_show_is_said_to_be_a_bar_line():
    tokens = ["M:4/4", "K:Cmaj", "C", "8", "|2", "D", "8", "|"]
    rendition = AbcTokens("folk_rnn").render(tokens, "Stray")
    assert rendition.problems == ("an ending outside a repeat, shown as a bar line",)
    assert "|2" not in rendition.abc
    assert rendition.grammar.errors == 1
