"""What a comparison of models found."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

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
        failure: why nothing could be measured, or empty.
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
    failure: str = ""


@dataclass(frozen=True)
class Reference:
    """Test music as represented by a model's tokens, measured like samples."""

    data: str
    split: str
    pieces: int
    families: int
    notes: int
    figures: Mapping[str, Interval]
    values: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Comparison:
    """Everything that the page shows."""

    facts: Mapping[str, str]
    columns: tuple[Column, ...]
    references: tuple[Reference, ...]
    remarks: tuple[str, ...] = ()

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
            "models": [_model(column) for column in self.columns],
            "references": [
                {
                    "data": reference.data,
                    "split": reference.split,
                    "pieces": reference.pieces,
                    "families": reference.families,
                    "notes": reference.notes,
                    "figures": _finite(reference.figures),
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
        "figures": _finite(column.figures),
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


def _finite(figures: Mapping[str, Interval]) -> dict[str, Any]:
    return {name: asdict(interval) for name, interval in figures.items() if interval.is_finite}
