"""Mutate tunes and read them: ``python tests/benchmarks/abc_fuzz.py [TUNES] [SEED]``.

Every mutation of a tune of the built-in corpus is read, or refused with an `AbcError`; what is read
is written as ABC and read again, and played. Anything else is a bug: the tune is printed, and the
exit status is 1.
"""

import random
import sys
import time
from collections import Counter
from collections.abc import Callable

from symbotunes.datasets.base import Dropped
from symbotunes.datasets.folk import COLLECTIONS, Folk
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.normalize import normalize
from symbotunes.music.abc.playback import notes
from symbotunes.music.abc.reader import parse
from symbotunes.music.abc.text import from_abc, to_abc

SIGNS = "ABCGabcgz|:[](){}<>-+!\"^_=/\\0123456789,'%&~.*$#@;\n\tXTZKMLQVPRwW \u00e9\u0661\u2028\0"
SCRAPS = ["[K:", "M:", "L:1/", "(3::", "[1", ":|2", "V:2\n", "!trill!", '"Am7"', "%%", "[V:", "//"]
SLOW_SECONDS = 1.0

Mutation = Callable[[list[str], random.Random, str], None]


def change_signs(signs: list[str], rng: random.Random, other: str) -> None:
    for _ in range(rng.randint(1, 12)):
        signs[rng.randrange(len(signs))] = rng.choice(["", rng.choice(SIGNS)])


def insert_scraps(signs: list[str], rng: random.Random, other: str) -> None:
    for _ in range(rng.randint(1, 5)):
        signs.insert(rng.randrange(len(signs)), rng.choice(SCRAPS))


def repeat_a_stretch(signs: list[str], rng: random.Random, other: str) -> None:
    start = rng.randrange(len(signs))
    signs[start:start] = signs[start : start + rng.randint(1, 40)] * rng.randint(1, 8)


def drop_a_stretch(signs: list[str], rng: random.Random, other: str) -> None:
    start = rng.randrange(len(signs))
    del signs[start : start + rng.randint(1, len(signs) // 2 + 1)]


def cross(signs: list[str], rng: random.Random, other: str) -> None:
    signs[rng.randrange(len(signs)) :] = other[rng.randrange(len(other)) :]


def shuffle_lines(signs: list[str], rng: random.Random, other: str) -> None:
    lines = "".join(signs).splitlines(keepends=True)
    rng.shuffle(lines)
    signs[:] = "".join(lines)


MUTATIONS: list[Mutation] = [
    change_signs, insert_scraps, repeat_a_stretch, drop_a_stretch, cross, shuffle_lines,
]  # fmt: skip


def mutated(text: str, other: str, rng: random.Random) -> str:
    """The text after one to three mutations."""
    signs = list(text)
    for mutation in rng.choices(MUTATIONS, k=rng.randint(1, 3)):
        if signs:
            mutation(signs, rng, other)
    return "".join(signs)


def outcome(text: str) -> str:
    """``read``, or the reason of a refusal.

    Raises:
        AssertionError: if what was read says something else after it was written.
    """
    try:
        tokens = normalize(parse(text))
    except AbcError as error:
        return error.reason
    assert from_abc(to_abc(tokens)) == tokens, "written and read again, the tune is another"
    notes(tokens)
    return "read"


def fuzz(count: int, seed: int) -> tuple[Counter[str], list[tuple[str, str]]]:
    """Outcomes by kind, and the tunes that show a bug with what it is."""
    rng = random.Random(seed)
    texts = [tune.text for tune in Folk(COLLECTIONS).pieces() if not isinstance(tune, Dropped)]
    outcomes: Counter[str] = Counter()
    bugs = []
    for _ in range(count):
        text = mutated(rng.choice(texts), rng.choice(texts), rng)
        began = time.process_time()
        try:
            outcomes[outcome(text)] += 1
        except Exception as error:  # what a fuzz is there to find
            bugs.append((f"{type(error).__name__}: {error}", text))
        seconds = time.process_time() - began
        if seconds > SLOW_SECONDS:
            bugs.append((f"slow: {seconds:.1f} s", text))
    return outcomes, bugs


def main(count: int = 10_000, seed: int = 0) -> int:
    began = time.process_time()
    outcomes, bugs = fuzz(count, seed)
    for kind, number in outcomes.most_common(12):
        print(f"{number:6,}  {kind}")
    for what, text in bugs[:5]:
        print(f"--- {what}\n{text}")
    seconds = time.process_time() - began
    print(f"{count:,} tunes, seed {seed}: {len(bugs)} bugs in {seconds:.0f} s")
    return 1 if bugs else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
