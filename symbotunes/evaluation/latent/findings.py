"""What an evaluation of a latent model found: plain values for tables, pages and JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.evaluation.metrics.figure import Figure

ACCURACIES = {
    "teacher_forced": Figure(
        "teacher-forced",
        "Share of steps whose likeliest class is right, given the true steps before it and a "
        "vector drawn from the posterior.",
        3,
    ),
    "free_running": Figure(
        "free-running",
        "Share of steps that are right when the model writes the window from a vector drawn from "
        "the posterior, its own steps before it, by sampling at temperature 1.",
        3,
    ),
    "likeliest": Figure(
        "likeliest",
        "The same from the posterior's mean, taking the likeliest class at every step: what "
        "sample=reconstruct sample.temperature=0 gives.",
        3,
    ),
}
COSTS = {
    "reconstruction_nats": Figure(
        "reconstruction, nats per window",
        "Negative log-likelihood of a window, given a vector drawn from its posterior.",
        2,
    ),
    "kl_nats": Figure(
        "divergence, nats per window",
        "Kullback-Leibler divergence of the posterior from the prior: what the vector says. "
        "Near 0 the decoder does not listen to it.",
        2,
    ),
    "bound_nats": Figure(
        "bound, nats per step",
        "Reconstruction and divergence together, per step: no less than what the model pays for "
        "the music.",
        3,
    ),
}
DISTANCE = Figure(
    "normalised Hamming distance",
    "Share of steps in which a point of the path differs from an end. The mix of data takes each "
    "step from the second end with the probability that grows along the path.",
    3,
)
OVERLAP = Figure(
    "overlapping area",
    "Area that two histograms of notes share: 1 for the same distribution, 0 for disjoint ones. "
    "Both sets are compared with training windows; intervals come from drawing the set anew.",
    3,
)


@dataclass(frozen=True)
class Reconstruction:
    """How well held-out windows are written again.

    Attributes:
        split: name of the split.
        windows: how many were read.
        pieces: of how many pieces they are.
        accuracies: `ACCURACIES` by track; the first entry, ``all``, is the mean of several tracks.
        costs: `COSTS`.
        active: axes along which posterior means differ.
        latent: number of axes.
    """

    split: str
    windows: int
    pieces: int
    accuracies: Mapping[str, Mapping[str, Interval]]
    costs: Mapping[str, Interval]
    active: int
    latent: int


@dataclass(frozen=True)
class Path:
    """Distances along interpolations.

    Attributes:
        pairs: how many.
        shares: places on the way, 0 to 1.
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
        prior: notes of windows that the model wrote, beside those of the data.
        samples: number of windows that it wrote.
        remarks: what a reader must know to read the figures.
    """

    heading: str
    facts: Mapping[str, str]
    reconstruction: Reconstruction
    path: Path
    prior: tuple[Notes, ...]
    samples: int
    remarks: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, and what they mean; undefined figures are ``None``."""
        figures = ACCURACIES | COSTS | {"distance": DISTANCE, "overlap": OVERLAP}
        content = {**asdict(self), "prior": plain_notes(self.prior)}
        meanings = {name: asdict(figure) for name, figure in figures.items()}
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
