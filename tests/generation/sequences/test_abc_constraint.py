"""Whatever a network wants, what it writes under the constraint is a tune with right bars."""

import re
import shutil
import subprocess
from fractions import Fraction
from functools import cache

import pytest
import torch

from symbotunes.generation.sequences import Settings, generate
from symbotunes.generation.sequences.abc_constraint import AbcConstraint
from symbotunes.music.abc.check import check_bars
from symbotunes.music.abc.phrases import parse_tokens
from symbotunes.music.abc.text import to_abc
from symbotunes.music.abc.tokens import Change
from symbotunes.tokenizers.abc import BOS, EOS, FOLK_RNN
from symbotunes.tokenizers.base import Vocabulary

pytestmark = pytest.mark.xdist_group("abc_constraint")  # one process writes the hundreds
PUBLISHED = [BOS, EOS, *FOLK_RNN]
RARE = """
M:2/2 M:3/8 M:5/4 M:7/8 M:1/4 M:none K:Dmaj K:F#min K:Bbmaj - |3 |1,3 || >> <<< 2>>
(3:2:2 (3:2:4 (5:4:5 (2:3:1 1/3 2/3 3/16 1/16 11/8 24 /16 ^^c __B
"""
RICH = [*PUBLISHED, *RARE.split()]
POOR = [BOS, EOS, "M:6/8", "M:2/4", "K:Gmaj", "|", "|:", ":|", "G", "A", "B", "2", "3", "/2", ">"]
VOCABULARIES = {"published": PUBLISHED, "rich": RICH, "poor": POOR}
longest = pytest.mark.slow("writes a hundred tunes with the largest vocabulary")
NAMES = ["published", pytest.param("rich", marks=longest), "poor"]


class Untrained:
    """Random logits that differ from row to row and from token to token."""

    def __init__(self, size, scale=3.0):
        self.training = False
        self.scale = scale
        self.generator = torch.Generator().manual_seed(5)
        self.size = size

    def train(self, mode=True):
        self.training = mode

    def start(self, batch_size):
        # Rows have likings of their own, so that repeats, ties and brackets come in crowds.
        return 1.5 * torch.randn(batch_size, self.size, generator=self.generator)

    def step(self, tokens, state):
        return state + self.scale * torch.rand(state.shape, generator=self.generator), state


def sampled(name, count, max_tokens=100, prompts=None, changes=False, **settings):
    """Tunes in tokens that an untrained network writes under the constraint."""
    tokens = VOCABULARIES[name]
    constraint = AbcConstraint(tokens, eos=1, changes=changes)
    prompts = prompts or [[]] * count
    drawn = generate(
        Untrained(len(tokens)),
        Vocabulary(len(tokens), 0, 1),
        [[tokens.index(one) for one in prompt] for prompt in prompts],
        Settings(max_tokens=max_tokens, **settings),
        range(count),
        constraint=constraint,
    )
    assert all(one.finished for one in drawn)
    assert all(one.count <= max_tokens for one in drawn)
    return [[tokens[index] for index in one.ids] for one in drawn]


@cache
def hundred(name):
    """A hundred tunes of a vocabulary."""
    return sampled(name, 100)


def wrong(tunes):
    """Tunes that are not well-formed, or have a wrong bar, or no note."""
    phrases = [(parse_tokens(tune), tune) for tune in tunes]
    checks = [(check_bars(phrase), phrase.problems, tune) for phrase, tune in phrases]
    return [tune for check, problems, tune in checks if problems or check.right != check.bars]


@pytest.mark.parametrize("name", NAMES)
def test_every_tune_of_an_untrained_network_is_right(name):
    tunes = hundred(name)
    assert wrong(tunes) == []
    assert len({tuple(tune) for tune in tunes}) == 100


@pytest.mark.parametrize("name", NAMES)
def test_tunes_may_change_meter_and_key_if_the_model_was_made_for_it(name):
    tunes = sampled(name, 60, changes=True)
    phrases = [parse_tokens(tune, changes=True) for tune in tunes]
    checks = [check_bars(phrase) for phrase in phrases]
    assert [phrase.problems for phrase in phrases] == [()] * 60
    assert all(check.right == check.bars for check in checks)
    changed = [item for phrase in phrases for item in phrase.items if isinstance(item, Change)]
    assert sum(change.meter is not None for change in changed) > 5
    assert sum(change.key is not None for change in changed) > 5
    assert not any("inside the tune" in str(wrong) for wrong in hundred(name))


@pytest.mark.parametrize(
    ("tune", "message"),
    [
        ("M:2/4 K:Cmaj C 4 | M:3/4 C 4 |", "| is not allowed after | M:3/4 C 4"),
        ("M:2/4 K:Cmaj C 4 | K:Cmin M:3/4 C 6 |", "M:3/4 is not allowed after C 4 | K:Cmin"),
        ("M:2/4 K:Cmaj C 2 K:Cmin C 2 |", "K:Cmin is not allowed after M:2/4 K:Cmaj C 2"),
        ("M:2/4 K:Cmaj |: K:Cmin C 4", "K:Cmin is not allowed after M:2/4 K:Cmaj |:"),
        ("M:2/4 K:Cmaj C 4 | C 4 :| |: C 2 M:3/4", "M:3/4 is not allowed after :| |: C 2"),
    ],
)
def test_changes_stand_after_bar_signs_alone(tune, message):
    constraint = AbcConstraint(PUBLISHED, eos=1, changes=True)
    with pytest.raises(ValueError, match="^") as caught:
        constraint.begin([PUBLISHED.index(token) for token in tune.split()], 100)
    assert str(caught.value) == f"{message} (constraint=abc)"


@longest
def test_the_constraint_leaves_all_that_tunes_are_made_of():
    seen = {token for tune in hundred("rich") for token in tune}
    signs = {"|", "|:", ":|", "|1", "|2", "[", "]", "-", "z", "(3", "(3:2:2", ">", "<", "/2>"}
    meters = {"M:6/8", "M:4/4", "M:none", "M:7/8", "M:1/4"}
    assert seen > signs | meters
    assert not seen & {"|3", "|1,3", "||", "1/3"}


@pytest.mark.parametrize("meter", ["M:2/4", "M:3/4", "M:6/8", "M:9/8", "M:12/8", "M:5/4", "M:none"])
def test_tunes_of_every_meter_go_on_from_their_prompt(meter):
    prompt = [meter, "K:Cdor", "|:", "G", ">"]
    tunes = sampled("rich", 12, prompts=[prompt] * 12)
    assert wrong(tunes) == []
    assert all(tune[:5] == prompt for tune in tunes)


@pytest.mark.parametrize("max_tokens", [6, 7, 9, 12, 17, 30])
def test_a_tune_ends_properly_however_few_tokens_it_has(max_tokens):
    tunes = sampled("published", 40, max_tokens)
    assert wrong(tunes) == []
    assert max(map(len, tunes)) == max_tokens - 1  # and the token that ends it


@pytest.mark.parametrize(
    "settings", [{"temperature": 0.0}, {"top_k": 1}, {"top_p": 0.1}, {"min_p": 0.9}]
)
def test_filters_choose_among_what_is_allowed(settings):
    assert wrong(sampled("published", 10, **settings)) == []


def test_what_is_allowed_keeps_its_ratio():
    constraint = AbcConstraint(PUBLISHED, eos=1)
    logits = torch.full((len(PUBLISHED),), -9.0)
    logits[PUBLISHED.index("M:4/4")], logits[PUBLISHED.index("M:6/8")] = 1.0, 2.0
    logits[PUBLISHED.index("z")] = 50.0  # nowhere near a beginning

    class Scripted(Untrained):
        def step(self, tokens, state):
            return logits.expand(len(tokens), -1).clone(), state

    vocabulary = Vocabulary(len(PUBLISHED), 0, 1)
    drawn = generate(
        Scripted(len(PUBLISHED)),
        vocabulary,
        [[]] * 2000,
        Settings(max_tokens=7),
        range(2000),
        constraint=constraint,
    )
    share = sum(PUBLISHED[one.ids[0]] == "M:6/8" for one in drawn) / 2000
    assert share == pytest.approx(torch.tensor(1.0).sigmoid().item(), abs=0.04)


def test_a_prompt_that_the_grammar_forbids_is_named():
    constraint = AbcConstraint(PUBLISHED, eos=1)
    tokens = ["M:2/4", "K:Cmaj", "C", "2", "D", "2", "E"]
    prompt = [PUBLISHED.index(token) for token in tokens]
    with pytest.raises(ValueError, match="E is not allowed after C 2 D 2"):
        constraint.begin(prompt, 100)


def test_too_few_tokens_for_any_tune_are_named():
    constraint = AbcConstraint(PUBLISHED, eos=1)
    assert constraint.begin([], 6)  # M:2/4 K:Cmaj C 4 | </s>
    with pytest.raises(ValueError, match="max_tokens=5 is too small: the end takes 6 tokens"):
        constraint.begin([], 5)


def test_no_limit_is_so_high_that_it_allows_everything():
    constraint = AbcConstraint(PUBLISHED, eos=1)
    allowed = constraint.allowed([constraint.begin([], 10**6)], [10**6])[0]
    assert {PUBLISHED[index] for index in allowed.nonzero()[:, 0]} == {
        token for token in PUBLISHED if token.startswith("M:")
    }


NOTES = re.compile(r"\((\d+)(?::(\d*))?(?::(\d*))?|[\^_=]*[A-Ga-gz][,']*(\d*)(/?)(\d*)")
PLAYED_IN = {"2": 3, "3": 2, "4": 3, "6": 2}  # tuplets that do not say it


def eighths(music):
    """Length of music without bar signs; broken rhythm does not change it."""
    total, left, ratio = Fraction(0), 0, Fraction(1)
    for count, time, notes, factor, slash, divisor in NOTES.findall(music):
        if count:
            left = int(notes or count)
            ratio = Fraction(int(time or PLAYED_IN.get(count, 2)), int(count))
            continue
        length = Fraction(int(factor or 1), int(divisor or (2 if slash else 1)))
        total += length * (ratio if left else 1)
        left = max(0, left - 1)
    return total


def has_an_upbeat_before_a_repeat(meter, music):
    """Whether a strain has an upbeat before its ``|:``, which is heard the first time only."""
    bar = None if meter == "none" else Fraction(meter) * 8
    before = [strain.rstrip().rpartition("|")[2].lstrip(":]") for strain in music.split("|:")[:-1]]
    return any(eighths(part) not in (0, bar) for part in before)


@pytest.mark.skipif(shutil.which("abc2midi") is None, reason="abc2midi is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_abc2midi_has_nothing_to_remark(name, tmp_path):
    book, checked = tmp_path / "book.abc", 0
    with book.open("w") as file:
        for number, tune in enumerate(hundred(name), 1):
            head, body = to_abc(tune, number=number).split("\nK:")
            key, *lines = body.splitlines()
            music = " ".join(lines)  # where lines break is none of the constraint's business
            # It misses such an upbeat in the bar that closes the repeat.
            if not has_an_upbeat_before_a_repeat(head.partition("\nM:")[2].split("\n")[0], music):
                file.write(f"{head}\nK:{key}\n{music}\n\n")
                checked += 1
    assert checked >= 40
    done = subprocess.run(
        ["abc2midi", str(book), "-c"], capture_output=True, text=True, errors="replace", check=False
    )
    remarks = [line for line in done.stdout.splitlines() if "Warning" in line or "Error" in line]
    assert remarks == []


def test_abc2midi_test_would_see_a_wrong_bar(tmp_path):
    if shutil.which("abc2midi") is None:
        pytest.skip("abc2midi is not installed")
    book = tmp_path / "book.abc"
    book.write_text(to_abc(["M:2/4", "K:Cmaj", "C", "4", "|", "C", "2", "|", "C", "4", "|"]))
    done = subprocess.run(
        ["abc2midi", str(book), "-c"], capture_output=True, text=True, errors="replace", check=False
    )
    assert "1 time units while the time signature has 2" in done.stdout
