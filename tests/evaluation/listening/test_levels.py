"""Pieces of a listening test differ in nothing but their notes."""

import pytest

from symbotunes.errors import UserError
from symbotunes.evaluation.listening.levels import levelled
from symbotunes.evaluation.listening.plan import ListenPlan
from symbotunes.generation.sample import Sample
from symbotunes.music.abc.phrases import parse_tokens
from symbotunes.music.abc.playback import score_of
from symbotunes.music.abc.text import from_abc

PLAN = ListenPlan(ckpts=["a.ckpt"], instrument=0)


def sample(key, notes):
    abc = f"X:1\nT:x\nM:4/4\nL:1/8\nK:{key}\n{notes} |\n"
    score = score_of(parse_tokens(from_abc(abc)))
    return Sample("x", "x", score, abc, 0, None, 0, True, 0)


def test_tunes_in_any_key_become_the_same_notes_of_the_same_instrument():
    scores = [
        levelled(one, PLAN.arrangement).score
        for one in (sample("Cmaj", "CEGc GECE"), sample("Dmaj", "DFAd AFDF"))
    ]
    first, second = ([(n.pitch, n.start) for n in s.tracks[0].notes] for s in scores)
    assert first == second
    assert [score.tracks[0].program for score in scores] == [0, 0]
    assert scores[0].tempos == scores[1].tempos


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "mode=listen needs 'listen.ckpts="),
        ({"ckpts": ["a"], "ratings": ["b"]}, "mode=listen needs 'listen.ckpts="),
        ({"ckpts": "a"}, "listen.ckpts is a list"),
        ({"ckpts": ["a", "a"]}, "names a checkpoint twice"),
        ({"ckpts": ["a"], "held_out": False}, "a single model needs held-out music"),
        ({"ckpts": ["a"], "seconds": 500}, "listen.seconds=500: must be from 1 to 180"),
        ({"ckpts": ["a"], "pieces": 0}, "listen.pieces=0: must be a whole number"),
        ({"ckpts": ["a"], "tempo": 1}, "listen.tempo=1: must be from 10"),
    ],
)
def test_a_test_that_cannot_be_is_refused(settings, said):
    with pytest.raises(UserError, match=said):
        ListenPlan(**settings)
