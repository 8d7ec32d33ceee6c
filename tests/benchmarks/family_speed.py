"""How long does it take to find the families of many pieces, and in how much memory?

    python tests/benchmarks/family_speed.py [--pieces 180000] [--melodies 1]

The pieces are settings of the dances in Ryan's Mammoth Collection: each is one of the tunes with
its phrases in another order, in another key, and one sample in eight changed. Printed are seconds,
the largest resident memory in GB, and the number of families.
"""

import argparse
import resource
import time

import numpy as np

from symbotunes.data.preparation.families import Pieces, families_of
from symbotunes.data.split import UNFORCED
from symbotunes.datasets.folk import Folk
from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.outline import MOST_SAMPLES, ONSET, Outline, outlines

PHRASE = 16  # samples


def tunes() -> list[Outline]:
    """Outlines of the dances."""
    found = []
    for tune in Folk("ryansMammoth").pieces():
        if isinstance(tune, AbcTune):
            try:
                found += outlines(tune)[:1]
            except ValueError:
                continue
    return found


def setting(tune: Outline, rng: np.random.Generator) -> Outline:
    """A tune of the phrases of another, so that most settings are of a tune of their own."""
    phrases = np.array_split(tune, max(1, len(tune) // PHRASE))
    order = rng.permutation(len(phrases))
    outline = np.concatenate([phrases[place] for place in order])[:MOST_SAMPLES]
    moved = (outline % ONSET + rng.integers(12)) % 12 + (outline & ONSET)
    changed = rng.random(len(moved)) < 1 / 8
    moved[changed] = rng.integers(12, size=int(changed.sum())) + ONSET
    return moved.astype(np.uint8)


def made(count: int, melodies: int) -> Pieces:
    """Pieces that are nothing but melodies."""
    rng = np.random.default_rng(0)
    pool = tunes()
    found = [
        setting(pool[rng.integers(len(pool))], rng) for _ in range(count) for _ in range(melodies)
    ]
    digests = rng.integers(256, size=(count, 32), dtype=np.uint8)
    return Pieces(
        digests=digests,
        origins=digests,
        works=np.zeros_like(digests),
        forced=np.full(count, UNFORCED, np.uint8),
        outlines=np.concatenate(found),
        melodies=np.stack(
            [np.repeat(np.arange(count), melodies), [len(each) for each in found]], 1
        ),
    )


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pieces", type=int, default=180_000)
    parser.add_argument("--melodies", type=int, default=1)
    arguments = parser.parse_args()
    pieces = made(arguments.pieces, arguments.melodies)
    samples = len(pieces.outlines)
    begin = time.perf_counter()
    families = families_of(pieces)
    seconds = time.perf_counter() - begin
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{arguments.pieces:,} pieces, {samples:,} samples: {seconds:,.0f} s, {memory:.2f} GB, "
        f"{families.max() + 1:,} families, the largest of {np.bincount(families).max():,}"
    )


if __name__ == "__main__":
    main()
