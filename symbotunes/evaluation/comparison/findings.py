"""What a comparison of models found."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from symbotunes.evaluation.comparison.verdict import Costs, Difference
from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.evaluation.metrics.figure import Figure
from symbotunes.evaluation.metrics.losses import LOSSES
from symbotunes.evaluation.metrics.musical import HISTOGRAMS, MUSICAL
from symbotunes.evaluation.metrics.speed import SPEED
from symbotunes.evaluation.metrics.tunes import TUNES
from symbotunes.generation.sample import Sample

FIRST = "bits_per_note"  # compares models with any tokens


def general() -> dict[str, Figure]:
    """Figures of likelihood, validity, memory and speed, in the order of the page."""
    shown = {**LOSSES.compared, **TUNES.compared, **SPEED.compared}
    return {FIRST: shown.pop(FIRST), **shown}


def musical() -> dict[str, Figure]:
    """Figures that describe the music."""
    return {**MUSICAL.compared, **HISTOGRAMS.compared}


@dataclass(frozen=True)
class Continuation:
    """A model's continuation of a beginning: a sample, or the reason why there is none."""

    prompt: str
    sample: Sample | None = None
    reason: str = ""


@dataclass(frozen=True)
class Bound:
    """What a model of windows has in place of a likelihood, of the windows of the pieces.

    It does not compare with likelihoods: it is an upper limit, and of some of the notes.

    Attributes:
        figures: `LOSSES` of the bound.
        windows: that were measured.
        pieces: that they are cut from.
        notes: heard in them.
    """

    figures: Mapping[str, Interval]
    windows: int
    pieces: int
    notes: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        counts = {"windows": self.windows, "pieces": self.pieces, "notes": self.notes}
        return {"figures": _defined(self.figures), **counts}


@dataclass(frozen=True)
class Training:
    """What a model's weights have cost.

    Attributes:
        steps: of the optimizer.
        tokens: seen, each as often as it was trained on; 0 if it is not known.
        seconds: since the training began, validations and all attempts included, if it is known.
        processor: on which it was trained, or empty.
    """

    steps: int = 0
    tokens: int = 0
    seconds: float | None = None
    processor: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Column:
    """One model.

    Attributes:
        name: shown to people; unique in the comparison.
        path: of its checkpoint.
        data: fingerprint of the data that it is measured on.
        parameters: number of trained parameters.
        figures: `general` and `musical` as far as they are defined.
        values: what the histograms count.
        reasons: by figure, why it does not apply.
        remarks: what a reader must know.
        continuations: one per prompt.
        costs: what each piece costs it, if it has a likelihood.
        bound: of a model of windows that has one.
        failure: why nothing could be measured, or empty.
        training: what its weights have cost.
    """

    name: str
    path: str
    data: str = ""
    parameters: int = 0
    figures: Mapping[str, Interval] = field(default_factory=dict)
    values: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    continuations: tuple[Continuation, ...] = ()
    costs: Costs = field(default_factory=dict)
    bound: Bound | None = None
    failure: str = ""
    training: Training = Training()


@dataclass(frozen=True)
class Reference:
    """The pieces as represented by a model's tokens, measured like samples.

    Attributes:
        data: fingerprint of the prepared data.
        split: whose pieces they are, in words.
        pieces: number of pieces.
        families: number of families of versions.
        notes: heard in what was measured.
        figures: as in `Column`.
        values: as in `Column`.
        windows: number of windows that were measured of them, 0 where pieces are whole.
    """

    data: str
    split: str
    pieces: int
    families: int
    notes: int
    figures: Mapping[str, Interval]
    values: Mapping[str, tuple[int, ...]]
    windows: int = 0


@dataclass(frozen=True)
class Comparison:
    """Everything that the page shows."""

    facts: Mapping[str, str]
    columns: tuple[Column, ...]
    references: tuple[Reference, ...]
    remarks: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def measured(self) -> list[Column]:
        """The models that could be measured."""
        return [column for column in self.columns if not column.failure]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, and what they mean; undefined figures are left out."""
        shown = general() | musical()
        return {
            "facts": dict(self.facts),
            "remarks": list(self.remarks),
            "pieces": self.references[0].pieces,
            "differences": [difference.as_dict() for difference in self.differences],
            "models": [_model(column) for column in self.columns],
            "references": [
                {
                    "data": reference.data,
                    "split": reference.split,
                    "pieces": reference.pieces,
                    "windows": reference.windows,
                    "families": reference.families,
                    "notes": reference.notes,
                    "figures": _defined(reference.figures),
                }
                for reference in self.references
            ],
            "meanings": {name: figure.as_dict() for name, figure in shown.items()},
        }


def _model(column: Column) -> dict[str, Any]:
    plain = {"name": column.name, "checkpoint": column.path}
    if column.failure:
        return {**plain, "failure": column.failure}
    return {
        **plain,
        "data": column.data,
        "parameters": column.parameters,
        "training": column.training.as_dict(),
        "figures": _defined(column.figures),
        **({"bound": column.bound.as_dict()} if column.bound else {}),
        "reasons": dict(column.reasons),
        "remarks": list(column.remarks),
        "continuations": [
            {
                "prompt": continuation.prompt,
                "reason": continuation.reason,
                "abc": continuation.sample and continuation.sample.abc,
            }
            for continuation in column.continuations
        ],
    }


def _defined(figures: Mapping[str, Interval]) -> dict[str, Any]:
    return {name: interval.as_dict() for name, interval in figures.items() if interval.is_defined}
