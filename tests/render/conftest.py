import pytest
import symusic

from symbotunes.generation.sample import Sample
from symbotunes.render import forms
from symbotunes.render.notation.notation import Engraving

NOTATION = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>'

JIG = """X:1
T:Sample 1
M:6/8
L:1/8
K:Dmaj
|: A | dcd AFD | GBd gfe | fdB AFE | FDD D2 :|
"""


def score_of(pitches, *, tempo_bpm=120.0, program=0, meter=(4, 4)):
    """One quarter note after the other."""
    score = symusic.Score(480)
    score.tempos.append(symusic.Tempo(0, tempo_bpm))
    score.time_signatures.append(symusic.TimeSignature(0, *meter))
    track = symusic.Track(program=program, name="Melody")
    for index, pitch in enumerate(pitches):
        track.notes.append(symusic.Note(480 * index, 480, pitch, 90))
    score.tracks.append(track)
    return score


def sample_of(name="sample_01", **changes):
    fields = {
        "title": "Sample 1",
        "score": score_of([62, 66, 69]),
        "abc": JIG,
        "tokens": 30,
        "nll_nats": 45.0,
        "generated": 30,
        "finished": True,
        "seed": 7,
    }
    return Sample(name=name, **{**fields, **changes})


@pytest.fixture(autouse=True)
def notation_of_midi(monkeypatch):
    """Pages show notation of MIDI whatever it looks like; `test_notation` looks at it."""
    monkeypatch.setattr(forms, "engrave_score", lambda _: Engraving(NOTATION, ()))
    return NOTATION


@pytest.fixture
def make_score():
    return score_of


@pytest.fixture
def make_sample():
    return sample_of


@pytest.fixture
def jig():
    return JIG
