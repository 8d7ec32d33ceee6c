"""What an evaluation of a latent model found: plain values for tables, pages and JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.evaluation.metrics.histograms import OVERLAP
from symbotunes.evaluation.metrics.reconstruction import ACCURACIES, COSTS, DISTANCE
from symbotunes.evaluation.metrics.tunes import GRAMMAR


@dataclass(frozen=True)
class WindowValues:
    """What `ACCURACIES` and `COSTS` are computed from, of one held-out window.

    Attributes:
        piece: number of its piece.
        family: number of that piece's family.
        steps: of the window.
        right: by `ACCURACIES`, the share of right steps of every track, 0 to 1.
        nats: negative log-likelihood, given a vector drawn from its posterior.
        kl_nats: divergence of its posterior from the prior.
    """

    piece: int
    family: int
    steps: int
    right: Mapping[str, tuple[float, ...]]
    nats: float
    kl_nats: float


@dataclass(frozen=True)
class Apart:
    """Held-out windows that are training windows, and the figures of those that are not.

    Attributes:
        exact: windows that are training windows number for number.
        in_some_key: windows that are training windows in some key, the exact ones included.
        accuracies: `ACCURACIES` of the others, the mean of all tracks.
        costs: `COSTS` of the others.
    """

    exact: int
    in_some_key: int
    accuracies: Mapping[str, Interval]
    costs: Mapping[str, Interval]


@dataclass(frozen=True)
class Reconstruction:
    """How well held-out windows are written again.

    Attributes:
        split: name of the split.
        windows: how many were read.
        pieces: number of pieces that they come from.
        families: number of families of pieces, which are the units that intervals resample.
        accuracies: `ACCURACIES` by track; the first entry, ``all``, is the mean of several tracks.
        costs: `COSTS`.
        active: axes along which posterior means differ.
        latent: number of axes.
        raw: of every window.
        apart: the windows without a twin in the training data; ``None`` if these are training
            windows themselves.
    """

    split: str
    windows: int
    pieces: int
    families: int
    accuracies: Mapping[str, Mapping[str, Interval]]
    costs: Mapping[str, Interval]
    active: int
    latent: int
    raw: tuple[WindowValues, ...] = ()
    apart: Apart | None = None


@dataclass(frozen=True)
class Path:
    """Distances along interpolations.

    Attributes:
        pairs: how many.
        shares: positions along the path, 0 to 1.
        distances: by what is measured, such as ``latent, to A``, one figure per place.
    """

    pairs: int
    shares: tuple[float, ...]
    distances: Mapping[str, tuple[Interval, ...]]


@dataclass(frozen=True)
class Notes:
    """One statistic of notes, such as the pitches of the melody.

    Attributes:
        name: for people.
        overlaps: overlapping area with the training windows, by set.
        values: of every note, by set; the training windows come first.
    """

    name: str
    overlaps: Mapping[str, Interval]
    values: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class LatentFindings:
    """A whole evaluation.

    Attributes:
        heading: of the report.
        facts: what was evaluated and how, for people.
        reconstruction: of held-out windows.
        path: interpolations between held-out windows.
        prior: notes of windows that the model wrote, and those of the data.
        samples: number of windows that it wrote.
        remarks: what a reader must know to read the figures.
        grammar: errors in the windows that it wrote, by set and figure; empty where any are right.
    """

    heading: str
    facts: Mapping[str, str]
    reconstruction: Reconstruction
    path: Path
    prior: tuple[Notes, ...]
    samples: int
    remarks: tuple[str, ...] = ()
    grammar: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, and what they mean; undefined figures are ``None``."""
        figures = [*ACCURACIES.values(), *COSTS.values(), DISTANCE, OVERLAP, *GRAMMAR.values()]
        content = {**asdict(self), "prior": plain_notes(self.prior)}
        meanings = {figure.key: figure.as_dict() for figure in figures}
        defined: dict[str, Any] = without_undefined(content)
        return {**defined, "meanings": meanings}


def plain_notes(prior: Sequence[Notes]) -> list[dict[str, Any]]:
    """Notes as plain values, those of every set counted."""
    return [
        {
            **asdict(notes),
            "values": {name: _counts(values) for name, values in notes.values.items()},
        }
        for notes in prior
    ]


def _counts(values: tuple[int, ...]) -> dict[str, int]:
    return {str(value): values.count(value) for value in sorted(set(values))}


def without_undefined(node: Any) -> Any:
    """The same tree with ``None`` for numbers that JSON does not know."""
    if isinstance(node, dict):
        return {key: without_undefined(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [without_undefined(value) for value in node]
    is_undefined = isinstance(node, float) and not -float("inf") < node < float("inf")
    return None if is_undefined else node
