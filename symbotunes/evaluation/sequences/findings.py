"""What an evaluation found: plain values for tables, pages and JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from symbotunes.evaluation.metrics.blocks import BlockFigures
from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.evaluation.metrics.infilling import INFILLING
from symbotunes.evaluation.metrics.losses import LOSSES
from symbotunes.evaluation.metrics.set_distances import SetDistances
from symbotunes.evaluation.metrics.set_features import FEATURES
from symbotunes.evaluation.metrics.tunes import TUNES


@dataclass(frozen=True)
class ClassLoss:
    """The loss of one class of tokens.

    Attributes:
        name: of the class, such as ``pitch``.
        tokens: how many held-out tokens are of it.
        share: of all held-out tokens.
        nats: nats per token by model, ours first.
    """

    name: str
    tokens: int
    share: float
    nats: Mapping[str, Interval]


@dataclass(frozen=True)
class PieceValues:
    """What the figures of held-out pieces are computed from, of one piece.

    Attributes:
        family: its number.
        tokens: predicted ones, the one that closes the piece included.
        notes: heard in it.
        nats: of all its tokens, by model.
    """

    family: int
    tokens: int
    notes: int
    nats: Mapping[str, float]


@dataclass(frozen=True)
class TuneValues:
    """What `TUNES` are computed from, of one tune; ``None`` for what is not known.

    Attributes:
        family: its number; a tune that the model wrote has none.
        tokens: without those that open and close it.
        grammar_errors: see `symbotunes.tokenizers.base.GrammarCheck`.
        grammar_tokens: those that were checked.
        finished: whether the model ended it.
        right_bars: bars of the length that the meter asks for.
        bars: bars whose length can be judged.
        seen_ngrams: n-grams that a training tune holds.
        ngrams: all its n-grams.
        longest_copy: tokens of the longest run that a training tune holds.
        notes: heard, drums left out.
        copied_notes: notes of the longest run that a training tune holds in some key.
        bleu: matched n-grams of order 1 to 4, all n-grams of order 1 to 4, tokens of the tune,
            tokens of the reference of nearest length.
        rouge: F-measures of ROUGE-1, ROUGE-2 and ROUGE-L, 0 to 1, each with its best reference.
    """

    family: int | None
    tokens: int
    grammar_errors: int | None
    grammar_tokens: int | None
    finished: bool | None
    right_bars: int | None
    bars: int | None
    seen_ngrams: int
    ngrams: int
    longest_copy: int
    notes: int
    copied_notes: int
    bleu: tuple[float, ...] | None
    rouge: tuple[float, ...] | None


@dataclass(frozen=True)
class HeldOut:
    """Likelihood of held-out pieces under our model and others.

    Attributes:
        split: name of the split.
        pieces: number of pieces.
        families: number of families of pieces, which are the units that intervals resample.
        tokens: number of predicted tokens, those that close a piece included.
        notes: number of notes heard.
        models: `LOSSES` by model, ours first.
        gains: by baseline, how many nats per token our model is better.
        classes: the most frequent class first.
        by_piece: nats per token of every piece, by model.
        related: pieces of which a version is trained on.
        apart: `LOSSES` by model of the other pieces, if there are both.
        fitted_on: how much of the training split n-gram models have seen; empty for all of it.
        raw: of every piece.
        blocks: figures over blocks, of arrival times.
    """

    split: str
    pieces: int
    families: int
    tokens: int
    notes: int
    models: Mapping[str, Mapping[str, Interval]]
    gains: Mapping[str, Interval]
    classes: tuple[ClassLoss, ...]
    by_piece: Mapping[str, tuple[float, ...]]
    related: int = 0
    apart: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)
    fitted_on: str = ""
    raw: tuple[PieceValues, ...] = ()
    blocks: BlockFigures | None = None


@dataclass(frozen=True)
class TuneSet:
    """Tunes, generated or held out, and their figures.

    Attributes:
        name: for people.
        tunes: how many.
        figures: `TUNES` as far as they are defined for these tunes.
        runs: tokens of the longest copied run of every tune.
        copied_from: title of the training tune that holds the longest of these runs.
        reasons: by figure, why it does not apply.
        looked_up_in: in how much of the training split copies were looked up; empty for all of it.
        raw: of every tune.
    """

    name: str
    tunes: int
    figures: Mapping[str, Interval]
    runs: tuple[int, ...]
    copied_from: str | None
    reasons: Mapping[str, str] = field(default_factory=dict)
    looked_up_in: str = ""
    raw: tuple[TuneValues, ...] = ()


@dataclass(frozen=True)
class FilledTune:
    """What `INFILLING` is computed from, of one held-out tune.

    Attributes:
        family: its number.
        notes: written in the true bars.
        both_nats: of their music, given both sides.
        left_nats: of their music, given the left side.
        restored: whether the new bars equal them.
        well_formed: whether the tune with the new bars has no errors and right bars alone.
    """

    family: int
    notes: int
    both_nats: float
    left_nats: float
    restored: bool
    well_formed: bool


@dataclass(frozen=True)
class Infilling:
    """Bars of held-out tunes that were written anew.

    Attributes:
        bars: how many neighboring ones in each tune, counted between bar signs.
        passed_over: tunes that the constraint does not accept.
        figures: `INFILLING`.
        raw: of every tune.
    """

    bars: int
    passed_over: int
    figures: Mapping[str, Interval]
    raw: tuple[FilledTune, ...]


@dataclass(frozen=True)
class Findings:
    """A whole evaluation.

    Attributes:
        heading: of the report.
        facts: what was evaluated and how, for people.
        held_out: likelihoods.
        sets: generated tunes first, then held-out tunes as the reference point.
        remarks: what a reader must know to read the figures.
        infilling: of a model that was trained to fill in; else ``None``.
        distances: within and between generated and held-out tunes, by feature.
    """

    heading: str
    facts: Mapping[str, str]
    held_out: HeldOut
    sets: tuple[TuneSet, ...]
    remarks: tuple[str, ...] = ()
    infilling: Infilling | None = None
    distances: Mapping[str, SetDistances] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, and what they mean; undefined figures are left out."""
        features = {name: FEATURES[name] for name in self.distances}
        shown = {**LOSSES, **TUNES, **(INFILLING if self.infilling else {}), **features}
        meanings = {name: figure.as_dict() for name, figure in shown.items()}
        return {**_defined(asdict(self)), "meanings": meanings}


def _defined(node: Any) -> Any:
    """The same tree without undefined figures; ends that are not given are ``None``."""
    if _is_interval(node):
        return Interval(**node).as_dict()
    if isinstance(node, dict):
        kept = {key: value for key, value in node.items() if not _is_undefined(value)}
        return {key: _defined(value) for key, value in kept.items()}
    return [_defined(value) for value in node] if isinstance(node, list | tuple) else node


def _is_interval(node: Any) -> bool:
    return isinstance(node, dict) and set(node) == {"value", "low", "high"}


def _is_undefined(node: Any) -> bool:
    return _is_interval(node) and not Interval(**node).is_defined
