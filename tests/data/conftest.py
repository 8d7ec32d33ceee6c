"""Preparing words."""

from pathlib import Path

import pytest

from symbotunes.data.limits import Limits
from symbotunes.data.preparation.prepare import Plan, prepare
from symbotunes.data.preparation.workers import Workers
from symbotunes.data.split import Shares
from symbotunes.transforms.base import Chain
from tests.data.letters import Letters, Words


def plan_of(cache: Path, **changes) -> Plan:
    settings = {
        "key": "",
        "limits": Limits(1, 100),
        "shares": Shares(0.0, 0.0),
        "workers": Workers(0),
    }
    return Plan(cache=cache, **{**settings, **changes})


@pytest.fixture
def corpus_of(tmp_path):
    """A corpus of one file of these lines, or of several files of such lines."""

    def make(lines, *others):
        (tmp_path / "corpus").mkdir(exist_ok=True)
        paths = []
        for number, content in enumerate([lines, *others]):
            paths.append(tmp_path / "corpus" / f"words{number}.txt")
            paths[-1].write_text("\n".join(content))
        return Words(*paths)

    return make


@pytest.fixture
def encoded_of(tmp_path):
    """Prepare lines of letters; returns what was encoded, and the chain that did it."""

    def make(corpus, *, chain=None, cache="cache", **changes):
        chain = chain or Chain({"letters": Letters()})
        return prepare(corpus, chain, plan_of(tmp_path / cache, **changes)), chain

    return make
