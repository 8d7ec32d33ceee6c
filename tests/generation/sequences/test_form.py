"""Tunes with a given number of bars or a given form, whatever a network wants."""

import random
from fractions import Fraction

import pytest

from symbotunes.generation.sequences.abc_constraint import AbcConstraint
from symbotunes.generation.sequences.constraints import read_outline
from symbotunes.music.abc.beginnings import stretches_by_bar
from symbotunes.music.abc.check import check_bars
from symbotunes.music.abc.phrases import parse_tokens, sounding_eighths
from symbotunes.music.abc.tokens import Bar, bar_eighths
from symbotunes.tokenizers.abc import BOS, EOS, FOLK_RNN

TOKENS = [BOS, EOS, *FOLK_RNN, "-", "M:none", "M:7/8"]
BEGINNINGS = [
    "", "M:6/8 K:Cmaj", "M:2/4 K:Cmin G |", "M:9/8 K:Cdor G > A", "M:4/4 K:Cmaj G 2",
    "M:7/8 K:Cmaj", "M:none K:Cmaj", "M:3/4 K:Cmaj (3 G A B c 2",
]  # fmt: skip
OPENED = ["M:2/4 K:Cmaj |:", "M:6/8 K:Cmaj G |:", "M:6/8 K:Cmaj |: G | c 6 |", "M:3/4 K:Cmix |: c"]


def constraint_of(**asked):
    outline = read_outline(**{"max_bars": None, "num_bars": None, "form": None, **asked})
    return AbcConstraint(TOKENS, eos=1, outline=outline)


def walk(constraint, prompt, draw):
    """A tune drawn with random preferences, most of them for signs and ties."""
    tune = prompt.split()
    state = constraint.begin([TOKENS.index(token) for token in tune], 1000)
    left = constraint.distance(state) + draw.choice([0, 2, 40, 400])
    taste = [draw.random() ** 5 for _ in TOKENS]
    for sign in ("-", "|:", ":|", "|", "|1"):
        taste[TOKENS.index(sign)] *= draw.choice([1, 1, 10])
    while True:
        allowed = constraint.allowed([state], [left])[0].nonzero()[:, 0].tolist()
        assert allowed, f"nothing may follow {tune}"
        (token,) = draw.choices(allowed, [taste[index] for index in allowed])
        state, left = constraint.advance(state, token), left - 1
        if TOKENS[token] == EOS:
            assert left >= 0
            return tune
        tune.append(TOKENS[token])


def assert_right(tune):
    phrase = parse_tokens(tune)
    check = check_bars(phrase)
    assert phrase.problems == ()
    assert check.right == check.bars


def strains_of(tune):
    """The signs of a tune but plain ones, and the eighths before each of them and the end."""
    phrase = parse_tokens(tune)
    lengths, signs, now = [], [], Fraction(0)
    for item, length in zip(phrase.items, sounding_eighths(phrase.items), strict=True):
        now += length
        if isinstance(item, Bar) and item.sign != "|":
            lengths.append(now)
            signs.append(item.sign)
            now = Fraction(0)
    return signs, [*lengths, now]


@pytest.mark.parametrize("bars", [1, 5])
def test_tunes_have_as_many_bars_as_asked_for(bars):
    constraint, draw = constraint_of(num_bars=bars), random.Random(bars)
    for prompt in [*BEGINNINGS, *(OPENED if bars > 1 else ())]:
        tune = walk(constraint, prompt, draw)
        assert_right(tune)
        assert max(stretches_by_bar(tune)) == bars, " ".join(tune)


def test_tunes_have_at_most_as_many_bars_as_allowed():
    constraint, draw = constraint_of(max_bars=7), random.Random(7)
    counts = set()
    for prompt in [*BEGINNINGS, *OPENED]:
        tune = walk(constraint, prompt, draw)
        assert_right(tune)
        counts.add(max(stretches_by_bar(tune)))
    assert max(counts) == 7
    assert len(counts) > 1


@pytest.mark.parametrize(
    ("form", "signs", "bars"),
    [
        # What stands between signs: an upbeat, or nothing, comes before a |:.
        ("AABB4", ["|:", ":|", "|:", ":|"], [8, 4]),
        ("AA2BB3CC4", ["|:", ":|"] * 3, [2, 3, 4]),
    ],
)
def test_repeated_strains_have_their_lengths(form, signs, bars):
    constraint, draw = constraint_of(form=form), random.Random(form)
    for prompt in [*BEGINNINGS, *OPENED]:
        tune = walk(constraint, prompt, draw)
        assert_right(tune)
        found, lengths = strains_of(tune)
        assert found in (signs, signs[1:])  # the first |: need not be written
        full = bar_eighths(tune[0][2:])
        if full is not None:
            first = [] if found == signs else [Fraction(0)]
            lengths = [*first, *lengths]
            # An upbeat may make a strain longer, by less than a bar.
            assert [int((lengths[index] + lengths[index + 1]) / full)
                    for index in range(0, len(lengths) - 1, 2)] == bars  # fmt: skip


def test_strains_that_are_not_repeated_have_no_signs():
    constraint, draw = constraint_of(form="A2B3C4"), random.Random(0)
    for prompt in BEGINNINGS:
        tune = walk(constraint, prompt, draw)
        assert_right(tune)
        assert strains_of(tune)[0] == []
        assert max(stretches_by_bar(tune)) == 9


def test_second_endings_are_as_long_as_first_ones():
    constraint, draw = constraint_of(form="AaBB2"), random.Random(1)
    endings = set()
    for prompt in ["M:6/8 K:Cmaj", "M:2/4 K:Cmaj |:", "M:4/4 K:Cmaj G 2 |"] * 4:
        tune = walk(constraint, prompt, draw)
        assert_right(tune)
        full = bar_eighths(tune[0][2:])
        body = " ".join(tune)
        signs = body.replace(":| |2", "|:").replace("|1", "|:")
        first, second, rest = (part.split() for part in signs.rsplit("|:", 3)[-3:])
        assert body.count("|1") == body.count("|2") == 1
        assert body.count(":|") == 2
        assert rest
        lengths = [sum(sounding_eighths(parse_tokens([tune[0], "K:Cmaj", *part]).items))
                   for part in (first, second)]  # fmt: skip
        endings.add(lengths[1] / full)
        assert -1 < lengths[0] / full - lengths[1] / full <= 0
    assert endings <= {1, 2}


def test_a_strain_may_close_with_a_bar_that_its_upbeat_completes():
    constraint = constraint_of(form="AA2")
    tune = "M:6/8 K:Cmaj G |: c 6 | c 3 c 2 :|"
    state = constraint.begin([TOKENS.index(token) for token in tune.split()], 100)
    assert constraint.distance(state) == 1
    assert_right(tune.split())


@pytest.mark.parametrize(
    ("asked", "prompt", "message"),
    [
        ({"form": "AA2BB"}, "M:2/4 K:Cmaj C 4 | C 4 | C 4 |",
         "| is not allowed after 4 | C 4 (sample.form=AA2BB, 1 bars of strain 1 so far)"),
        ({"form": "AB"}, "M:2/4 K:Cmaj |:",
         "|: is not allowed after M:2/4 K:Cmaj (sample.form=AB, 0 bars of strain 1 so far)"),
        ({"form": "AABB"}, "M:2/4 K:Cmaj C 4 :|",
         ":| is not allowed after M:2/4 K:Cmaj C 4 (sample.form=AABB, 0 bars of strain 1 so far)"),
        ({"num_bars": 2}, "M:2/4 K:Cmaj C 4 | C 4 | C",
         "sample.num_bars=2 is out of reach after 4 | C"),
        ({"max_bars": 2}, "M:2/4 K:Cmaj C 4 | C 4 | C 4 |",
         "| is not allowed after 4 | C 4 (sample.max_bars=2, 2 bars so far)"),
    ],
)  # fmt: skip
def test_a_prompt_that_breaks_the_form_is_refused_in_one_line(asked, prompt, message):
    constraint = constraint_of(**asked)
    with pytest.raises(ValueError, match="^") as caught:
        constraint.begin([TOKENS.index(token) for token in prompt.split()], 1000)
    assert str(caught.value) == message
