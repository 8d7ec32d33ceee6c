"""Melodies that are alike are found, in another key, ornamented or half forgotten; no others."""

import random

import numpy as np
import pytest

from symbotunes.data.preparation import likeness
from symbotunes.data.preparation.likeness import MISMATCH, Melodies, alike, shapes
from symbotunes.datasets.folk import Folk
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.convert import midi_of
from symbotunes.music.outline import ONSET, outlines
from tests.data.preparation.settings import changed, ornamented

SETTINGS = {
    "one note in eight changed": changed,
    "ornaments": ornamented,
    "another key": lambda tokens, rng: tokens,
}


def melodies_of(pieces) -> Melodies:
    """Melodies of pieces, each given as its outlines."""
    flat = [outline for piece in pieces for outline in piece]
    return Melodies(
        np.concatenate(flat),
        np.cumsum([0, *map(len, flat)]),
        np.array([owner for owner, piece in enumerate(pieces) for _ in piece]),
    )


def pairs(found) -> set[tuple[int, int]]:
    return set(zip(found.first.tolist(), found.second.tolist(), strict=True))


def melody(rng, length=64):
    """A random walk over a scale, a note on every sample."""
    scale, at, notes = (0, 2, 4, 5, 7, 9, 11), 0, []
    for _ in range(length):
        at += rng.choice((-2, -1, 1, 1, 2, 3, -3))
        notes.append(scale[at % 7] + ONSET)
    return np.array(notes, np.uint8)


def best_stretch(one, other) -> float:
    """Of all keys and distances, note by note: a second way to the score of two melodies."""
    best = 0.0
    for key in range(12):
        for distance in range(-len(other), len(one)):
            score = 0.0
            for place in range(len(one)):
                there = place - distance
                if 0 <= there < len(other):
                    same = (int(other[there]) % ONSET - int(one[place]) % ONSET - key) % 12 == 0
                    score = max(0.0, score + (1 if same else -MISMATCH))
                    best = max(best, score)
    return best


@pytest.mark.parametrize("seed", range(3))
def test_scores_are_those_of_the_best_stretch_in_any_key_and_at_any_distance(seed):
    rng = random.Random(seed)
    tune = melody(rng, 40)
    shifted = (tune % ONSET + 5) % 12 + ONSET
    other = np.concatenate([melody(rng, 7), shifted]).astype(np.uint8)
    for place in rng.sample(range(7, 47), 4):
        other[place] = (other[place] + 1) % 12 + ONSET
    found = alike(melodies_of([[tune], [other]]))
    assert pairs(found) == {(0, 1)}
    assert found.scores.tolist() == [best_stretch(tune, other)]


def test_melodies_by_chance_are_not_alike():
    rng = random.Random(0)
    assert pairs(alike(melodies_of([[melody(rng)] for _ in range(300)]))) == set()


def test_a_corpus_without_melodies_has_none_alike():
    empty = Melodies(np.zeros(0, np.uint8), np.zeros(1, np.int64), np.zeros(0, np.int64))
    assert pairs(alike(empty)) == set()
    assert shapes(empty) == {}


def test_pairs_do_not_depend_on_how_many_are_compared_at_once(monkeypatch):
    rng = random.Random(1)
    tunes = [melody(rng) for _ in range(20)]
    settings = [np.roll((tune % ONSET + 3) % 12 + ONSET, 8).astype(np.uint8) for tune in tunes]
    corpus = melodies_of([[tune] for tune in tunes + settings])
    at_once = alike(corpus)
    assert pairs(at_once) == {(number, number + 20) for number in range(20)}
    monkeypatch.setattr(likeness, "PAIRS_AT_ONCE", 50)
    monkeypatch.setattr(likeness, "CANDIDATES_AT_ONCE", 3)
    in_turns = alike(corpus)
    assert pairs(in_turns) == pairs(at_once)
    assert in_turns.scores.tolist() == at_once.scores.tolist()


def test_a_melody_that_many_pieces_have_still_joins_them_all():
    rng = random.Random(2)
    tune = melody(rng)
    many = [[((tune % ONSET + key) % 12 + ONSET).astype(np.uint8)] for key in range(12)] * 10
    found = alike(melodies_of(many))
    reached = {0}
    for _ in many:
        reached |= {b for a, b in pairs(found) if a in reached}
        reached |= {a for a, b in pairs(found) if b in reached}
    assert reached == set(range(120))


def test_shapes_are_equal_in_any_key_and_for_nothing_else():
    tune = melody(random.Random(3), 14)  # too short to be found alike
    moved = ((tune % ONSET + 7) % 12 + ONSET).astype(np.uint8)
    other = tune.copy()
    other[5] ^= 1
    found = shapes(melodies_of([[tune], [moved], [other]]))
    assert found[0] == found[1] != found[2]
    assert pairs(alike(melodies_of([[tune], [moved]]))) == set()


def dances(count):
    """Readable tunes of a book of dances."""
    tunes = [tune for tune in Folk("ryansMammoth").pieces() if isinstance(tune, AbcTune)]
    random.Random(0).shuffle(tunes)
    found = []
    for tune in tunes:
        try:
            tune.tokens_in("C")
        except AbcError:
            continue
        found.append(tune)
        if len(found) == count:
            return found
    raise AssertionError(f"only {len(found)} tunes can be read")


def recalls(tunes) -> dict[str, float]:
    """Share of settings of each kind that are found to be like their tune, among all others."""
    rng = random.Random(0)
    tokens = [tune.tokens_in("C") for tune in tunes]
    settings = [
        outlines(AbcTune("", "", tokens=change(each, rng)))
        for change in SETTINGS.values()
        for each in tokens
    ]
    found = pairs(alike(melodies_of([outlines(tune) for tune in tunes] + settings)))
    count = len(tunes)
    return {
        name: sum((tune, tune + count * kind) in found for tune in range(count)) / count
        for kind, name in enumerate(SETTINGS, 1)
    }


@pytest.mark.slow("parses 150 tunes")
def test_settings_of_dances_are_found():
    found = recalls(dances(150))
    assert all(recall >= 0.95 for recall in found.values()), found


def test_a_tune_is_like_itself_as_abc_as_published_tokens_and_as_midi():
    tune = dances(1)[0]
    published = AbcTune("", "", tokens=tune.tokens_in("C"))
    played = midi_of(tune)
    found = alike(melodies_of([outlines(each) for each in (tune, published, played)]))
    assert pairs(found) == {(0, 1), (0, 2), (1, 2)}
