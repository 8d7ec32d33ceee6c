"""Damaged tunes: anything may be typed, nothing may crash or hang."""

import contextlib
import random
import time

import pytest

from symbotunes.music.abc.check import check_bars
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.normalize import normalize
from symbotunes.music.abc.playback import notes
from symbotunes.music.abc.reader import parse
from symbotunes.music.abc.text import from_abc, to_abc

STRANGE = "ABCabcz|:[](){}<>-+!\"^_=/\\0123456789,'%&~.*$\n\tXZKMLVw \u00e9\u0661\u2028\0"


def damaged(text: str, rng: random.Random) -> str:
    """The text with up to twelve characters deleted, inserted or replaced."""
    signs = list(text)
    for _ in range(rng.randint(1, 12)):
        place = rng.randrange(len(signs))
        how = rng.choice(["delete", "insert", "replace"])
        if how == "insert":
            signs.insert(place, rng.choice(STRANGE))
        else:
            signs[place] = rng.choice(STRANGE) if how == "replace" else ""
    return "".join(signs)


def test_damaged_tunes_are_read_or_refused_with_a_reason(corpus_tunes):
    rng = random.Random(1)
    read = 0
    for piece in rng.sample(corpus_tunes, 260):
        try:
            tokens = normalize(parse(damaged(piece.text, rng)))
        except AbcError:
            continue
        assert from_abc(to_abc(tokens)) == tokens
        assert notes(tokens)
        read += 1
    assert read > 100


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '"',
        "!",
        "[",
        "(3",
        ":",
        "|:",
        "^1",
        "-",
        "A>",
        "[V:",
        "+",
        "[CEG",
        "/",
        "[K:",
        "%%begin",
    ],
)
def test_long_runs_of_a_sign_take_no_time(tune, line):
    begin = time.process_time()
    with contextlib.suppress(AbcError):
        normalize(parse(tune("A " + line * 3000)))
    assert time.process_time() - begin < 1.5


def test_any_tokens_are_mended_into_abc_that_can_be_read(corpus_tunes):
    rng = random.Random(2)
    words = "M:4/4 M:3/4 K:Cmaj K:Cdor C E ^G 2 /2 3/2> > < (3 (5 [ ] - z | |: :| |1 |2 ?"
    for _ in range(150):
        tokens = rng.choices(words.split(), k=rng.randint(1, 40))
        abc = to_abc(tokens)
        assert notes(from_abc(abc)) == notes(tokens)
        check = check_bars(tokens)
        assert 0 <= check.right <= check.bars
