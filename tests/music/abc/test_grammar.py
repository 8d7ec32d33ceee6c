"""What the grammar of ABC tokens lets stand where."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbotunes.music.abc.grammar.cells import NEVER
from symbotunes.music.abc.grammar.distance import Distance
from symbotunes.music.abc.grammar.grammar import Grammar
from symbotunes.music.abc.grammar.state import Phase, State

WORDS = """
M:2/4 M:3/4 M:4/4 M:6/8 M:none K:Cmaj K:Ador | |: :| |1 |2 |3 [ ] z - (2 (3 (3:2:2 (5
2 3 4 6 8 /2 3/2 /3 > < /2> 2< >> C D E ^E F G A B c d ^c ^f a c'
"""
TOKENS = ["<s>", "</s>", *WORDS.split(), "nonsense"]
EOS = 1
GRAMMAR = Grammar(TOKENS, EOS)
DISTANCE = Distance(GRAMMAR)


def read(text: str, grammar: Grammar = GRAMMAR, tokens: list[str] = TOKENS):
    """The state behind a text, or the token that must not stand where it does and its place."""
    state = State()
    for place, token in enumerate(text.split()):
        after = grammar.advance(state, tokens.index(token))
        if after is None:
            return token, place
        state = after
    return state


def refused(text: str) -> bool:
    """Whether the last token, and none before it, must not stand where it does."""
    words = text.split()
    return read(text) == (words[-1], len(words) - 1)


@pytest.mark.parametrize(
    "tune",
    [
        "M:4/4 K:Cmaj C 8 |",
        "M:6/8 K:Cmaj A | A B c d 3 | A 3 A 2 |",  # the last bar completes the upbeat
        "M:6/8 K:Cmaj A | A B c d 3 | A 3 A 2 :|",  # so does what ends a repeat
        "M:6/8 K:Cmaj |: A | A 6 | A 3 A 2 :| |: c | A 6 | A 3 A 2 :|",
        "M:6/8 K:Cmaj A |: A 6 | A 6 :|",  # an upbeat that is not repeated
        "M:4/4 K:Cmaj C 8 | D 6 |: E 2 | F 8 | G 6 :| A 2 | B 8 |",  # |: splits a bar
        "M:3/4 K:Ador |: A 6 |1 B 6 :| |2 c 6 | d 6 |",
        "M:6/8 K:Cmaj |: A | A 6 |1 A 3 A 2 :| |2 B 3 B 2 |: c | A 6 | A 3 A 2 :|",
        "M:3/4 K:Ador A 6 |1 B 6 :| |2 c 6 |: d 6 :| a 6 |",
        "M:2/4 K:Cmaj (3 C D E C 2 | C 4 - | C > D C /2> D /2 C /2 D /2 |",
        "M:2/4 K:Cmaj (3 C /2 D /2 E /2 C 3 | (3 C > D E z 2 | [ C E G ] 4 |",
        "M:2/4 K:Cmaj (3:2:2 C 3/2 D 3/2 C 2 | C >> D C 2 |",
        "M:4/4 K:Cmaj ^c 4 - ^c 4 - | c 8 |",  # a tie carries its accidental
        "M:none K:Cmaj C 8 D | E /2 |: F :|",
    ],
)
def test_a_tune_is_accepted_to_its_end(tune):
    assert read(f"{tune} </s>").phase == Phase.END


@pytest.mark.parametrize(
    "beginning",
    [
        "C", "K:Cmaj", "M:4/4 C", "M:4/4 M:4/4", "M:4/4 K:Cmaj K:Cmaj", "M:4/4 K:Cmaj |",
        "M:4/4 K:Cmaj C M:4/4", "M:4/4 K:Cmaj nonsense", "M:4/4 K:Cmaj <s>",
    ],
)  # fmt: skip
def test_meter_and_key_come_first_and_once(beginning):
    assert refused(beginning)


@pytest.mark.parametrize(
    "beginning",
    [
        "M:2/4 K:Cmaj C 6",  # an upbeat is shorter than a bar
        "M:2/4 K:Cmaj C 4 D",  # the bar is full
        "M:2/4 K:Cmaj C 4 | D 3 |",
        "M:2/4 K:Cmaj C 4 | D 6",
        "M:2/4 K:Cmaj C 4 | C (3 D 2",  # 4 eighths, 3 are left
        "M:2/4 K:Cmaj C 4 | C D C 2<",  # a pair of 4 eighths, 2 are left
        "M:2/4 K:Cmaj C 4 | D E F G A",
        "M:2/4 K:Cmaj C /3",  # a length that abc2midi does not read
    ],
)
def test_bars_are_as_long_as_the_meter_asks_for(beginning):
    assert refused(beginning)


@pytest.mark.parametrize(
    "beginning",
    [
        "M:2/4 K:Cmaj |: C 4 | </s>",
        "M:2/4 K:Cmaj |: C 4 |:",
        "M:2/4 K:Cmaj C 4 :| D 4 :|",  # nothing to go back to
        "M:2/4 K:Cmaj C | C 4 :|",  # no room for the upbeat
        "M:2/4 K:Cmaj C | C 3 :| C 4",  # the bar goes on behind the sign
        "M:2/4 K:Cmaj C | C 3 :| C | C 4 | C </s>",
        "M:2/4 K:Cmaj C | C |: C 3 | C :| C 2 |",  # a last bar in two parts
        "M:2/4 K:Cmaj C | </s>",
        "M:2/4 K:Cmaj C 4 | </s> </s>",
    ],
)
def test_repeats_are_balanced_and_keep_time(beginning):
    assert refused(beginning)


@pytest.mark.parametrize(
    "beginning",
    [
        "M:2/4 K:Cmaj |1",
        "M:2/4 K:Cmaj C 4 |2",
        "M:2/4 K:Cmaj C 4 |3",
        "M:2/4 K:Cmaj C 4 |1 C 4 |2",  # :| closes the first
        "M:2/4 K:Cmaj C 4 |1 C 4 |1",
        "M:2/4 K:Cmaj C 4 |1 C 4 | </s>",
        "M:2/4 K:Cmaj C 4 |1 C 4 :| C",
        "M:2/4 K:Cmaj C 4 |1 C 4 :| </s>",
        "M:2/4 K:Cmaj C 4 |1 C 4 :| |2 </s>",
        "M:2/4 K:Cmaj C 4 |1 C 4 :| |2 C 4 :|",
        "M:2/4 K:Cmaj C 4 :| D 4 |1",
    ],
)
def test_endings_stand_only_where_they_belong(beginning):
    assert refused(beginning)


@pytest.mark.parametrize(
    "beginning",
    [
        "M:4/4 K:Cmaj 2", "M:4/4 K:Cmaj C 2 2", "M:4/4 K:Cmaj C | 2",
        "M:4/4 K:Cmaj C > |", "M:4/4 K:Cmaj C > D >", "M:4/4 K:Cmaj C > D 2",
        "M:4/4 K:Cmaj C 2< D E", "M:4/4 K:Cmaj C > (3", "M:4/4 K:Cmaj C > -",
        "M:4/4 K:Cmaj (3 |", "M:4/4 K:Cmaj (3 C D |", "M:4/4 K:Cmaj (3 C D 2",
        "M:4/4 K:Cmaj (3 C (3", "M:4/4 K:Cmaj (3 C D E >", "M:4/4 K:Cmaj (3 [",
        "M:4/4 K:Cmaj ]", "M:4/4 K:Cmaj [ ]", "M:4/4 K:Cmaj [ C C", "M:4/4 K:Cmaj [ C 2",
        "M:4/4 K:Cmaj [ E ^E", "M:4/4 K:Cmaj [ z", "M:4/4 K:Cmaj [ C |", "M:4/4 K:Cmaj [ [",
        "M:4/4 K:Cmaj [ C E ] -", "M:4/4 K:Cmaj -", "M:4/4 K:Cmaj z -",
        "M:4/4 K:Cmaj C - D", "M:4/4 K:Cmaj C - z", "M:4/4 K:Cmaj C - c", "M:4/4 K:Cmaj C - [",
        "M:4/4 K:Cmaj c - ^c", "M:4/4 K:Cmaj C 8 - :|", "M:4/4 K:Cmaj C 8 - | </s>",
    ],
)  # fmt: skip
def test_lengths_pairs_tuplets_chords_and_ties_are_complete(beginning):
    assert refused(beginning)


def test_a_first_bar_of_rests_alone_is_no_beginning():
    assert refused("M:2/4 K:Cmaj z 4")
    assert refused("M:2/4 K:Cmaj z |")
    assert read("M:2/4 K:Cmaj z 3 C | </s>").phase == Phase.END


@pytest.mark.parametrize(
    ("beginning", "way"),
    [
        ("", "M:none K:Cmaj C | </s>"),
        ("M:2/4 K:Cmaj C 4 |", "</s>"),
        ("M:2/4 K:Cmaj C 4", "| </s>"),
        ("M:2/4 K:Cmaj C 4 | C", "4 | </s>"),
        ("M:2/4 K:Cmaj C 4 | C 3", "C | </s>"),
        ("M:2/4 K:Cmaj C 4 -", "| C 4 | </s>"),
        ("M:2/4 K:Cmaj C 4 | C >", "D D 2 | </s>"),
        ("M:2/4 K:Cmaj C 4 | (3 C", "D E C 2 | </s>"),
        ("M:2/4 K:Cmaj |: C 4", ":| </s>"),
        ("M:2/4 K:Cmaj C | C 4 |: C 4 | C", "4 :| </s>"),
        ("M:2/4 K:Cmaj |: C | C", "3 :| </s>"),
        ("M:2/4 K:Cmaj |: C 4 |1", "C 4 :| |2 C 4 | </s>"),
        ("M:2/4 K:Cmaj [", "C ] 4 | </s>"),
    ],
)
def test_the_distance_counts_the_tokens_of_a_short_way_to_the_end(beginning, way):
    assert DISTANCE(read(beginning)) == len(way.split())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_some_token_always_leads_nearer_to_the_end(seed):
    draw = random.Random(seed)
    state = State()
    for _ in range(60):
        following = [
            after
            for token in range(len(TOKENS))
            if (after := GRAMMAR.advance(state, token)) is not None
        ]
        assert min(map(DISTANCE, following)) < DISTANCE(state) < NEVER
        state = draw.choice([after for after in following if after.phase != Phase.END] or [State()])


@pytest.mark.parametrize("missing", ["K:Cmaj", "M:4/4", "|", "C"])
def test_a_vocabulary_without_what_every_tune_needs_is_refused(missing):
    tokens = ["<s>", "</s>", *({"M:4/4", "K:Cmaj", "|", "C"} - {missing})]
    with pytest.raises(ValueError, match="a tune needs a meter, a key, notes and |"):
        Grammar(tokens, 1)


def test_what_could_not_be_finished_with_the_vocabulary_is_not_begun():
    tokens = ["<s>", "</s>", "M:4/4", "M:1/16", "K:Cmaj", "|", "|:", "|1", "[", "C"]
    grammar = Grammar(tokens, 1)
    for beginning in (
        "M:1/16",  # no length is that short
        "M:4/4 K:Cmaj |:",  # no :|
        "M:4/4 K:Cmaj C C C C C C C C |1",
        "M:4/4 K:Cmaj [",  # no ]
    ):
        words = beginning.split()
        assert read(beginning, grammar, tokens) == (words[-1], len(words) - 1)
