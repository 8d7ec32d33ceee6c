"""What an evaluation found: plain values for tables, pages and JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.evaluation.metrics.figure import Figure

LOSSES = {
    "nats_per_token": Figure(
        "nats per token",
        "Negative log-likelihood of the held-out tokens, the one that closes a piece included.",
        3,
    ),
    "perplexity": Figure("perplexity", "e to the power of nats per token.", 2),
    "bits_per_note": Figure(
        "bits per note",
        "All bits of the pieces, signs included, over the notes heard: tied notes are one, every "
        "note of a chord counts, and a repeated note counts as often as it is played.",
        2,
    ),
}


def _share(label: str, meaning: str) -> Figure:
    return Figure(label, meaning, scale=100.0, suffix=" %")


TUNES = {
    "well_formed": _share(
        "well-formed", "Tunes in which the tokenizer has nothing to mend (valid ABC)."
    ),
    "finished": _share("finished", "Tunes that the model ended itself."),
    "right_bars": _share(
        "right bars", "Bars that have the length which the meter asks for, of all bars."
    ),
    "all_bars_right": _share("tunes with all bars right", "No bar is wrong."),
    "bleu_1": Figure(
        "BLEU-1",
        "Corpus BLEU (sacrebleu) of single tokens, 0 to 100. A tune's references are a random "
        "choice of held-out tunes of its meter and key, or of any if there are none.",
    ),
    "bleu_2": Figure("BLEU-2", "The same with pairs of tokens."),
    "bleu_3": Figure("BLEU-3", "The same with 3-grams."),
    "bleu_4": Figure("BLEU-4", "The same with 4-grams; this is what papers call BLEU."),
    "rouge_1": Figure(
        "ROUGE-1",
        "F-measure (rouge-score) of single tokens with the best of the same references, 0 to 100; "
        "the mean over tunes.",
    ),
    "rouge_2": Figure("ROUGE-2", "F-measure of pairs of tokens with the best reference."),
    "rouge_l": Figure("ROUGE-L", "F-measure of the longest common subsequence."),
    "seen_ngrams": _share(
        "n-grams seen in training", "N-grams of tokens that a training tune holds, of all n-grams."
    ),
    "longest_copy": Figure(
        "longest copied run",
        "Tokens in a row that stand so in one training tune; the mean over tunes.",
    ),
    "copied_share": _share(
        "longest run, share of tune", "The longest copied run over the length of the tune."
    ),
}


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
class HeldOut:
    """Likelihood of held-out pieces under our model and others.

    Attributes:
        split: name of the split.
        pieces: number of pieces.
        tokens: number of predicted tokens, those that close a piece included.
        notes: number of notes heard.
        models: `LOSSES` by model, ours first.
        gains: by baseline, how many nats per token our model is better.
        classes: the most frequent class first.
        by_piece: nats per token of every piece, by model.
    """

    split: str
    pieces: int
    tokens: int
    notes: int
    models: Mapping[str, Mapping[str, Interval]]
    gains: Mapping[str, Interval]
    classes: tuple[ClassLoss, ...]
    by_piece: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class TuneSet:
    """Tunes, generated or held out, and their figures.

    Attributes:
        name: for people.
        tunes: how many.
        figures: `TUNES` as far as they are defined for these tunes.
        runs: tokens of the longest copied run of every tune.
        copied_from: title of the training tune that holds the longest of these runs.
    """

    name: str
    tunes: int
    figures: Mapping[str, Interval]
    runs: tuple[int, ...]
    copied_from: str | None


@dataclass(frozen=True)
class Findings:
    """A whole evaluation.

    Attributes:
        heading: of the report.
        facts: what was evaluated and how, for people.
        held_out: likelihoods.
        sets: generated tunes first, then held-out tunes as the reference point.
        remarks: what a reader must know to read the figures.
    """

    heading: str
    facts: Mapping[str, str]
    held_out: HeldOut
    sets: tuple[TuneSet, ...]
    remarks: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, and what they mean; undefined figures are left out."""
        meanings = {name: asdict(figure) for name, figure in (LOSSES | TUNES).items()}
        return {**_defined(asdict(self)), "meanings": meanings}


def _defined(node: Any) -> Any:
    """The same tree without intervals that are not finite."""
    if isinstance(node, dict):
        kept = {key: value for key, value in node.items() if not _is_undefined(value)}
        return {key: _defined(value) for key, value in kept.items()}
    return [_defined(value) for value in node] if isinstance(node, list | tuple) else node


def _is_undefined(node: Any) -> bool:
    return (
        isinstance(node, dict)
        and set(node) == {"value", "low", "high"}
        and not (Interval(**node).is_finite)
    )
