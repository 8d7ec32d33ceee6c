"""Short ways to write a tune and to see what was read of it."""

import pytest

from symbotunes.datasets.base import Dropped
from symbotunes.datasets.folk import COLLECTIONS, Folk
from symbotunes.music.abc.normalize import normalize
from symbotunes.music.abc.reader import parse
from symbotunes.music.abc.tokens import LINE_END, Bar, Tuplet


@pytest.fixture(scope="session")
def tune():
    """The ABC of a body with its head: 4/4, eighths and C major if nothing else is asked."""

    def tune(body, *, meter="4/4", unit="1/8", key="C", more=""):
        length = f"L:{unit}\n" if unit else ""
        return f"X:1\nT:A tune\n{more}M:{meter}\n{length}K:{key}\n{body}\n"

    return tune


@pytest.fixture(scope="session")
def read(tune):
    """What the reader makes of a body: ``A*2`` is an A of two eighths, ``C+E-`` a chord, E tied."""

    def one(item):
        if isinstance(item, Bar):
            return item.sign
        if isinstance(item, Tuplet):
            return f"({item.p}:{item.q}:{item.r}"
        pitches = [f"{pitch}{'-' if pitch.tied else ''}" for pitch in item.pitches]
        length = "" if item.eighths == 1 else f"*{item.eighths}"
        return ("+".join(pitches) or "z") + length + item.broken

    def read(body, **head):
        items = parse(tune(body, **head)).items
        return " ".join(one(item) for item in items if item is not LINE_END)

    return read


@pytest.fixture(scope="session")
def folk(tune):
    """The body of the folk-rnn tokens of a tune, without meter and key."""

    def folk(body, *, root="C", **head):
        return " ".join(normalize(parse(tune(body, **head)), root)[2:])

    return folk


def pytest_itemcollected(item):
    """Let one process read the whole corpus for all tests that want it."""
    if "corpus_tunes" in item.fixturenames:
        item.add_marker(pytest.mark.xdist_group("corpus_tunes"))


@pytest.fixture(scope="session")
def corpus_tunes():
    """Every readable piece of the built-in corpus."""
    return [piece for piece in Folk(COLLECTIONS).pieces() if not isinstance(piece, Dropped)]
