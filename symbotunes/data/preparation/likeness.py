"""Which pieces of a corpus share a melody, up to transposition, ornaments and small changes.

Three steps, as in the search for similar genes (Altschul et al., "Basic local alignment search
tool", Journal of Molecular Biology 215, 1990): melodies that share runs of intervals are
candidates, if two such runs are the same distance apart in both; each candidate is aligned at that
distance; the best span of the alignment is scored by how many notes agree and how many do not.
There are no gaps: outlines are samples on a grid, which a changed or added note does not shift.

Not a library for locality-sensitive hashing or edit distances: the former only find candidates, and
the latter handle neither transposition nor local matches; here both are sorts and sums of arrays.
"""

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.outline import MOST_SAMPLES, ONSET

RUN = 8  # notes of a seed; repetitions of a pitch class count once
DISTINCT = 4  # pitch classes that a seed must have at least: trills are everywhere
MOST_SEEDS = 192  # per piece: those with the lowest hashes
HITS = 2  # seeds at one distance that make a candidate
CROWD = 40  # if more melodies have a seed, they are not all compared with each other,
NEIGHBORS = 4  # but each with this many that follow it
PAIRS_AT_ONCE = 8_000_000  # of seeds
SAMPLES_AT_ONCE = 2**21
CANDIDATES_AT_ONCE = 2_000
MISMATCH = 1.5  # cost of a note that differs, in notes that agree
AGREES = 0.5  # share of the shorter melody's notes that its score must reach,
FEWEST, ENOUGH = 18.0, 40.0  # but at least and at most this many
_SPAN = 2 * MOST_SAMPLES  # number of distances between positions in two melodies
_MIX = np.int64(2654435761)  # Knuth's multiplicative hash, modulo 2 ** 32

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Melodies:
    """Outlines of a corpus, end to end, piece by piece.

    Attributes:
        samples: ``[N]`` of all outlines, see `symbotunes.music.outline`.
        starts: ``[M + 1]`` where each begins.
        owners: ``[M]`` the piece of each, in ascending order.
    """

    samples: NDArray[np.uint8]
    starts: Ints
    owners: Ints

    @cached_property
    def onsets(self) -> NDArray[np.int32]:
        """``[M]`` notes that begin in each."""
        if not len(self.owners):
            return np.zeros(0, np.int32)
        begins = self.samples >= ONSET
        return np.asarray(np.add.reduceat(begins, self.starts[:-1], dtype=np.int32), np.int32)


@dataclass(frozen=True)
class Likeness:
    """Pairs of pieces with a similar melody, the most similar first.

    Attributes:
        first: ``[K]`` the lower number of each pair.
        second: ``[K]`` the higher.
        scores: ``[K]`` notes that agree, minus the cost of those that do not.
    """

    first: Ints
    second: Ints
    scores: NDArray[np.float64]


def alike(melodies: Melodies) -> Likeness:
    """Compare all melodies of a corpus with each other."""
    judged = [_judged(melodies, candidates) for candidates in _candidates(melodies)]
    pairs, scores = (np.concatenate(column) for column in zip(*judged, strict=True))
    order = np.lexsort((-scores, pairs))
    firsts = np.unique(pairs[order], return_index=True)[1]
    best = order[firsts]
    best = best[np.lexsort((pairs[best], -scores[best]))]
    count = np.int64(melodies.owners[-1] + 1 if len(melodies.owners) else 1)
    return Likeness(pairs[best] // count, pairs[best] % count, scores[best])


def shapes(melodies: Melodies) -> dict[int, bytes]:
    """By piece, hashes of its outlines relative to their first note: equal in every key."""
    hashes: dict[int, bytes] = {}
    for start, end, owner in zip(
        melodies.starts[:-1].tolist(), melodies.starts[1:].tolist(), melodies.owners.tolist(),
        strict=True,
    ):  # fmt: skip
        outline = melodies.samples[start:end]
        moved = (outline % ONSET + 12 - outline[0] % ONSET) % 12 + (outline & ONSET)
        digest = hashlib.sha256(moved.astype(np.uint8).tobytes()).digest()
        hashes[owner] = hashes.get(owner, b"") + digest
    return hashes


@dataclass(frozen=True)
class _Seeds:
    """Runs of intervals, S of them; for 180,000 tunes they take 200 MB.

    Attributes:
        codes: ``[S]`` the intervals as one number.
        melodies: ``[S]`` the melody that contains it.
        places: ``[S]`` index of the sample of that melody at which it begins.
        classes: ``[S]`` pitch class with which it begins.
    """

    codes: NDArray[np.int32]
    melodies: NDArray[np.int32]
    places: NDArray[np.int16]
    classes: NDArray[np.int8]

    @property
    def columns(self) -> tuple[NDArray[Any], ...]:
        """All arrays, in the order of the constructor."""
        return self.codes, self.melodies, self.places, self.classes

    def at(self, index: NDArray[Any]) -> "_Seeds":
        """The seeds at `index`, which may be indices or a mask."""
        return _Seeds(*(column[index] for column in self.columns))


def _seeds(melodies: Melodies) -> _Seeds:
    """At most `MOST_SEEDS` runs per piece, each at its first occurrence."""
    parts = [_seeds_of(melodies, first, last).columns for first, last in _blocks(melodies)]
    return _Seeds(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _blocks(melodies: Melodies) -> list[tuple[int, int]]:
    """Ranges of melodies, of whole pieces and about `SAMPLES_AT_ONCE` samples."""
    count = len(melodies.owners)
    pieces = np.append(np.flatnonzero(np.diff(melodies.owners, prepend=-1)), count)
    samples = melodies.starts[pieces]
    cuts = np.arange(0, samples[-1] + SAMPLES_AT_ONCE, SAMPLES_AT_ONCE)
    bounds = np.unique(pieces[np.minimum(np.searchsorted(samples, cuts), len(pieces) - 1)])
    return list(itertools.pairwise(bounds.tolist())) or [(0, 0)]


def _seeds_of(melodies: Melodies, first: int, last: int) -> _Seeds:
    """The seeds of melodies ``first .. last - 1``, which are all of their pieces."""
    starts = melodies.starts[first : last + 1]
    classes = melodies.samples[starts[0] : starts[-1]] % ONSET
    numbers = np.repeat(np.arange(first, last), np.diff(starts))
    changes = np.ones(len(classes), np.bool_)
    changes[1:] = (classes[1:] != classes[:-1]) | (numbers[1:] != numbers[:-1])
    at = np.flatnonzero(changes)
    notes, homes = classes[at].astype(np.int64), numbers[at]
    count = max(0, len(at) - RUN + 1)
    steps = np.diff(notes) % 12
    codes, sets = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for ahead in range(RUN):
        sets |= 1 << notes[ahead : ahead + count]
        if ahead < RUN - 1:
            codes = codes * 12 + steps[ahead : ahead + count]
    whole = homes[:count] == homes[RUN - 1 :]
    chosen = np.flatnonzero(whole & (np.bitwise_count(sets) >= DISTINCT))
    homes = homes[chosen]
    places = at[chosen] - (melodies.starts[homes] - starts[0])
    kept = _chosen(codes[chosen], melodies.owners[homes])
    return _Seeds(
        codes[chosen][kept].astype(np.int32),
        homes[kept].astype(np.int32),
        places[kept].astype(np.int16),
        notes[chosen][kept].astype(np.int8),
    )


def _chosen(codes: Ints, pieces: Ints) -> Ints:
    """For every piece, the first index of each of the codes with its lowest hashes.

    Hashes rather than positions decide, so that pieces that share seeds keep the same ones. The
    indices are sorted by piece.
    """
    order = np.lexsort((codes, pieces))  # stable: the first occurrence stays the first
    new = np.ones(len(order), np.bool_)
    new[1:] = (np.diff(pieces[order]) != 0) | (np.diff(codes[order]) != 0)
    firsts = order[new]
    hashes = (codes[firsts] * _MIX) & 0xFFFFFFFF
    firsts = firsts[np.lexsort((hashes, pieces[firsts]))]
    owners = pieces[firsts]
    ranks = np.arange(len(owners)) - np.searchsorted(owners, owners)
    return np.asarray(firsts[ranks < MOST_SEEDS], np.int64)


def _candidates(melodies: Melodies) -> Iterator[Ints]:
    """Pairs of melodies with at least `HITS` seeds at one distance, packed as `_pack` does."""
    seeds = _seeds(melodies)
    seeds = seeds.at(np.argsort(seeds.codes, kind="stable"))  # within a code, piece by piece
    begins = np.flatnonzero(np.diff(seeds.codes, prepend=-1))
    crowds = np.diff(begins, append=len(seeds.codes)).astype(np.int32)
    sizes = np.repeat(crowds, crowds)
    seeds, sizes = seeds.at(sizes > 1), sizes[sizes > 1]
    reach = np.where(sizes > CROWD, NEIGHBORS, sizes - 1)
    rounds = max(1, -(-int(reach.sum()) // PAIRS_AT_ONCE))
    for turn in range(rounds):
        packed = []
        for ahead in range(1, int(reach.max(initial=0)) + 1):
            paired = (reach[:-ahead] >= ahead) & (seeds.codes[:-ahead] == seeds.codes[ahead:])
            if rounds > 1:
                paired &= seeds.melodies[:-ahead] % rounds == turn
            first = np.flatnonzero(paired)
            packed.append(_pack(seeds, first, first + ahead, len(melodies.owners)))
        all_pairs = np.concatenate([np.zeros(0, np.int64), *packed])
        del packed
        pairs, hits = np.unique(all_pairs, return_counts=True)
        yield pairs[hits >= HITS]


def _pack(seeds: _Seeds, first: Ints, second: Ints, count: int) -> Ints:
    """Both melodies, their distance and their transposition as one number.

    With 720,000 melodies it needs 54 bits.
    """
    pairs = seeds.melodies[first] * np.int64(count) + seeds.melodies[second]
    distances = seeds.places[first] - seeds.places[second] + MOST_SAMPLES
    keys = (seeds.classes[second] - seeds.classes[first]) % 12
    return np.asarray((pairs * _SPAN + distances) * 12 + keys, np.int64)


def _judged(melodies: Melodies, candidates: Ints) -> tuple[Ints, NDArray[np.float64]]:
    """Pairs of pieces that agree enough, packed into one number, and their scores."""
    count = len(melodies.owners)
    rest, shifts = np.divmod(candidates, 12)
    pairs, distances = np.divmod(rest, _SPAN)
    first, second = np.divmod(pairs, count)
    onsets = melodies.onsets
    needed = np.clip(AGREES * np.minimum(onsets[first], onsets[second]), FEWEST, ENOUGH)
    scores = np.zeros(len(candidates))
    for start in range(0, len(candidates), CANDIDATES_AT_ONCE):
        block = slice(start, start + CANDIDATES_AT_ONCE)
        scores[block] = _scores(
            melodies, first[block], second[block], distances[block] - MOST_SAMPLES, shifts[block]
        )
    joined = np.flatnonzero(scores >= needed)
    pieces = melodies.owners[-1] + 1 if count else 1
    packed = melodies.owners[first[joined]] * pieces + melodies.owners[second[joined]]
    return packed, scores[joined]


def _scores(
    melodies: Melodies, first: Ints, second: Ints, distances: Ints, shifts: Ints
) -> NDArray[np.float64]:
    """Score of the best span of each alignment, with the second melody `distances` later.

    Samples at which neither melody has an onset do not count. The best span is the largest
    difference between the running sum and its minimum so far.
    """
    starts, samples = melodies.starts, melodies.samples
    low = np.maximum(0, distances)
    high = np.minimum(np.diff(starts)[first], np.diff(starts)[second] + distances)
    places = low[:, None] + np.arange(int((high - low).max(initial=0)))  # [K, T]
    inside = places < high[:, None]
    places = np.where(inside, places, low[:, None])
    ours = samples[starts[first][:, None] + places]
    theirs = samples[(starts[second] - distances)[:, None] + places]
    heard = inside & ((ours | theirs) >= ONSET)
    moved = theirs.astype(np.int16) % ONSET - ours % ONSET - shifts[:, None]
    values = np.where(heard, np.where(moved % 12 == 0, 1.0, -MISMATCH), 0.0)
    sums = np.concatenate([np.zeros((len(first), 1)), np.cumsum(values, axis=1)], axis=1)
    return np.asarray((sums - np.minimum.accumulate(sums, axis=1)).max(axis=1), np.float64)
