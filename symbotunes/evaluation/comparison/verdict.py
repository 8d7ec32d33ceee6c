"""Which of several models is better, in sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.evaluation.comparison.pieces import Key
from symbotunes.evaluation.metrics.bootstrap import LEAST_UNITS, Bootstrap, Floats, Interval


@dataclass(frozen=True)
class PieceBits:
    """What a piece costs a model.

    Attributes:
        bits: negative log-likelihood of all its tokens.
        notes: heard in it, as the model's tokens hold it.
        family: of the piece in the model's data.
    """

    bits: float
    notes: int
    family: int


Costs = Mapping[Key, PieceBits]


@dataclass(frozen=True)
class Difference:
    """How two models differ on the same pieces.

    Attributes:
        better: name of the model with fewer bits per note.
        worse: name of the other.
        bits_per_note: of the worse minus those of the better, not below 0.
        pieces: that both were measured on.
    """

    better: str
    worse: str
    bits_per_note: Interval
    pieces: int

    @property
    def sentence(self) -> str:
        """What was found, for readers."""
        interval = self.bits_per_note
        found = (
            f"{self.better} is better than {self.worse}: {interval.value:.2f} fewer bits per note "
            f"on the same {self.pieces:,} pieces"
        )
        if interval.value == 0:
            found = f"{self.better} and {self.worse} are equally good on {self.pieces:,} pieces"
        if not interval.has_ends:
            return f"{found}; of fewer than {LEAST_UNITS} families, no interval is given"
        ends = f"[{interval.low:.2f}, {interval.high:.2f}]"
        if interval.leaves_out_zero:
            return f"{found}; the interval {ends} of the difference leaves out zero"
        return (
            f"{found}; the interval {ends} of the difference does not leave out zero, so that "
            "another choice of pieces could turn it around"
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "better": self.better,
            "worse": self.worse,
            "bits_per_note": self.bits_per_note.as_dict(),
            "leaves_out_zero": self.bits_per_note.leaves_out_zero,
            "pieces": self.pieces,
            "sentence": self.sentence,
        }


def differences(costs: Mapping[str, Costs], bootstrap: Bootstrap) -> tuple[Difference, ...]:
    """The best model next to each of the others; none if fewer than two have a likelihood.

    Args:
        costs: by model; all of the same pieces.
        bootstrap: how families of pieces are resampled.
    """
    if len(costs) < 2:
        return ()
    ranked = sorted(costs, key=lambda name: _bits_per_note(costs[name]))
    best = ranked[0]
    return tuple(
        Difference(best, other, paired(costs[other], costs[best], bootstrap), len(costs[best]))
        for other in ranked[1:]
    )


def paired(first: Costs, second: Costs, bootstrap: Bootstrap) -> Interval:
    """Bits per note of one model minus those of another, both of the same draws of pieces."""
    keys = list(first)
    rows = np.array(
        [(first[key].bits, first[key].notes, second[key].bits, second[key].notes) for key in keys]
    )
    return bootstrap.over([first[key].family for key in keys]).interval(rows, _difference)


def _difference(sums: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(sums[:, 0] / sums[:, 1] - sums[:, 2] / sums[:, 3], np.float64)


def _bits_per_note(costs: Costs) -> float:
    notes = sum(piece.notes for piece in costs.values())
    return sum(piece.bits for piece in costs.values()) / notes if notes else np.inf


def costs_of(
    keys: Sequence[Key],
    nats: Sequence[float],
    notes: Sequence[int],
    families: NDArray[np.int64],
) -> dict[Key, PieceBits]:
    """Costs by piece, those of several examples of one piece summed.

    Args:
        keys: the piece of each of N examples.
        nats: negative log-likelihood of each.
        notes: heard in each.
        families: ``[N]`` of each.
    """
    costs: dict[Key, PieceBits] = {}
    for key, value, heard, family in zip(keys, nats, notes, families.tolist(), strict=True):
        before = costs.get(key, PieceBits(0.0, 0, family))
        bits = before.bits + float(value) / np.log(2)
        costs[key] = PieceBits(bits, before.notes + heard, family)
    return costs
