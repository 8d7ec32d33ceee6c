"""Which pieces a listening test holds, in an order and under names that tell nothing.

A round is one piece of every source. Listeners hear all pieces of a round one after another, so
that every source is heard equally often and equally early.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import symusic

FORMAT, VERSION = "symbotunes listening key", 1
HELD_OUT = "held-out music"


@dataclass(frozen=True)
class HeardPiece:
    """A piece of a test.

    Attributes:
        source: the model that wrote it, or `HELD_OUT`.
        round: the round that it belongs to, from 0.
        score: the music, levelled.
        about: what else the key says of it, such as its title.
    """

    source: str
    round: int
    score: symusic.Score
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ListeningTest:
    """A test that can be written.

    Attributes:
        name: a few random digits, which the page, its ratings and the key have in common.
        pieces: by their names, which are random; in random order.
        rounds: the names of each round's pieces, both in random order.
        rounds_heard: how many rounds a listener hears.
        seconds: after which pieces fade out.
        prompt_bars: how many first bars the pieces of a round have in common; ``None``: none.
        facts: how the test was made, for its key.
    """

    name: str
    pieces: Mapping[str, HeardPiece]
    rounds: Sequence[Sequence[str]]
    rounds_heard: int
    seconds: float
    prompt_bars: int | None
    facts: Mapping[str, str]

    def key(self) -> dict[str, Any]:
        """What tells who wrote which piece, for ``key.json``."""
        sources = sorted({piece.source for piece in self.pieces.values()}, key=_held_out_last)
        return {
            "format": FORMAT,
            "version": VERSION,
            "test": self.name,
            "facts": dict(self.facts),
            "sources": sources,
            "pieces": {
                name: {"source": piece.source, "round": piece.round, **piece.about}
                for name, piece in self.pieces.items()
            },
        }


def _held_out_last(source: str) -> tuple[bool, str]:
    return source == HELD_OUT, source


def designed(
    pieces: Sequence[HeardPiece],
    seed: int,
    *,
    rounds_heard: int,
    seconds: float,
    prompt_bars: int | None,
    facts: Mapping[str, str],
) -> ListeningTest:
    """A test of some pieces, named and ordered at random.

    Args:
        pieces: one of every source in each round.
        seed: of names and order, together with the music.
        rounds_heard: how many rounds a listener hears.
        seconds: after which pieces fade out.
        prompt_bars: how many first bars the pieces of a round have in common.
        facts: how the test was made.
    """
    random = np.random.default_rng([seed, _digest(pieces, facts)])
    test, *names = _names(random, len(pieces) + 1)
    order = random.permutation(len(pieces)).tolist()
    named = {name: pieces[index] for name, index in zip(names, order, strict=True)}
    count = 1 + max(piece.round for piece in pieces)
    rounds = [
        [name for name, piece in named.items() if piece.round == number]
        for number in random.permutation(count).tolist()
    ]
    return ListeningTest(test, named, rounds, rounds_heard, seconds, prompt_bars, facts)


def _digest(pieces: Sequence[HeardPiece], facts: Mapping[str, str]) -> int:
    """A number that is another for other music: names must not be known from an earlier test."""
    digest = hashlib.sha256(json.dumps(dict(facts)).encode())
    for piece in pieces:
        digest.update(f"{piece.source} {piece.round} {dict(piece.about)}".encode())
        for track in piece.score.tracks:
            for values in track.notes.numpy().values():
                digest.update(values.tobytes())
    return int.from_bytes(digest.digest()[:8], "big")


def _names(random: np.random.Generator, count: int) -> list[str]:
    """Different names of eight hexadecimal digits."""
    names: dict[str, None] = {}
    while len(names) < count:
        names[random.bytes(4).hex()] = None
    return list(names)
