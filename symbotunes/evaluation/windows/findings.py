"""What an evaluation of a model of windows found: plain values for tables, pages and JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from symbotunes.evaluation.latent.findings import Notes, plain_notes, without_undefined
from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.evaluation.metrics.histograms import OVERLAP
from symbotunes.evaluation.metrics.windows import WINDOWS


@dataclass(frozen=True)
class WindowSet:
    """Windows, generated or held out, and their figures.

    Attributes:
        name: for people.
        windows: how many.
        figures: `WINDOWS`.
    """

    name: str
    windows: int
    figures: Mapping[str, Interval]


@dataclass(frozen=True)
class WindowFindings:
    """A whole evaluation of a model that writes windows and has no likelihood.

    Attributes:
        heading: of the report.
        facts: what was evaluated and how, for people.
        sets: generated windows first, then held-out windows as the reference point.
        prior: notes of both, and of the training data.
        remarks: what a reader must know to read the figures.
    """

    heading: str
    facts: Mapping[str, str]
    sets: tuple[WindowSet, ...]
    prior: tuple[Notes, ...]
    remarks: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, and what they mean; undefined figures are ``None``."""
        content: dict[str, Any] = without_undefined(
            {**asdict(self), "prior": plain_notes(self.prior)}
        )
        meanings = {figure.key: figure.as_dict() for figure in (*WINDOWS.values(), OVERLAP)}
        return {**content, "meanings": meanings}
