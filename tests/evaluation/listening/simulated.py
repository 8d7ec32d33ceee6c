"""Listeners who hear pieces of sources whose quality is known."""

import numpy as np

from symbotunes.evaluation.listening.questions import NAMES
from symbotunes.evaluation.listening.ratings import Key, Listener, Rating


def listeners(effects, random, *, count=12, rounds=12, heard=6):
    """A key and ratings: 3 + a source's effect + pieces, tastes and moods that vary at random."""
    sources = tuple(f"source {number}" for number in range(len(effects)))
    key = Key(
        "00000000",
        sources,
        {f"{r} {s}": (source, r) for r in range(rounds) for s, source in enumerate(sources)},
    )
    pieces = random.normal(0, 0.5, (rounds, len(effects)))
    people = []
    for number in range(count):
        mood, taste = random.normal(0, 0.5), random.normal(0, 0.25, len(effects))
        ratings = []
        for r in random.permutation(rounds)[:heard].tolist():
            for s, effect in enumerate(effects):
                level = 3 + effect + pieces[r, s] + mood + taste[s]
                answers = np.clip(np.round(level + random.normal(0, 0.8, len(NAMES))), 1, 5)
                answers = dict(zip(NAMES, map(int, answers), strict=True))
                ratings.append(Rating(f"{r} {s}", answers, 30.0))
        people.append(Listener(f"{number:08x}", tuple(ratings)))
    return key, people
