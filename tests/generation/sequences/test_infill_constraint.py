"""Whatever is drawn under the constraint of infilling, the gaps can be filled to the end."""

import random
from itertools import groupby

import numpy as np
import pytest

from symbotunes.generation.sequences.gaps import Gaps
from symbotunes.music.abc.check import check_bars
from symbotunes.music.abc.phrases import parse_tokens
from symbotunes.music.abc.stretches import right_eighths, stretches_of
from symbotunes.music.abc.tokens import kind
from symbotunes.tokenizers.abc import BOS, EOS, FOLK_RNN, AbcTokens
from symbotunes.transforms.base import Chain
from symbotunes.transforms.infill import Infill

TUNES = {
    "an upbeat, a repeat and endings":
        "M:6/8 K:Cmaj G |: A 2 A B c d | e 2 e d 2 c |1 A 3 G 3 :| |2 A 3 A 2 |: G | c 2 c c d e | "
        "g 2 e c 2 :|",
    "strains with upbeats between plain bar signs":
        "M:2/4 K:Cmaj G | c 2 d 2 | e 2 c | G | c 2 B 2 | c 3 |",
    "a bar that is too short and one that is too long":
        "M:4/4 K:Cmaj C 8 | D 4 E 2 F | G 4 A 4 B 4 | c 8 |",
    "a repeat that leaves no room for its upbeat":
        "M:2/4 K:Cmaj G | c 4 | E D C z :| |: g | e 4 | c 3 :|",
    "ties into and out of every bar":
        "M:3/4 K:Cmaj C 6 - | C 6 - | C 6 | C 3 C 3 - | C 6 |",
    "no meter": "M:none K:Cmaj C D E | F 3 G | A |",
    "bars of rests": "M:2/4 K:Cmaj z 4 | z 4 | C 4 | z 4 |",
    "an open repeat and a stray ending": "M:2/4 K:Cmaj |: C 4 | D 4 |1 E 4 | F 4 |",
}  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer():
    tokenizer = AbcTokens()
    tokenizer.load_state({"tokens": [BOS, EOS, *FOLK_RNN, "-", "M:none"]})
    Chain({"abc_tokens": tokenizer, "infill": Infill()}).bind()
    return tokenizer


def gaps_in(tokenizer, tokens, chosen):
    ids = np.array(tokenizer.encode(tokens), np.int64)
    return Gaps(tokenizer, tokens, tokenizer.split_bars(ids), chosen)


def walk(constraint, end, draw, spare):
    """Tokens drawn with random preferences, most of them for ties, until the gaps are filled."""
    state = constraint.begin([], 10**4)
    left = constraint.gaps[0](state.state) + spare
    taste = [draw.random() ** 4 for _ in constraint.grammar.kinds]
    if draw.random() < 0.7:
        taste[constraint.grammar.kinds.index("tie")] = 5.0
    written = []
    while not written or written[-1] != end:
        allowed = constraint.allowed([state], [left])[0].nonzero()[:, 0].tolist()
        assert allowed, f"nothing may follow {written}"
        written += draw.choices(allowed, [taste[token] for token in allowed])
        state, left = constraint.advance(state, written[-1]), left - 1
    assert left >= 0
    return written[:-1]


def music_of(tokens):
    return [list(group) for is_sign, group
            in groupby(tokens, lambda token: kind(token) in ("meter", "key", "bar"))
            if not is_sign]  # fmt: skip


def faults(tokens):
    phrase = parse_tokens(tokens)
    check = check_bars(phrase)
    return phrase.errors, check.bars - check.right


@pytest.mark.parametrize("name", TUNES)
def test_every_walk_under_the_constraint_fills_all_gaps_and_spoils_nothing(tokenizer, name):
    tokens = TUNES[name].split()
    count = len(music_of(tokens))
    draw = random.Random(name)
    for _ in range(25):
        chosen = sorted(draw.sample(range(count), draw.randint(1, count)))
        gaps = gaps_in(tokenizer, tokens, chosen)
        end = tokenizer.vocabulary.eos
        written = walk(gaps.constraint("abc"), end, draw, draw.choice([0, 1, 4, 60]))
        filled = tokenizer.decode(gaps.filled(written))
        new, old = music_of(filled), music_of(tokens)
        assert len(new) == count
        assert all(new[bar] == old[bar] for bar in set(range(count)) - set(chosen))
        (errors, wrong), (errors_before, wrong_before) = faults(filled), faults(tokens)
        assert errors <= errors_before
        assert wrong <= wrong_before


def test_a_tie_leads_out_of_a_gap_to_the_note_that_follows_alone(tokenizer):
    # The given note is C, and other notes may have been written where a tie can be.
    tune = "M:2/4 K:Cmaj D 4 | E 4 | C 4 |"
    constraint = gaps_in(tokenizer, tune.split(), [1]).constraint("abc")
    tie = tokenizer.encode(["-"])[0]
    for note, may_tie in {"G": False, "C": True, "c": False}.items():
        state = constraint.begin([], 100)
        for token in tokenizer.encode([note, "4"]):
            state = constraint.advance(state, token)
        assert bool(constraint.allowed([state], [50])[0, tie]) == may_tie


@pytest.mark.parametrize(
    ("name", "eighths"),
    [
        ("an upbeat, a repeat and endings", [1, 6, 6, 6, 5, 1, 6, 5]),
        ("strains with upbeats between plain bar signs", [1, 4, 3, 1, 4, 3]),
        ("a bar that is too short and one that is too long", [8, 8, 8, 8]),
        # Both upbeats find a short bar, and the bar that should have been short is a whole one.
        ("a repeat that leaves no room for its upbeat", [1, 4, 4, 1, 4, 3]),
        ("no meter", [None, None, None]),
    ],
)
def test_new_bars_have_the_length_of_the_meter_unless_they_are_parts_of_one(name, eighths):
    assert right_eighths(stretches_of(TUNES[name].split())) == eighths
