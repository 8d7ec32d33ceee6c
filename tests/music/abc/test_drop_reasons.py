"""Why a tune is left out: every reason that a receipt may show, with an example of it."""

import pytest

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.normalize import normalize
from symbotunes.music.abc.reader import parse
from symbotunes.music.abc.tune import AbcTune
from symbotunes.tokenizers.abc import AbcTokens
from symbotunes.tokenizers.base import Unencodable

HEAD = "X:1\nM:4/4\nL:1/8\n"
EXAMPLES = [
    ("no key", HEAD + "CDEF|"),
    ("unreadable key", HEAD + "K:Es\nCDEF|"),
    ("unreadable key", HEAD + "K:E phrygian dominant\nCDEF|"),
    ("unreadable octave=", HEAD + "K:C octave=high\nCDEF|"),
    ("changes key inside", HEAD + "K:C\nCDEF|\nK:G\nGABc|"),
    ("changes key inside", HEAD + "K:C\nCDEF|[K:A]ABcd|"),
    ("unreadable meter", "X:1\nM:FREI4/4\nK:C\nCDEF|"),
    ("unreadable meter", "X:1\nM:6/8 2/4\nK:C\nCDEF|"),
    ("changes meter inside", HEAD + "K:C\nCDEF|\nM:3/4\nCDE|"),
    ("unreadable unit length", "X:1\nM:4/4\nL:short\nK:C\nCDEF|"),
    ("no notes", HEAD + "K:C\nz4|z4|"),
    ("no notes", HEAD + "K:C\n"),
    ("a chord without end", HEAD + "K:C\n[CEG|C4|"),
    ("a tuplet that is cut short", HEAD + "K:C\n(3CD|E4|"),
    ("an impossible tuplet", HEAD + "K:C\n(3:0:3CDE|"),
    ("broken rhythm without a first note", HEAD + "K:C\n>C D|"),
    ("broken rhythm without a first note", HEAD + "K:C\nC|>D|"),
    ("broken rhythm without a second note", HEAD + "K:C\nC>|D|"),
    ("broken rhythm with too many signs", HEAD + "K:C\nC>>>>D|"),
    ("broken rhythm with too many signs", HEAD + "K:C\nC><D|"),
    ("an impossible length", HEAD + "K:C\nC1000|"),
    ("an impossible length", HEAD + "K:C\nC0|"),
    ("an impossible length", HEAD + "K:C\nC/0|"),
    ("an impossible length", HEAD + "K:C\nC/128 D|"),
    ("a length that players refuse", HEAD + "K:C\nC/11 D|"),
    ("a length that players refuse", HEAD + "K:C\n(3C/3D/3E/3 D|"),
    ("an impossible length", HEAD + "K:C\nC Z3/2|"),
    ("a rest of whole bars without meter", "X:1\nM:none\nK:C\nC Z2|"),
    ("microtones", HEAD + "K:C\n^3/2C D|"),
    ("microtones", HEAD + "K:C\n_/C D|"),
    ("voices overlaid with &", HEAD + "K:C\nC4 & E4|"),
    ("a pitch beyond hearing", HEAD + "K:C\nc''''''|"),
    ("a pitch beyond hearing", HEAD + "K:A\nb'''|"),
    ("a chord without end", HEAD + "K:C\n+CE G|"),
    ("a chord that is not of notes", HEAD + "K:C\n[Am]C|"),
    ("grace notes without end", HEAD + "K:C\nC {DE|F|"),
    ("grace notes without end", HEAD + "K:C\nC D} E|"),
    ("a quotation without end", HEAD + 'K:C\n"Am C|D|'),
    ("an accidental without a note", HEAD + "K:C\nC ^|D|"),
    ("an accidental without a note", HEAD + "K:C\nC =2 D|"),
    ("a number that belongs to no note", HEAD + "K:C\nC2 D 3 E|"),
    ("a number that belongs to no note", HEAD + "K:C\nC D3\n2E|"),
    ("a tuplet of more than nine notes", HEAD + "K:C\n(11:8:11CDEFGABcdef|"),
    ("an impossible tuplet", HEAD + "K:C\n(10CDEFGABcde|"),
    ("a tie into a second ending", HEAD + "K:C\n|:C4|1D4:|2-C4|"),
    ("an unreadable repeat sign", HEAD + "K:C\nC4:::D4|"),
    ("an unreadable repeat sign", HEAD + "K:C\nC4: D4|"),
    ("an unreadable repeat sign", HEAD + "K:C\n|:::::::::C4:::::::::|"),
    ("a repeat of several times with endings", HEAD + "K:C\n|::C4|1D4::|2E4|"),
    ("an unreadable order of parts", HEAD + "P:A (then B)?\nK:C\nP:A\nC4|\nP:B\nD4|"),
    ("an order of too many parts", HEAD + "P:((A9)9)9\nK:C\nP:A\nC4|"),
    ("an order of parts that are not there", HEAD + "P:ABC\nK:C\nP:A\nC4|\nP:B\nD4|"),
    ("a part that is marked twice", HEAD + "P:AB\nK:C\nP:A\nC|\nP:B\nD|\nP:A\nE|"),
    ("words among the notes", HEAD + "K:C\nC4|\nPlay it | slowly\nD4|"),
    ("music after a blank line", "X:1\nK:C\nC4|\n\nD4|E4|"),
    ("music after the end of the tune", HEAD + "K:C\nC8|]\n\nD8|E8|"),
    ("macros", HEAD + "m:Z=CDEF\nK:C\nC|"),
    ("changes transposition inside", HEAD + "K:C\nC|[K:C transpose=2]C|"),
    ("unreadable transpose=", HEAD + "K:C transpose=up\nC|"),
    ("unreadable propagate-accidentals", HEAD + "%%propagate-accidentals all\nK:C\nC|"),
    (
        "changes the reach of accidentals inside",
        HEAD + "K:C\n^C|\n%%propagate-accidentals not\nC|",
    ),
    ("needs three sharps or flats when moved", HEAD + "K:C#\n__C|"),
]


@pytest.mark.parametrize(("reason", "text"), EXAMPLES)
def test_a_tune_that_cannot_be_kept_says_why(reason, text):
    with pytest.raises(Unencodable) as caught:
        AbcTokens().tokenize(AbcTune("book.abc#1", text))
    kept = reason in ("changes key inside", "changes meter inside")
    hint = " (kept with transforms.abc_tokens.changes=keep)" if kept else ""
    assert caught.value.reason == reason + hint
    with pytest.raises(Unencodable) as caught:
        AbcTokens("folk_rnn").tokenize(AbcTune("book.abc#1", text))
    assert caught.value.reason == reason


def test_what_a_reason_is_about_goes_with_it():
    with pytest.raises(Unencodable, match="^unreadable meter: FREI4/4$") as caught:
        AbcTokens().tokenize(AbcTune("book.abc#1", "X:1\nM:FREI4/4\nK:C\nCDEF|"))
    assert caught.value.detail == "FREI4/4"


def test_a_tune_with_a_rare_token_is_left_out_of_a_fitted_vocabulary():
    tokenizer = AbcTokens(min_count=2)
    tokenizer.fit({"M:4/4": 2, "K:Cmaj": 2, "C": 2, "|": 2, "__D": 1})
    with pytest.raises(Unencodable, match="^a token too rare in training.*min_count: __D$"):
        tokenizer.encode(["M:4/4", "K:Cmaj", "__D"])


def test_a_tune_outside_the_published_vocabulary_is_left_out():
    with pytest.raises(Unencodable, match="^outside the published vocabulary: M:5/8$"):
        AbcTokens("folk_rnn").encode(["M:5/8", "K:Cmaj"])


@pytest.mark.slow("reads all of the built-in corpus")
def test_no_tune_of_the_corpus_is_dropped_for_a_reason_without_an_example(corpus_tunes):
    known = {reason for reason, _ in EXAMPLES}
    for piece in corpus_tunes[::20]:
        try:
            normalize(parse(piece.text))
        except AbcError as error:
            assert error.reason in known, piece.id  # noqa: PT017
