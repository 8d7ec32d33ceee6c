"""Our tokens sound like the tunes they were made from; abc2midi is the judge."""

import os
import shutil
from collections import Counter

import pytest

from symbotunes.music.abc.text import to_abc
from tests.benchmarks.abc_agreement import difference, judge, own, play


def need_abc2midi():
    if shutil.which("abc2midi") is None:
        if os.environ.get("CI"):
            pytest.fail("abc2midi is not installed: apt-get install abcmidi")
        pytest.skip("abc2midi is not installed")


@pytest.mark.slow("hears hundreds of tunes with abc2midi")
def test_abc2midi_hears_the_same_notes_in_the_original_and_in_ours(corpus_tunes):
    need_abc2midi()
    verdicts = [judge(tune) for tune in corpus_tunes[11::64]]
    kept = [verdict for verdict in verdicts if verdict is not None]
    outcomes = Counter(verdict.outcome for verdict in kept)
    differing = [f"{v.id}: {v.outcome}" for v in kept if v.outcome != "agrees"]
    assert len(kept) >= 199
    assert outcomes["agrees"] >= 0.99 * len(kept), differing
    assert [v.id for v in kept if not v.own_playback_agrees] == []
    assert [(v.id, v.complaints) for v in kept if v.complaints] == []


@pytest.mark.slow("needs abc2midi")
@pytest.mark.parametrize(
    "body",
    ["C /3 D 2/3 E 2 |", "[ C E ] 4/3 z /6 F |", "C 2/5 - | C D 4/7 E 8/9 F |", "C /3 > D /3 E |"],
)
def test_abc2midi_hears_lengths_that_it_refuses_in_another_spelling(body):
    need_abc2midi()
    tokens = ["M:4/4", "K:Cmaj", *body.split()]
    heard, complaints = play(to_abc(tokens))
    assert (difference(heard, own(tokens)), complaints) == ("agrees", ())
