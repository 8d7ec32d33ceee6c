"""Tunes whose last repeat is closed where the network ends them."""

import pytest
import torch

from symbotunes.generation.sequences import Settings, generate
from symbotunes.generation.sequences.abc_constraint import AbcConstraint
from symbotunes.generation.sequences.closing import ClosingConstraint
from symbotunes.music.abc.check import check_bars
from symbotunes.music.abc.phrases import parse_tokens
from symbotunes.tokenizers.abc import BOS, EOS, FOLK_RNN
from symbotunes.tokenizers.base import Vocabulary

TOKENS = [BOS, EOS, *FOLK_RNN]
VOCABULARY = Vocabulary(len(TOKENS), 0, 1)


def constraint():
    return ClosingConstraint(AbcConstraint(TOKENS, eos=1), eos=1)


class Scripted:
    """Gives nine tenths of the probability to the next token of a text, whatever was written."""

    training = False

    def __init__(self, text):
        self.wanted = [TOKENS.index(token) for token in text.split()]

    def train(self, mode=True):
        self.training = mode

    def start(self, batch_size):
        return torch.zeros(batch_size, dtype=torch.int64)

    def step(self, tokens, state):
        probabilities = torch.full((len(tokens), len(TOKENS)), 0.1 / (len(TOKENS) - 1))
        wanted = torch.tensor(self.wanted)[state.clamp_max(len(self.wanted) - 1)]
        probabilities.scatter_(1, wanted[:, None], 0.9)
        return probabilities.log(), state + 1


def written(prompt, text):
    """What a network writes after a prompt that it had written itself, taking the likeliest."""
    ids = [TOKENS.index(token) for token in prompt.split()]
    (tune,) = generate(
        Scripted(f"{prompt} {text} {EOS}"),
        VOCABULARY,
        [ids],
        Settings(temperature=0.0, max_tokens=100),
        [0],
        constraint=constraint(),
    )
    assert tune.finished
    return " ".join(TOKENS[index] for index in tune.ids[len(ids) :]), tune.masked


@pytest.mark.parametrize(
    ("prompt", "wanted", "expected"),
    [
        ("M:2/4 K:Cmaj |:", "C 4 | D 4 |", "C 4 | D 4 :|"),
        # With an upbeat, the last bar is short, and the sign itself is refused.
        ("M:2/4 K:Cmaj |: G |", "C 4 | D 3 |", "C 4 | D 3 :|"),
        ("M:2/4 K:Cmaj |: G |", "C 4 | D 3 |: G | C 3 |", "C 4 | D 3 :| G | C 3 |"),
        # All is closed, or a bar is missing that the repeat needs: nothing is taken for another.
        ("M:2/4 K:Cmaj |: C 4 :|", "D 4 |", "D 4 |"),
        ("M:2/4 K:Cmaj", "C 4 | D 4 |", "C 4 | D 4 |"),
    ],
)
def test_the_end_of_a_tune_closes_its_repeat(prompt, wanted, expected):
    tune, _ = written(prompt, wanted)
    assert tune == expected


def test_a_sign_that_stands_for_another_is_not_masked():
    _, masked = written("M:2/4 K:Cmaj |: G |", "C 4 | D 3 |")
    # Tokens of one hundredth of 0.1 each are masked in every step, never the sign's 0.9.
    assert masked < 7 * 0.1


class Eager:
    """Random tastes, with a liking for ends and signs."""

    training = False

    def train(self, mode=True):
        self.training = mode

    def start(self, batch_size):
        generator = torch.Generator().manual_seed(3)
        taste = torch.randn(batch_size, len(TOKENS), generator=generator)
        taste[:, [TOKENS.index(sign) for sign in ("|", "|:", ":|", "|1", EOS)]] += 4
        return taste

    def step(self, tokens, state):
        return state.clone(), state


def test_tunes_that_are_closed_are_well_formed():
    prompts = ["M:2/4 K:Cmaj |:", "M:6/8 K:Cmaj |: G |", "M:3/4 K:Cdor C 6 |: D", "M:2/4 K:Cmin"]
    ids = [[TOKENS.index(token) for token in prompt.split()] for prompt in prompts] * 25
    free, closing = (
        generate(Eager(), VOCABULARY, ids, Settings(max_tokens=90), range(100), constraint=rules)
        for rules in (AbcConstraint(TOKENS, eos=1), constraint())
    )
    for tune in closing:
        assert tune.finished
        phrase = parse_tokens([TOKENS[index] for index in tune.ids])
        check = check_bars(phrase)
        assert (phrase.problems, check.right) == ((), check.bars)
    # Where tunes may not end, they go on.
    assert sum(len(tune.ids) for tune in closing) < sum(len(tune.ids) for tune in free)
